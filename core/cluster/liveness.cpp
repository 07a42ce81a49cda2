#include "core/cluster/liveness.hpp"

#include <algorithm>
#include <utility>

namespace roombus {

namespace {

constexpr std::chrono::milliseconds rise_pause{500};
constexpr std::int64_t recovery_lease_ms = 60'000;

}  // namespace

liveness::liveness(liveness_owner& owner, std::string instance, environment env)
    : owner_(owner), instance_(std::move(instance)), env_(env) {
  incarnation_ = fresh_incarnation();
}

std::string liveness::fresh_incarnation() {
  return instance_ + "~" + random_hex(env_.random, 4);
}

bool liveness::is_life_of(const std::string& incarnation, const std::string& instance) {
  return incarnation.size() > instance.size() && incarnation[instance.size()] == '~' &&
         incarnation.compare(0, instance.size(), instance) == 0 &&
         incarnation.find('~', instance.size() + 1) == std::string::npos;
}

std::vector<std::string> liveness::living() const {
  std::vector<std::string> out;
  for (const auto& [incarnation, sight] : seen_)
    out.push_back(incarnation);
  return out;
}

bool liveness::is_fallen() {
  if (!started_ || fallen_) return fallen_;
  if (env_.time.steady_ms() - shown_ms_ > env_.options.heartbeat_timeout.count()) fall();
  return fallen_;
}

void liveness::fall() {
  if (fallen_) return;
  fallen_ = true;
  env_.log.write(log_level::error, "instance_stalled",
                 incarnation_ + " could not show that it lives, or was taken for dead: it lets go of everybody");
  owner_.fallen();
  beat_later(std::chrono::milliseconds(0));
}

task<result<void>> liveness::start() {
  task<result<void>> entering = enter();
  result<void> entered = co_await entering;
  if (!entered) co_return entered;
  started_ = true;
  beat_later(env_.options.heartbeat_rate);
  co_return entered;
}

/// Registers the present name, and recovers earlier lives of this instance: nobody else uses its id.
task<result<void>> liveness::enter() {
  const std::int64_t begun = env_.time.steady_ms();
  task<result<bool>> registering = env_.data.beat(incarnation_, true);
  const result<bool> registered = co_await registering;
  if (!registered) co_return registered.error();
  shown_ms_ = begun;
  task<result<std::vector<instance_life>>> reading = env_.data.lives();
  const result<std::vector<instance_life>> lives = co_await reading;
  if (!lives) co_return lives.error();
  seen_.clear();
  for (const instance_life& life : *lives) {
    if (life.incarnation != incarnation_ && (life.dead || is_life_of(life.incarnation, instance_))) {
      dead_.insert(life.incarnation);
    } else {
      seen_[life.incarnation] = {life.beat, begun};
    }
  }
  seen_[incarnation_].since_ms = begun;
  owner_.members_changed();
  co_await recover_all_dead();
  co_return result<void>{};
}

void liveness::stop() {
  started_ = false;
  timer_.cancel();
}

void liveness::beat_later(std::chrono::milliseconds delay) {
  timer_ = env_.timers.after(delay, [this] {
    if (fallen_) {
      rise().detach();
    } else {
      beat_later(env_.options.heartbeat_rate);
      beat().detach();
    }
  });
}

task<void> liveness::beat() {
  if (is_fallen()) co_return;
  const std::weak_ptr<bool> exists = exists_;
  const std::string name = incarnation_;
  const std::int64_t begun = env_.time.steady_ms();
  task<result<bool>> showing = env_.data.beat(name, false);
  const result<bool> shown = co_await showing;
  if (exists.expired() || !started_ || fallen_ || name != incarnation_) co_return;
  if (!shown) {
    env_.log.write(log_level::error, "heartbeat_failed", std::string(shown.error().code_name()));
    (void)is_fallen();
    co_return;
  }
  if (!*shown) {
    fall();
    co_return;
  }
  shown_ms_ = begun;
  co_await look_around();
}

/// Finds out who lives and who does not.
task<void> liveness::look_around() {
  const std::weak_ptr<bool> exists = exists_;
  task<result<std::vector<instance_life>>> reading = env_.data.lives();
  const result<std::vector<instance_life>> lives = co_await reading;
  if (!lives || exists.expired() || fallen_ || !started_) co_return;
  const std::int64_t now = env_.time.steady_ms();
  std::map<std::string, sighting> seen;
  for (const instance_life& life : *lives) {
    if (life.dead && life.incarnation != incarnation_) dead_.insert(life.incarnation);
    if (dead_.contains(life.incarnation)) continue;
    const auto before = seen_.find(life.incarnation);
    sighting sight{life.beat, now};
    if (before != seen_.end() && before->second.beat == life.beat) sight.since_ms = before->second.since_ms;
    if (life.incarnation == incarnation_) sight.since_ms = now;
    if (now - sight.since_ms > env_.options.heartbeat_timeout.count()) {
      env_.log.write(log_level::warning, "instance_dead",
                     "instance " + life.incarnation + " gave no sign of life, it is recovered");
      dead_.insert(life.incarnation);
    } else {
      seen.emplace(life.incarnation, std::move(sight));
    }
  }
  seen_ = std::move(seen);
  owner_.members_changed();
  co_await recover_all_dead();
}

task<void> liveness::recover_all_dead() {
  if (recovering_) co_return;
  recovering_ = true;
  const std::weak_ptr<bool> exists = exists_;
  const std::set<std::string> dead = dead_;
  for (const std::string& one : dead) {
    const auto unaware = declared_.find(one);
    if (unaware != declared_.end()) {
      if (!unaware->second) mark_dead(one).detach();  // failed before
      if (!unaware->second || env_.time.steady_ms() < *unaware->second) continue;
    }
    task<result<void>> recovering = recover(one);
    const result<void> recovered = co_await recovering;
    if (exists.expired()) co_return;
    if (!recovered) env_.log.write(log_level::error, "recovery_failed", "instance " + one);
  }
  recovering_ = false;
}

task<result<void>> liveness::recover(std::string dead) {
  const std::weak_ptr<bool> exists = exists_;
  const std::int64_t asked = env_.time.steady_ms();
  task<result<bool>> beginning = env_.data.begin_recovery(dead, incarnation_, recovery_lease_ms);
  const result<bool> ours = co_await beginning;
  if (!ours) co_return ours.error();
  if (exists.expired()) co_return chat_error(errc::unavailable);
  if (!*ours) {
    // somebody else is at it, or it is done: the next look at the store tells which
    dead_.erase(dead);
    declared_.erase(dead);
    co_return result<void>{};
  }
  recovery_lease_[dead] = asked;
  task<result<void>> recovering = owner_.recover_dead(dead);
  const result<void> recovered = co_await recovering;
  if (exists.expired()) co_return chat_error(errc::unavailable);
  recovery_lease_.erase(dead);
  if (!recovered) co_return recovered.error();
  task<result<void>> finishing = env_.data.finish_recovery(dead);
  const result<void> finished = co_await finishing;
  if (exists.expired()) co_return chat_error(errc::unavailable);
  if (finished) {
    dead_.erase(dead);
    declared_.erase(dead);
    env_.log.write(log_level::info, "instance_recovered", "instance " + dead);
  }
  co_return finished;
}

task<bool> liveness::keep_recovery(std::string dead) {
  const std::weak_ptr<bool> exists = exists_;
  const std::int64_t now = env_.time.steady_ms();
  const auto begun = recovery_lease_.find(dead);
  if (begun == recovery_lease_.end() || now - begun->second < recovery_lease_ms / 4) co_return true;
  task<result<bool>> renewing = env_.data.begin_recovery(dead, incarnation_, recovery_lease_ms);
  const result<bool> ours = co_await renewing;
  if (exists.expired() || !ours || !*ours) co_return false;
  recovery_lease_[dead] = now;
  co_return true;
}

/// Comes back under a new name, as soon as the store lets us.
task<void> liveness::rise() {
  if (rising_) co_return;
  rising_ = true;
  const std::weak_ptr<bool> exists = exists_;
  dead_.clear();
  declared_.clear();
  dead_.insert(incarnation_);
  incarnation_ = fresh_incarnation();
  // the others have to reach it from the moment in which they see it
  task<bool> naming = owner_.renamed();
  const bool reachable = co_await naming;
  if (exists.expired()) co_return;
  result<void> entered = chat_error(errc::unavailable);
  if (reachable) {
    task<result<void>> entering = enter();
    entered = co_await entering;
    if (exists.expired()) co_return;
  }
  rising_ = false;
  if (!entered) {
    beat_later(rise_pause);
    co_return;
  }
  fallen_ = false;
  env_.log.write(log_level::warning, "instance_back", "it serves again, as " + incarnation_);
  beat_later(env_.options.heartbeat_rate);
}

void liveness::came(const std::string& incarnation) {
  if (dead_.contains(incarnation) || seen_.contains(incarnation)) return;
  seen_[incarnation] = {"", env_.time.steady_ms()};
  owner_.members_changed();
}

void liveness::left(const std::string& incarnation) {
  if (seen_.erase(incarnation) > 0) owner_.members_changed();
}

void liveness::declare_dead(const std::string& incarnation) {
  if (incarnation == incarnation_ || dead_.contains(incarnation)) return;
  env_.log.write(log_level::warning, "instance_dead",
                 "instance " + incarnation + " did not confirm in time, it is recovered");
  seen_.erase(incarnation);
  dead_.insert(incarnation);
  declared_[incarnation] = std::nullopt;
  mark_dead(incarnation).detach();
  owner_.tell_dead(incarnation);
  owner_.members_changed();
}

/// From now on the store refuses its heartbeats, so that it notices within its own heartbeat timeout.
task<void> liveness::mark_dead(std::string incarnation) {
  const std::weak_ptr<bool> exists = exists_;
  task<result<bool>> marking = env_.data.begin_recovery(incarnation, incarnation_, recovery_lease_ms);
  const result<bool> marked = co_await marking;
  if (exists.expired()) co_return;
  if (!marked) {
    env_.log.write(log_level::warning, "instance_not_marked", std::string(marked.error().code_name()));
    co_return;
  }
  const auto declared = declared_.find(incarnation);
  if (declared != declared_.end() && !declared->second) {
    declared->second = env_.time.steady_ms() + env_.options.heartbeat_timeout.count();
  }
}

void liveness::has_fallen(const std::string& incarnation) {
  if (incarnation == incarnation_) return;
  declared_.erase(incarnation);
  if (seen_.erase(incarnation) > 0) {
    dead_.insert(incarnation);
    owner_.members_changed();
  }
  if (dead_.contains(incarnation)) recover_soon();
}

void liveness::recover_soon() {
  env_.timers.post([this, exists = std::weak_ptr<bool>(exists_)] {
    if (!exists.expired() && started_ && !fallen_) recover_all_dead().detach();
  });
}

task<result<std::vector<std::string>>> liveness::read_living() {
  task<result<std::vector<instance_life>>> reading = env_.data.lives();
  const result<std::vector<instance_life>> lives = co_await reading;
  if (!lives) co_return lives.error();
  std::vector<std::string> out;
  for (const instance_life& life : *lives) {
    if (!life.dead && !dead_.contains(life.incarnation)) out.push_back(life.incarnation);
  }
  co_return out;
}

}  // namespace roombus
