#include "adapters/mosquitto/plugin/broker_guard.hpp"

#include <algorithm>
#include <utility>

#include "core/ports/credential_checker.hpp"
#include "schemas/codec/base64.hpp"

namespace roombus::plugin {

namespace {

constexpr std::size_t max_bridges = 64;
constexpr std::size_t connections_per_part = 500;
constexpr std::size_t bytes_per_part = 200'000;
constexpr std::uint32_t max_lease_ms = 3'600'000;

bool says(const control_message& m, control_line::verb what) {
  return std::any_of(m.lines.begin(), m.lines.end(), [what](const control_line& line) { return line.what == what; });
}

broker_guard::login login_of(account_logins::outcome found) {
  switch (found) {
    case account_logins::outcome::right:
      return broker_guard::login::accepted;
    case account_logins::outcome::wrong:
      return broker_guard::login::bad_password;
    case account_logins::outcome::not_checked:
      break;
  }
  return broker_guard::login::busy;
}

}  // namespace

broker_guard::broker_guard(guard_options options, std::string incarnation, broker_actions& broker, clock& time,
                           log_sink& log)
    : options_(std::move(options)),
      incarnation_(std::move(incarnation)),
      broker_(broker),
      policy_(options_.prefix, options_.dev),
      log_(log),
      bridges_(true, options_.guesses, time, log),
      devices_(false, options_.guesses, time, log),
      registry_(options_.max_connections),
      grants_(options_.max_rooms) {}

std::optional<broker_guard::login> broker_guard::log_in(std::string_view user, std::string_view password,
                                                        std::string_view address, bool again,
                                                        payload::login_limits& limits) {
  // its name is nobody else's: no token and no other file can give it
  if (bridges_.contains(user)) return login_of(bridges_.check(user, password, address, again));
  if (options_.dev) return login::accepted;
  const bool has_account = devices_.contains(user);
  if (logins_ != nullptr && (!has_account || looks_like_token(password))) {
    device_login found = logins_->check(user, password, address, again);
    switch (found.what) {
      case device_login::outcome::unknown:
        break;
      case device_login::outcome::accepted:
        limits = std::move(found.limits);
        return login::accepted;
      case device_login::outcome::wrong:
        return login::bad_password;
      case device_login::outcome::busy:
        return login::busy;
    }
  }
  if (questions_ != nullptr && !has_account) return std::nullopt;
  return login_of(devices_.check(user, password, address, again));
}

std::optional<broker_guard::login> broker_guard::refused_whoever(key k, role who, std::string_view user,
                                                                 std::string_view client,
                                                                 std::string_view address) const {
  if (who != role::bridge && !may_connect_as(options_.ids, user, client)) {
    log_.write(log_level::info, "wrong_client_id", "from " + std::string(address) + ": not one of its user's own");
    return login::bad_name;
  }
  switch (registry_.check(k, who, user, client)) {
    case connection_registry::refusal::none:
      break;
    case connection_registry::refusal::full:
      return login::full;
    case connection_registry::refusal::client_id_taken:
      return login::client_id_taken;
  }
  return std::nullopt;
}

/// Whom nobody here can judge. Mosquitto asks again about a connection that is there (at a reload): its verdict was
/// used up when it came.
broker_guard::login broker_guard::ask(const live_connection* there, const login_questions::shown& s,
                                      payload::login_limits& limits, std::int64_t now_ms) {
  using outcome = login_questions::answer::outcome;
  if (there != nullptr && there->asked && is_same(*there->asked, questions_->proof_of(s))) {
    limits = there->limits;
    return login::accepted;
  }
  login_questions::answer found = questions_->judge(s, now_ms, is_bridge_at_work(now_ms));
  switch (found.what) {
    case outcome::accepted:
      limits = std::move(found.limits);
      return login::accepted;
    case outcome::rejected:
      return login::bad_password;
    case outcome::busy:
      return login::busy;
    case outcome::ask:
      break;
  }
  std::string line = "asks " + incarnation_ + " " + found.id + " ";
  line.append(s.user).append(" ").append(s.client).append(" ");
  line.append(s.address.empty() ? std::string_view("-") : s.address).append(" ");
  append_base64(line, s.password);
  broker_.publish_now(options_.prefix + "/bus/plugin/asks", std::move(line));
  return login::busy;
}

bool broker_guard::is_bridge_at_work(std::int64_t now_ms) const {
  return std::any_of(known_.begin(), known_.end(), [&](const auto& e) {
    const std::size_t owner = grants_.find_owner(e.first);
    return !e.second.lapsed && owner != grant_table::no_owner && grants_.is_alive(owner, now_ms);
  });
}

broker_guard::login broker_guard::authenticate(key k, std::string_view user, std::string_view password,
                                               std::string_view client, std::string_view address, std::int64_t now_ms) {
  if (!is_name_level(user) || !is_name_level(client)) return login::bad_name;
  payload::login_limits limits;
  std::optional<keyed_proof> asked;
  const role who = role_of_account(user);
  const live_connection* before = registry_.find(k);
  const bool again = before != nullptr && before->user == user && before->client == client;
  std::optional<login> outcome = log_in(user, password, address, again, limits);
  if (!outcome) {
    // what could not come in anyway is not asked about
    if (const auto refused = refused_whoever(k, who, user, client, address)) return *refused;
    const login_questions::shown s{user, client, password, address};
    outcome = ask(again ? before : nullptr, s, limits, now_ms);
    if (outcome == login::accepted) asked = questions_->proof_of(s);
  }
  if (outcome != login::accepted) return *outcome;
  if (const auto refused = refused_whoever(k, who, user, client, address)) return *refused;
  const auto ended = before != nullptr ? before->limits.expires_at_ms : std::nullopt;
  const connection_registry::change change = registry_.add(k, who, user, client, std::move(limits), asked);
  if (change.connected != nullptr) served_.forget(k);
  if (change.connected != nullptr) {
    if (ended) deadlines_.remove(k, *ended);
    if (const auto& ends = change.connected->limits.expires_at_ms) deadlines_.add(k, *ends);
  }
  // the old one gets nothing more, even if it should outlive a takeover that fails
  for (const std::uint64_t old : change.superseded)
    grants_.drop_connection(old);
  if (change.connected != nullptr) tell_connected(*change.connected);
  return login::accepted;
}

void broker_guard::disconnected(key k, int reason) {
  const live_connection* known = registry_.find(k);
  if (known == nullptr) return;
  const std::uint64_t generation = known->generation;
  served_.forget(k);
  grants_.drop_connection(generation);
  if (const auto& ends = known->limits.expires_at_ms) deadlines_.remove(k, *ends);
  const connection_registry::ended ended = registry_.remove(k);
  if (ended.gone) tell("disconnected", *ended.gone, std::to_string(reason));
  if (ended.revived != nullptr) tell_connected(*ended.revived);
}

role broker_guard::role_of_account(std::string_view user) const {
  const auto in = [user](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), user) != names.end();
  };
  if (bridges_.contains(user)) return role::bridge;
  const bool admin = in(options_.admins);
  if (in(options_.workers)) return admin ? role::privileged : role::worker;
  return admin ? role::admin : role::device;
}

