#include "adapters/broker_auth/broker_auth.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include "adapters/broker_auth/broker_answer.hpp"
#include "adapters/broker_auth/broker_question.hpp"
#include "adapters/broker_auth/login_ends.hpp"
#include "adapters/http/uri.hpp"
#include "core/api_keys.hpp"

namespace roombus::broker_auth {

namespace {

constexpr std::string_view base = "/broker/";
constexpr std::string_view key_level = "key/";
constexpr std::chrono::milliseconds longest_look{600'000};

/// Takes what stands before the first `/`, and that `/`.
std::string_view take_level(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view level = rest.substr(0, slash);
  rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  return level;
}

bool is_limited(const login_rights& rights) {
  return rights.join.has_value() || rights.publish.has_value();
}

/// Counts as long as it lives.
class one_more {
 public:
  explicit one_more(std::size_t& count) : count_(++count) {}
  ~one_more() { --count_; }
  one_more(const one_more&) = delete;
  one_more& operator=(const one_more&) = delete;

 private:
  std::size_t& count_;
};

http::response plain(unsigned status, std::string text) {
  http::response r;
  r.status = status;
  r.headers = {{"Content-Type", "text/plain"}};
  r.body = std::move(text);
  return r;
}

}  // namespace

class broker_auth::impl final : public std::enable_shared_from_this<broker_auth::impl> {
 public:
  impl(broker_auth_options options, environment env)
      : options_(std::move(options)),
        env_(env),
        access_(options_.access),
        ends_(options_.max_expiring_logins, options_.max_expiring_of_user),
        logins_(env.metrics.add_counter("roombus_broker_auth_logins_total", "Logins that brokers asked about.")),
        refused_logins_(
            env.metrics.add_counter("roombus_broker_auth_refused_logins_total", "Logins that were refused.")),
        topics_(env.metrics.add_counter("roombus_broker_auth_topics_total", "Topics that brokers asked about.")),
        refused_topics_(
            env.metrics.add_counter("roombus_broker_auth_refused_topics_total", "Topics that were refused.")),
        refused_requests_(env.metrics.add_counter("roombus_broker_auth_refused_requests_total",
                                                  "Requests without the key, or that no broker would send.")) {
    if (!options_.key.empty()) key_.add(options_.key, api_access::read);
    if (!options_.access.bridge_user.empty() && !options_.bridge_password.empty()) {
      bridge_password_.add(options_.bridge_password, api_access::read);
    }
  }

  void detach() {
    detached_ = true;
    timer_.cancel();
  }

  void take(const http::request& req, const std::shared_ptr<http::responder>& answer) {
    std::string_view path = req.path;
    std::string key = bearer(req.header("authorization"));
    if (path.starts_with(base)) path.remove_prefix(base.size());
    if (path.starts_with(key_level)) {
      path.remove_prefix(key_level.size());
      key = http::percent_decode(take_level(path)).value_or("");
    }
    if (key.empty() || !key_.level_of(key)) {
      refused_requests_.add();
      return answer->send(plain(401, "the key of mqtt.auth_key is needed\n"));
    }
    const auto from = broker_of(take_level(path));
    if (!from) return answer->send(plain(404, "expected /broker/emqx, /broker/vernemq or /broker/rabbitmq\n"));
    auto asked = read_question(*from, path, req);
    if (!asked) {
      refused_requests_.add();
      return answer->send(refusal_for(*from));
    }
    if (asked->what == question::kind::login) {
      logins_.add();
      decide_login(shared_from_this(), *from, std::move(*asked), answer).detach();
      return;
    }
    answer->send(answer_for(*from, *asked, decide(*asked)));
  }

  bool learn(const std::string& user, const std::string& client, std::optional<std::int64_t> ends_at_ms) {
    if (!ends_at_ms) {
      ends_.clear(user, client);
      return true;
    }
    if (!ends_.set(user, client, *ends_at_ms, env_.time.now_ms())) return false;
    look_at_ends();
    return true;
  }

 private:
  static std::string bearer(std::string_view header) {
    constexpr std::string_view scheme = "Bearer ";
    return header.starts_with(scheme) ? std::string(header.substr(scheme.size())) : std::string();
  }

  [[nodiscard]] verdict decide(const question& q) {
    verdict v;
    const bool ended = ends_.has_ended(q.user, q.client, env_.time.now_ms());
    switch (q.what) {
      case question::kind::login:
        break;  // decide_login
      case question::kind::vhost:
        v.allowed = {q.vhost == options_.vhost && topics::is_name_level(q.user)};
        return v;
      case question::kind::queue:
        v.allowed = {q.vhost == options_.vhost && !ended && access_.may_be(q.user, q.client)};
        return v;
      case question::kind::granted:
        v.allowed = {q.vhost == options_.vhost && !ended && topics::is_name_level(q.user)};
        return v;
      case question::kind::topics:
        break;
    }
    for (const asked_topic& t : q.topics) {
      const bool allowed = !ended && q.vhost == options_.vhost &&
                           (t.write ? access_.may_publish(q.user, q.client, t.topic, t.retain)
                                    : access_.may_subscribe(q.user, q.client, t.topic));
      topics_.add();
      if (!allowed) refused_topics_.add();
      v.allowed.push_back(allowed);
    }
    return v;
  }

