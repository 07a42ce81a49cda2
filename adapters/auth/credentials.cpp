#include "adapters/auth/credentials.hpp"

#include <openssl/crypto.h>

#include "adapters/auth/failure_limit.hpp"
#include "adapters/auth/password_table.hpp"
#include "adapters/auth/watched_file.hpp"
#include "adapters/auth/worker_pool.hpp"

namespace roombus::auth {

namespace {

constexpr std::size_t max_password_file = 256 * 1024 * 1024;

enum class verdict : std::uint8_t { right, wrong, limited };

}  // namespace

struct credentials::impl {
  impl(credential_options o, environment e)
      : options(std::move(o)),
        env(e),
        keys(options.jwt.sources, env.log),
        file(options.password.file, max_password_file),
        limit(std::make_shared<failure_limit>(options.password.max_failures, options.password.failure_window_ms)),
        wrong_tokens(env.metrics.add_counter("roombus_login_wrong_tokens_total", "Tokens that were refused.")),
        wrong_passwords(env.metrics.add_counter("roombus_login_wrong_passwords_total", "Passwords that were wrong.")),
        limited(env.metrics.add_counter("roombus_login_limited_total",
                                        "Password logins refused because of failures before, or too many at once.")) {}

  std::string read_passwords() {
    std::string content;
    if (std::string error = file.read(content); !error.empty()) return error;
    auto made = std::make_shared<password_table>();
    const std::string error = made->read(content);
    if (!error.empty()) return file.path() + ": " + error;
    passwords = std::move(made);
    return "";
  }

  void reload(bool force) {
    keys.reload(force);
    if (!passwords || (!force && !file.has_changed())) return;
    const std::string error = read_passwords();
    if (error.empty()) {
      env.log.write(log_level::info, "passwords_loaded",
                    file.path() + ": " + std::to_string(passwords->size()) + " users");
    } else {
      env.log.write(log_level::error, "passwords_kept", error + "; the users before stay valid");
    }
  }

  void watch() {
    if (options.reload_interval.count() <= 0) return;
    next_look = env.timers.after(options.reload_interval, [this] {
      reload(false);
      watch();
    });
  }

  /// Starts the check of a password on another thread; `done` is completed on the core's.
  bool start_check(std::string user, std::string password, std::string address, const completion<verdict>& done) {
    auto job = [table = passwords, user = std::move(user), password = std::move(password), address = std::move(address),
                counts = limit, time = &env.time, timers = &env.timers, done]() mutable {
      verdict v = verdict::limited;
      if (!counts->is_blocked(address, time->steady_ms())) {  // others of the address may have failed meanwhile
        v = table->verify(user, password) ? verdict::right : verdict::wrong;
        if (v == verdict::wrong) counts->add_failure(address, time->steady_ms());
      }
      OPENSSL_cleanse(password.data(), password.size());
      timers->post([done, v] { done.complete(v); });
    };
    return pool->submit(std::move(job));
  }

  credential_options options;
  environment env;
  jwt_keys keys;
  watched_file file;
  std::shared_ptr<const password_table> passwords;  // shared with the checks that run
  std::shared_ptr<failure_limit> limit;             // shared with them, too
  counter& wrong_tokens;
  counter& wrong_passwords;
  counter& limited;
  timer_handle next_look;
  std::unique_ptr<worker_pool> pool;  // last: its threads end first
};

credentials::credentials(credential_options options, environment env)
    : impl_(std::make_unique<impl>(std::move(options), env)) {}

credentials::~credentials() = default;

std::string credentials::load() {
  if (impl_->options.jwt.configured()) {
    if (std::string error = impl_->keys.load(); !error.empty()) return error;
  }
  if (!impl_->options.password.file.empty()) {
    if (std::string error = impl_->read_passwords(); !error.empty()) return error;
    impl_->pool = std::make_unique<worker_pool>(impl_->options.password.workers, impl_->options.password.max_queue);
  }
  impl_->watch();
  return "";
}

void credentials::reload() {
  impl_->reload(true);
}

task<result<login>> credentials::check_password(std::string user, std::string password, std::string address) {
  impl& i = *impl_;
  if (!i.passwords) co_return chat_error(errc::no_login);
  if (i.limit->is_blocked(address, i.env.time.steady_ms())) {
    i.limited.add();
    co_return chat_error(errc::rate_limited);
  }
  // too long ones are not worth hashing, and tell nothing about users
  if (password.size() > max_password_bytes || !is_valid_name(user, i.options.name_bytes)) {
    i.limit->add_failure(address, i.env.time.steady_ms());
    i.wrong_passwords.add();
    co_return chat_error(errc::not_allowed);
  }
  login who;
  who.user = user_name(user);
  const std::string from = address;
  completion<verdict> done;
  if (!i.start_check(std::move(user), std::move(password), std::move(address), done)) {
    i.limited.add();
    co_return chat_error(errc::rate_limited);
  }
  const verdict v = co_await done;
  if (v == verdict::limited) {
    i.limited.add();
    co_return chat_error(errc::rate_limited);
  }
  if (v == verdict::wrong) {
    i.wrong_passwords.add();
    i.env.log.write(log_level::info, "wrong_password", "from " + from);
    co_return chat_error(errc::not_allowed);
  }
  co_return who;
}

task<result<login>> credentials::check_token(std::string token, std::string address) {
  impl& i = *impl_;
  if (!i.options.jwt.configured()) co_return chat_error(errc::no_login);
  token_login judged =
      judge_login_token(token, i.keys.current(), i.options.jwt, i.options.name_bytes, i.env.time.now_ms());
  if (!judged.who) {
    i.wrong_tokens.add();
    i.env.log.write(log_level::info, "wrong_token", "from " + address + ": " + judged.fault);
    co_return chat_error(errc::not_allowed);
  }
  login who = std::move(*judged.who);
  co_return who;
}

}  // namespace roombus::auth