/// Connections that are not there (sessions that wait for their client) keep the rights of their account, without
/// rooms.
role broker_guard::role_of(key k, std::string_view user) const {
  if (const live_connection* live = registry_.find(k)) return live->who;
  return role_of_account(user);
}

bool broker_guard::may_read(key k, std::string_view user, std::string_view client, std::string_view topic,
                            std::int64_t now_ms) const {
  const live_connection* live = registry_.find(k);
  const role who = live != nullptr ? live->who : role_of(k, user);
  if (who == role::bridge) return !served_.withheld(k, options_.prefix, topic);
  const decision d = policy_.read(who, user, client, topic);
  if (d.outcome != verdict::needs_grant) return d.outcome == verdict::allowed;
  return live != nullptr && grants_.allows(live->generation, d.room_level, now_ms);
}

bool broker_guard::may_write(key k, std::string_view user, std::string_view client, std::string_view topic, bool retain,
                             std::size_t size) const {
  return policy_.write(role_of(k, user), user, client, topic, retain, size);
}

bool broker_guard::is_over(key k) const {
  const live_connection* live = registry_.find(k);
  return live == nullptr || live->superseded;
}

bool broker_guard::may_subscribe(key k, std::string_view user, std::string_view client, std::string_view filter) const {
  return policy_.subscribe(role_of(k, user), user, client, filter);
}