  static task<void> decide_login(std::shared_ptr<impl> self, broker from, question q,
                                 std::shared_ptr<http::responder> answer) {
    verdict v;
    bool accepted = false;
    if (q.vhost == self->options_.vhost && self->access_.may_be(q.user, q.client)) {
      if (self->access_.is_bridge(q.user)) {
        // its name is nobody else's: no token and no password file can give it
        accepted = v.is_bridge = self->bridge_password_.level_of(q.password).has_value();
      } else {
        std::optional<login> found = co_await check(self, q);
        accepted = found.has_value() && self->remember(q, *found);
        if (accepted) v.expires_at_ms = found->expires_at_ms;
      }
    }
    if (self->detached_) co_return;
    if (!accepted) {
      self->refused_logins_.add();
      self->env_.log.write(log_level::info, "broker_login_refused", "from " + q.address);
    }
    v.allowed.push_back(accepted);
    answer->send(answer_for(from, q, v));
  }

  /// Who logs in, if the password or token is right and of that user, or the hook says so.
  static task<std::optional<login>> check(std::shared_ptr<impl> self, question q) {
    std::optional<login> out;
    if (q.password.empty()) co_return out;
    try {
      credential_checker& checker = self->env_.checker;
      const std::string user = q.user;
      result<login> found = chat_error(errc::no_login);
      if (looks_like_token(q.password)) {
        std::string token = q.password;
        std::string address = q.address;
        found = co_await checker.check_token(std::move(token), std::move(address));
      }
      if (!self->detached_ && is_open(found)) {  // no token, or tokens are not configured
        std::string name = q.user;
        std::string password = q.password;
        std::string address = q.address;
        found = co_await checker.check_password(std::move(name), std::move(password), std::move(address));
      }
      if (!self->detached_ && is_open(found)) found = co_await ask_hook(self, std::move(q));
      if (found && found->user.str() == user && !is_limited(found->rights)) out = std::move(*found);
    } catch (const std::exception& e) {
      if (!self->detached_) self->env_.log.write(log_level::error, "broker_login_fault", e.what());
    }
    co_return out;
  }

  /// Nobody has decided: no such kind of proof is configured. One that is and says no is final.
  static bool is_open(const result<login>& found) { return !found && found.error().code() == errc::no_login; }

  static task<result<login>> ask_hook(std::shared_ptr<impl> self, question q) {
    if (!self->env_.ask_hook) co_return chat_error(errc::no_login);
    if (self->asked_ >= self->options_.max_asked) co_return chat_error(errc::rate_limited);
    device_credentials shown;
    shown.user = std::move(q.user);
    shown.client = std::move(q.client);
    shown.password = std::move(q.password);
    shown.address = std::move(q.address);
    const one_more asked(self->asked_);
    result<login> found = co_await self->env_.ask_hook(std::move(shown));
    co_return found;
  }

  /// False when the login has ended already, or its end cannot be remembered.
  bool remember(const question& q, const login& found) {
    if (detached_) return false;
    if (found.expires_at_ms && *found.expires_at_ms <= env_.time.now_ms()) return false;
    if (!learn(q.user, q.client, found.expires_at_ms)) return false;
    if (env_.on_login) env_.on_login(q.user, q.client, found.expires_at_ms);
    return true;
  }

  /// Tells which logins have ended, and comes back when the next one may have. A wall clock can be set.
  void look_at_ends() {
    const std::int64_t now = env_.time.now_ms();
    for (const login_ends::ended& e : ends_.take_ended(now)) {
      env_.log.write(log_level::info, "broker_login_ended", e.user + "/" + e.client);
      if (env_.on_end) env_.on_end(e.user, e.client);
    }
    const auto next = ends_.next_end();
    if (!next) return timer_.cancel();
    const auto wait = std::min(std::chrono::milliseconds(std::max<std::int64_t>(*next - now, 1)), longest_look);
    timer_ = env_.timers.after(wait, [this] { look_at_ends(); });
  }

  const broker_auth_options options_;
  environment env_;
  const broker_access access_;
  login_ends ends_;
  api_keys key_;
  api_keys bridge_password_;
  std::size_t asked_ = 0;  // logins that wait for the hook
  bool detached_ = false;
  timer_handle timer_;  // of the next end
  counter& logins_;
  counter& refused_logins_;
  counter& topics_;
  counter& refused_topics_;
  counter& refused_requests_;
};

broker_auth::broker_auth(broker_auth_options options, environment env)
    : impl_(std::make_shared<impl>(std::move(options), env)) {}

broker_auth::~broker_auth() {
  impl_->detach();
}

void broker_auth::learn(const std::string& user, const std::string& client, std::optional<std::int64_t> ends_at_ms) {
  (void)impl_->learn(user, client, ends_at_ms);
}

void broker_auth::on_request(http::request req, std::shared_ptr<http::responder> answer) {
  impl_->take(req, answer);
}

}  // namespace roombus::broker_auth
