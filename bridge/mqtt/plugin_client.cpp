#include "bridge/mqtt/plugin_client.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "bridge/mqtt/room_level.hpp"
#include "schemas/codec/base64.hpp"

namespace roombus::mqtt {

namespace {

constexpr std::string_view control_topic = "$CONTROL/roombus/v1";
constexpr std::size_t lines_per_message = 1000;
constexpr std::size_t max_state = 1'000'000;
/// Number of whoever waits for the next complete list: greater than all others.
constexpr std::uint64_t next_sync = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t max_waiting = 100'000;

/// The word before the first blank or line end; `rest` moves behind it.
std::string_view word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find_first_of(" \n"), rest.size());
  const std::string_view out = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return out;
}

std::uint64_t number(std::string_view text) {
  std::uint64_t out = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() ? out : 0;
}

/// `generation user client`, and a word about the login.
plugin_connection connection_of(std::string_view line) {
  plugin_connection out;
  out.generation = number(word(line));
  out.user = std::string(word(line));
  out.client = std::string(word(line));
  const std::string_view about = word(line);
  if (about.empty()) return out;
  if (auto limits = payload::read_login_word(about)) {
    out.limits = std::move(*limits);
  } else {
    // what it may is not known: no room
    out.limits.rights.join.emplace();
    out.limits.rights.publish.emplace();
  }
  return out;
}

std::string key_of(std::string_view user, std::string_view client) {
  return std::string(user).append("/").append(client);
}

/// `verb user client generation`
std::string line_of(std::string_view verb, std::string_view user, std::string_view client, std::uint64_t generation) {
  std::string out("\n");
  out.append(verb).append(" ").append(user).append(" ").append(client).append(" ").append(std::to_string(generation));
  return out;
}

/// ` place room`: the room, and where in its log
std::string room_of(const std::string& room_level, const log_position& at = {}) {
  if (!at.is_known()) return " - " + room_level;
  return " " + encode_room_level(at.epoch) + "." + std::to_string(at.sequence) + " " + room_level;
}

}  // namespace

plugin_client::plugin_client(plugin_options options, const std::string& prefix, environment env,
                             plugin_handlers handlers)
    : options_(std::move(options)),
      life_(options_.life),
      events_topic_(prefix + "/bus/plugin/events"),
      answer_topic_(prefix + "/bus/plugin/answer/" + options_.instance),
      asks_topic_(prefix + "/bus/plugin/asks"),
      env_(env),
      on_(std::move(handlers)),
      hellos_(env.metrics.add_counter("roombus_plugin_hellos_total", "Times the broker's plugin was asked for all.")),
      timeouts_(env.metrics.add_counter("roombus_plugin_timeouts_total",
                                        "Grants and removals that the broker's plugin did not confirm in time.")) {}

std::vector<subscription> plugin_client::subscriptions() const {
  std::vector<subscription> out;
  for (const std::string* topic : {&events_topic_, &answer_topic_, &asks_topic_}) {
    subscription s;
    s.filter = *topic;
    s.retained = false;
    out.push_back(std::move(s));
  }
  return out;
}

void plugin_client::link_up() {
  const std::uint64_t number = ++link_ups_;
  if (!options_.verify) return hello();
  phase_ = phase::asking;
  options_.verify([this, number, exists = std::weak_ptr<bool>(exists_)](bool lives) {
    if (exists.expired() || number != link_ups_ || phase_ != phase::asking) return;
    if (!lives) grants_.clear();
    hello();
  });
}

void plugin_client::link_down() {
  phase_ = phase::down;
  ++link_ups_;
  answer_timer_.cancel();
  renew_timer_.cancel();
  // what the plugin has heard is not known: all that wait, wait for the next complete list
  std::vector<outcome> all;
  for (auto& [sequence, done] : waiting_)
    if (!done.is_complete()) all.push_back(std::move(done));
  waiting_.clear();
  for (outcome& done : all)
    waiting_.emplace(next_sync, std::move(done));
}