void broker_guard::tell(std::string_view what, const live_connection& c, std::string_view more) {
  if (c.who == role::bridge) return;
  std::string line(what);
  line.append(" ").append(incarnation_).append(" ").append(std::to_string(++events_));
  line.append(" ").append(std::to_string(c.generation)).append(" ").append(c.user).append(" ").append(c.client);
  if (!more.empty()) line.append(" ").append(more);
  broker_.publish(options_.prefix + "/bus/plugin/events", std::move(line));
}

void broker_guard::tell_connected(const live_connection& c) {
  tell("connected", c, c.limits == payload::login_limits() ? std::string() : payload::login_word(c.limits));
}

void broker_guard::answer(const control_message& m, std::string_view outcome) {
  std::string line = "ack " + incarnation_ + " " + std::to_string(m.sequence) + " ";
  broker_.publish(options_.prefix + "/bus/plugin/answer/" + std::string(m.instance), line.append(outcome));
}

void broker_guard::answer_state(const control_message& m) {
  const std::string topic = options_.prefix + "/bus/plugin/answer/" + std::string(m.instance);
  const auto header = [&](bool last) {
    return "state " + incarnation_ + " " + std::to_string(m.sequence) + " " + std::to_string(events_) +
           (last ? " last" : " more");
  };
  std::string lines;
  std::size_t count = 0;
  registry_.for_each([&](const live_connection& c) {
    if (c.who == role::bridge || c.superseded) return;
    lines.append("\n").append(std::to_string(c.generation)).append(" ").append(c.user).append(" ").append(c.client);
    if (c.limits != payload::login_limits()) lines.append(" ").append(payload::login_word(c.limits));
    if (++count % connections_per_part != 0 && lines.size() < bytes_per_part) return;
    broker_.publish(topic, header(false) + std::exchange(lines, {}));
  });
  broker_.publish(topic, header(true) + lines);
}

void broker_guard::lapse(std::int64_t now_ms) {
  if (!grants_.expire(now_ms)) return;
  for (auto& [instance, bridge] : known_) {
    const std::size_t owner = grants_.find_owner(instance);
    if (owner == grant_table::no_owner || !grants_.is_alive(owner, now_ms)) bridge.lapsed = true;
  }
}

void broker_guard::tick(std::int64_t now_ms, std::int64_t wall_ms) {
  lapse(now_ms);
  if (questions_ != nullptr) questions_->tick(now_ms);
  std::vector<std::string> clients;
  for (const key k : deadlines_.due(wall_ms)) {
    const live_connection* c = registry_.find(k);
    // one that was taken over is about to end; if it is not, its turn comes when it is the current one again
    if (c != nullptr && !c->superseded) clients.push_back(c->client);
  }
  for (const std::string& client : clients)
    broker_.kick(client);  // its end comes back here before the call returns
}

bool broker_guard::control(key k, std::string_view payload, std::int64_t now_ms) {
  const live_connection* from = registry_.find(k);
  if (from == nullptr || from->who != role::bridge) return false;
  const std::optional<control_message> m = parse_control(payload);
  if (!m) return false;
  lapse(now_ms);
  shut_out(*m);
  serve_parts(k, *m);
  settle(*m, now_ms);

  const bool hello = says(*m, control_line::verb::hello);
  auto it = known_.find(m->instance);
  if (!hello) {
    if (m->incarnation != incarnation_ || it == known_.end() || it->second.life != m->life) {
      answer(*m, "stale");
      return true;
    }
    if (m->sequence <= it->second.sequence) {
      answer(*m, "old");
      return true;
    }
  }
  if (it == known_.end()) {
    if (known_.size() >= max_bridges) {
      std::erase_if(known_, [](const auto& e) { return e.second.lapsed; });
    }
    if (known_.size() >= max_bridges) {
      answer(*m, "full");
      return true;
    }
    it = known_.emplace(std::string(m->instance), known_bridge()).first;
  }
  const std::size_t owner = grants_.owner(m->instance);
  if (owner == grant_table::no_owner) {
    answer(*m, "full");
    return true;
  }
  known_bridge& bridge = it->second;
  if (hello) {
    // a restarted bridge does not know what it granted
    if (!bridge.life.empty() && bridge.life != m->life) grants_.leave_to_others(owner);
    grants_.set_among(owner, says(*m, control_line::verb::among));
    bridge.life = std::string(m->life);
    bridge.lapsed = false;
  }
  bridge.sequence = m->sequence;
  grants_.renew(owner, now_ms + std::min(m->lease_ms, max_lease_ms));
  if (bridge.lapsed && !says(*m, control_line::verb::sync)) {
    answer(*m, "lapsed");  // nothing is granted before everything is
    return true;
  }
  std::vector<kick_order> kicks;
  const bool all = apply(*m, owner, kicks);
  bridge.lapsed = false;
  if (hello) {
    answer_state(*m);
  } else {
    answer(*m, all ? "ok" : "full");
  }
  // last: each one's end comes back here before the call returns
  for (const kick_order& order : kicks) {
    const live_connection* target = registry_.current(order.client);
    if (target != nullptr && target->generation == order.generation && target->who != role::bridge) {
      broker_.kick(order.client);
    }
  }
  return true;
}