bool plugin_client::take(const received_message& message) {
  if (message.topic == events_topic_) {
    on_event(message.payload);
  } else if (message.topic == answer_topic_) {
    on_answer(message.payload);
  } else if (message.topic == asks_topic_) {
    on_ask(message.payload);
  } else {
    return false;
  }
  return true;
}

// ---- hello, and everything anew

void plugin_client::hello() {
  hellos_.add();
  phase_ = phase::asking;
  state_.clear();
  renew_timer_.cancel();
  if (std::exchange(left_some_, false)) {
    // what an earlier life granted goes on without it; the list that follows takes back what is still ours
    life_ = options_.life + "." + std::to_string(++lives_);
  }
  hello_sequence_ = send(options_.alone ? "\nhello\nalone" : "\nhello\namong");
  answer_timer_ = env_.timers.after(options_.answer_wait, [this] {
    if (options_.use == plugin_use::detect && incarnation_.empty()) {
      phase_ = phase::absent;
      env_.log.write(log_level::info, "plugin_absent", "the broker has no roombus plugin");
      on_.on_absent();
      return;
    }
    env_.log.write(log_level::error, "plugin_silent", "the broker's roombus plugin does not answer; nothing is served");
    hello();
  });
}

void plugin_client::sync() {
  std::string lines("\nsync");
  std::size_t count = 0;
  for (const auto& [key, of] : grants_) {
    const std::size_t slash = key.find('/');
    const std::string_view user = std::string_view(key).substr(0, slash);
    const std::string_view client = std::string_view(key).substr(slash + 1);
    for (const auto& [room, at] : of.rooms) {
      lines += line_of("grant", user, client, of.generation) + room_of(room, at);
      if (++count % lines_per_message == 0) send(std::exchange(lines, std::string()));
    }
  }
  const std::uint64_t last = send(lines);
  std::vector<outcome> waiters;
  for (auto it = waiting_.lower_bound(next_sync); it != waiting_.end(); it = waiting_.erase(it))
    waiters.push_back(std::move(it->second));
  for (outcome& done : waiters)
    waiting_.emplace(last, std::move(done));
}

std::uint64_t plugin_client::send(const std::string& lines, std::function<void(publish_outcome)> done) {
  ++sequence_;
  std::string text = "roombus 1 " + options_.instance + " " + life_ + " ";
  text.append(incarnation_.empty() ? "-" : incarnation_).append(" ").append(std::to_string(sequence_));
  text.append(" ").append(std::to_string(options_.lease.count())).append(lines);
  outgoing_message message;
  message.topic = std::string(control_topic);
  message.payload = std::make_shared<const std::string>(std::move(text));
  message.level = qos::at_least_once;
  env_.link.publish(std::move(message), std::move(done));  // what is lost is not answered
  return sequence_;
}

void plugin_client::renew_later() {
  renew_timer_ = env_.timers.after(options_.renew, [this] {
    if (phase_ != phase::present) return;
    if (renewal_ > answered_) {
      env_.log.write(log_level::warning, "plugin_resync", "the broker's plugin did not answer");
      link_down();
      return hello();
    }
    renewal_ = send("");
    renew_later();
  });
}

// ---- what the plugin says

void plugin_client::on_answer(std::string_view payload) {
  std::string_view rest = payload;
  const std::string_view kind = word(rest);
  if (kind == "state") return on_state(rest);
  if (kind != "ack" || word(rest) != incarnation_) return;
  const std::uint64_t sequence = number(word(rest));
  const std::string_view how = word(rest);
  // what was published since then reached none of those that we had let in: they begin anew, and fetch it
  if (how == "lapsed") lapsed_ = true;
  if (phase_ != phase::present) return;
  if (how == "ok") {
    answered(sequence, std::nullopt);
  } else if (how == "full") {
    answered(sequence, errc::rate_limited);
  } else if (sequence > hello_sequence_) {  // stale, lapsed, old: our pictures differ
    env_.log.write(log_level::warning, "plugin_resync", "the broker's plugin answered " + std::string(how));
    link_down();
    hello();
  }
}