/// Whichever bridge says so, and however it stands with us: what it publishes next must not get through. One that says
/// so late, or again, must not take what was granted since.
void broker_guard::shut_out(const control_message& m) {
  for (const control_line& line : m.lines) {
    if (line.what != control_line::verb::revoke || line.generation != any_generation) continue;
    const live_connection* c = registry_.current(line.client);
    if (c != nullptr && c->user == line.user) grants_.shut_out(c->generation, line.room_level, line.at);
  }
}

/// Of the connection, so it holds however the bridge stands with us, and ends with it.
void broker_guard::serve_parts(key k, const control_message& m) {
  for (const control_line& line : m.lines) {
    if (line.what == control_line::verb::serves && line.parts) served_.set(k, *line.parts);
  }
}

/// Of a question that only a bridge was told, so it holds however the bridge stands with us.
void broker_guard::settle(const control_message& m, std::int64_t now_ms) {
  if (questions_ == nullptr) return;
  for (const control_line& line : m.lines) {
    if (line.what == control_line::verb::hello) questions_->forget_open();
    if (line.what != control_line::verb::verdict) continue;
    std::optional<payload::login_limits> limits = payload::login_limits();
    if (!line.limits.empty()) limits = payload::read_login_word(line.limits);
    const auto how = line.outcome == "accepted" && limits ? login_questions::verdict::accepted
                     : line.outcome == "unavailable"      ? login_questions::verdict::unavailable
                                                          : login_questions::verdict::rejected;
    questions_->settle(line.id, how, limits ? std::move(*limits) : payload::login_limits(), now_ms);
  }
}

bool broker_guard::apply(const control_message& m, std::size_t owner, std::vector<kick_order>& kicks) {
  bool all = true;
  for (const control_line& line : m.lines) {
    const live_connection* c = line.client.empty() ? nullptr : registry_.current(line.client);
    const bool is_it = c != nullptr && c->generation == line.generation && c->user == line.user;
    switch (line.what) {
      case control_line::verb::hello:
      case control_line::verb::among:
      case control_line::verb::serves:
      case control_line::verb::verdict:
        break;
      case control_line::verb::alone:
        for (auto& [instance, bridge] : known_) {
          if (instance == m.instance) continue;
          if (const std::size_t other = grants_.find_owner(instance); other != grant_table::no_owner) {
            grants_.drop_owner(other);
          }
        }
        break;
      case control_line::verb::sync:
        grants_.drop_owner(owner);
        break;
      case control_line::verb::grant:
        // a life that is over needs none, and its successor must not get it
        if (is_it && !grants_.grant(line.generation, line.room_level, owner, line.at)) all = false;
        break;
      case control_line::verb::revoke:
        if (line.generation != any_generation) grants_.revoke(line.generation, line.room_level);
        break;
      case control_line::verb::reset:
        if (is_it) grants_.drop_connection(line.generation);
        break;
      case control_line::verb::kick:
        if (is_it) kicks.push_back({std::string(line.client), line.generation});
        break;
    }
  }
  return all;
}

}  // namespace roombus::plugin