void plugin_client::on_state(std::string_view rest) {
  const std::string_view incarnation = word(rest);
  if (number(word(rest)) != hello_sequence_ || phase_ != phase::asking) return;
  const std::uint64_t events = number(word(rest));
  const bool last = word(rest) == "last";
  while (!rest.empty() && state_.size() < max_state) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    state_.push_back(connection_of(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!last) return;

  answer_timer_.cancel();
  const bool restarted = std::exchange(lapsed_, false) || incarnation != incarnation_;
  incarnation_ = std::string(incarnation);
  last_event_ = events;
  answered_ = hello_sequence_;
  phase_ = phase::present;
  if (restarted) grants_.clear();
  env_.log.write(log_level::info, "plugin_present",
                 "the broker's plugin " + incarnation_ + " counts " + std::to_string(state_.size()) + " connections");
  const std::vector<plugin_connection> connected = std::exchange(state_, {});
  sync();  // before anything is published for these connections
  renew_later();
  on_.on_present(connected, restarted);
}

void plugin_client::on_event(std::string_view payload) {
  std::string_view rest = payload;
  const std::string_view kind = word(rest);
  if (phase_ != phase::present || word(rest) != incarnation_) return;
  const std::uint64_t event = number(word(rest));
  if (event <= last_event_) return;
  if (event != last_event_ + 1) {
    env_.log.write(log_level::warning, "plugin_resync", "events of the broker's plugin were lost");
    link_down();
    hello();
    return;
  }
  last_event_ = event;
  if (kind == "connected") {
    on_.on_connected(connection_of(rest));
  } else if (kind == "disconnected") {
    on_.on_disconnected(connection_of(rest.substr(0, rest.rfind(' '))));  // without the reason
  }
}

/// `asks INCARNATION ID USER CLIENT ADDRESS BASE64`. Nothing of it is ever logged.
void plugin_client::on_ask(std::string_view payload) {
  std::string_view rest = payload;
  if (word(rest) != "asks" || phase_ != phase::present || word(rest) != incarnation_) return;
  plugin_question q;
  q.id = std::string(word(rest));
  q.user = std::string(word(rest));
  q.client = std::string(word(rest));
  q.address = std::string(word(rest));
  auto password = decode_base64(rest);
  if (q.id.empty() || q.user.empty() || q.client.empty() || !password) return;
  q.password = std::move(*password);
  on_.on_question(std::move(q));
}

// ---- waiting

void plugin_client::answered(std::uint64_t sequence, std::optional<errc> how) {
  answered_ = std::max(answered_, sequence);
  std::vector<std::pair<outcome, std::optional<errc>>> ready;
  for (auto it = waiting_.begin(); it != waiting_.end() && it->first <= sequence; it = waiting_.erase(it))
    ready.emplace_back(std::move(it->second), it->first == sequence ? how : std::nullopt);
  for (auto& [done, with] : ready)
    done.complete(with);
}

task<result<void>> plugin_client::wait(std::uint64_t sequence) {
  if (waiting_.size() >= max_waiting) co_return chat_error(errc::unavailable);
  outcome done;
  waiting_.emplace(sequence, done);
  timer_handle limit = env_.timers.after(options_.confirm, [done] { done.complete(errc::timeout); });
  const std::optional<errc> how = co_await done;
  limit.cancel();
  if (!how) co_return result<void>();
  if (*how == errc::timeout) timeouts_.add();
  co_return chat_error(*how);
}

// ---- what the bridge wants

bool plugin_client::serve(std::string_view parts, std::function<void(publish_outcome)> done) {
  if (phase_ != phase::asking && phase_ != phase::present) return false;
  send(std::string("\nserves ").append(parts), std::move(done));
  return true;
}

task<result<void>> plugin_client::grant(plugin_connection to, std::string room_level, log_position at) {
  if (phase_ == phase::down || phase_ == phase::absent) co_return chat_error(errc::unavailable);
  granted& of = grants_[key_of(to.user, to.client)];
  if (of.generation != to.generation) of.rooms.clear();
  of.generation = to.generation;
  const bool had = !of.rooms.insert_or_assign(room_level, at).second;
  std::uint64_t sequence = next_sync;
  if (phase_ == phase::present) {
    sequence = send(line_of("grant", to.user, to.client, to.generation) + room_of(room_level, at));
  }
  auto waited = co_await wait(sequence);
  if (!waited && !had) withdraw(to.user, to.client, room_level);
  co_return waited;
}

void plugin_client::ask_again() {
  if (phase_ != phase::present) return;  // it is being asked, or will be
  link_down();
  hello();
}

void plugin_client::take_over(const plugin_connection& to, const std::map<std::string, log_position>& rooms) {
  if (rooms.empty()) {
    if (phase_ == phase::present) send(line_of("reset", to.user, to.client, to.generation));
    return;
  }
  granted& of = grants_[key_of(to.user, to.client)];
  if (of.generation != to.generation) of.rooms.clear();
  of.generation = to.generation;
  // in one message: what others granted before, and no more, is replaced without a break
  std::string lines = line_of("reset", to.user, to.client, to.generation);
  for (const auto& [room, at] : rooms) {
    of.rooms.insert_or_assign(room, at);
    lines += line_of("grant", to.user, to.client, to.generation) + room_of(room, at);
  }
  if (phase_ == phase::present) send(lines);
}

void plugin_client::withdraw(std::string_view user, std::string_view client, const std::string& room_level) {
  auto it = grants_.find(key_of(user, client));
  if (it == grants_.end() || it->second.rooms.erase(room_level) == 0) return;
  const std::uint64_t generation = it->second.generation;
  if (it->second.rooms.empty()) grants_.erase(it);
  if (phase_ == phase::present) send(line_of("revoke", user, client, generation) + room_of(room_level));
}

void plugin_client::shut_out(std::string_view user, std::string_view client, const std::string& room_level,
                             const log_position& removal) {
  if (auto it = grants_.find(key_of(user, client)); it != grants_.end()) {
    const auto room = it->second.rooms.find(room_level);
    if (room != it->second.rooms.end() && ends_membership(removal, room->second)) it->second.rooms.erase(room);
    if (it->second.rooms.empty()) grants_.erase(it);
  }
  constexpr std::uint64_t any_generation = 0;
  if (phase_ == phase::asking || phase_ == phase::present) {
    send(line_of("revoke", user, client, any_generation) + room_of(room_level, removal));
  }
}

task<result<void>> plugin_client::confirmed() {
  if (phase_ == phase::absent || (phase_ == phase::present && answered_ >= sequence_)) co_return result<void>();
  const std::uint64_t sequence = phase_ == phase::present ? sequence_ : next_sync;
  auto waited = co_await wait(sequence);
  co_return waited;
}

void plugin_client::forget(std::string_view user, std::string_view client) {
  grants_.erase(key_of(user, client));
}

void plugin_client::leave_to_others(std::string_view user, std::string_view client) {
  if (grants_.erase(key_of(user, client)) > 0 && !options_.alone) left_some_ = true;
}

void plugin_client::kick(const plugin_connection& who) {
  if (phase_ == phase::present) send(line_of("kick", who.user, who.client, who.generation));
}

void plugin_client::settle(const std::string& id, plugin_verdict how, const payload::login_limits& limits) {
  if (phase_ != phase::asking && phase_ != phase::present) return;
  std::string line = "\nverdict " + id;
  switch (how) {
    case plugin_verdict::accepted:
      line += " accepted";
      if (limits != payload::login_limits()) line += " " + payload::login_word(limits);
      break;
    case plugin_verdict::rejected:
      line += " rejected";
      break;
    case plugin_verdict::unavailable:
      line += " unavailable";
      break;
  }
  send(line);
}

void plugin_client::close() {
  answer_timer_.cancel();
  renew_timer_.cancel();
  grants_.clear();
  if (phase_ == phase::present && options_.alone) send("\nsync");
  phase_ = phase::down;
  std::multimap<std::uint64_t, outcome> all = std::exchange(waiting_, {});
  for (auto& [sequence, done] : all)
    done.complete(errc::unavailable);
}

}  // namespace roombus::mqtt
