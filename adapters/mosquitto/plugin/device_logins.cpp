#include "adapters/mosquitto/plugin/device_logins.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "core/ports/credential_checker.hpp"

namespace roombus::plugin {

namespace {

constexpr std::size_t max_password_file = 256 * 1024 * 1024;
constexpr std::size_t longest_name = 128;
/// Half of the broker's time may go into passwords, and a second at once after a quiet time.
constexpr double share = 0.5;
constexpr double most_at_once_ms = 1000;

device_login as(device_login::outcome what) {
  device_login out;
  out.what = what;
  return out;
}

}  // namespace

device_logins::device_logins(device_login_options options, const secret_key& key, clock& time, log_sink& log)
    : options_(std::move(options)),
      key_(key),
      time_(time),
      log_(log),
      keys_(options_.jwt.sources, log),
      file_(options_.password_file, max_password_file),
      limit_(options_.max_failures, options_.failure_window_ms),
      allowance_ms_(most_at_once_ms),
      allowance_at_ms_(time.steady_ms()) {}

device_logins::~device_logins() {
  OPENSSL_cleanse(key_.data(), key_.size());
}

std::string device_logins::load() {
  if (options_.jwt.configured()) {
    if (std::string error = keys_.load(); !error.empty()) return error;
  }
  if (options_.password_file.empty()) return "";
  return read_passwords();
}

std::string device_logins::read_passwords() {
  std::string content;
  if (std::string error = file_.read(content); !error.empty()) return error;
  auto made = std::make_unique<auth::password_table>();
  const std::string error = made->read(content);
  if (!error.empty()) return file_.path() + ": " + error;
  passwords_ = std::move(made);
  return "";
}

void device_logins::reload(bool force) {
  keys_.reload(force);
  if (!passwords_ || (!force && !file_.has_changed())) return;
  const std::string error = read_passwords();
  if (error.empty()) {
    log_.write(log_level::info, "passwords_loaded",
               file_.path() + ": " + std::to_string(passwords_->size()) + " users");
  } else {
    log_.write(log_level::error, "passwords_kept", error + "; the users before stay valid");
  }
}

void device_logins::tick() {
  if (options_.reload_interval_ms <= 0) return;
  const std::int64_t now = time_.steady_ms();
  if (now < next_look_ms_) return;
  next_look_ms_ = now + options_.reload_interval_ms;
  reload(false);
}

device_login device_logins::check(std::string_view user, std::string_view password, std::string_view address,
                                  bool again) {
  if (options_.jwt.configured() && looks_like_token(password)) return check_token(user, password, address);
  if (passwords_) return check_password(std::string(user), password, address, again);
  return as(device_login::outcome::unknown);
}

device_login device_logins::check_token(std::string_view user, std::string_view token, std::string_view address) {
  auth::token_login judged =
      auth::judge_login_token(token, keys_.current(), options_.jwt, longest_name, time_.now_ms());
  if (judged.who && judged.who->user.str() != user) {
    judged.who.reset();
    judged.fault = "of another user than the user name says";
  }
  if (!judged.who) {
    log_.write(log_level::info, "wrong_token", "from " + std::string(address) + ": " + judged.fault);
    return as(device_login::outcome::wrong);
  }
  device_login out = as(device_login::outcome::accepted);
  out.limits.rights = std::move(judged.who->rights);
  out.limits.expires_at_ms = judged.who->expires_at_ms;
  return out;
}

device_login device_logins::check_password(const std::string& user, std::string_view password, std::string_view address,
                                           bool again) {
  const std::int64_t start = time_.steady_ms();
  // also for right ones: what is answered at once could be guessed at once
  if (!again && limit_.is_blocked(address, start)) return as(device_login::outcome::busy);
  const auto wrong = [&] {
    limit_.add_failure(address, start);
    log_.write(log_level::info, "wrong_password", "from " + std::string(address));
    return as(device_login::outcome::wrong);
  };
  if (password.size() > auth::max_password_bytes) return wrong();
  const keyed_proof proof = prove(key_, {user, password});
  if (is_remembered(user, proof)) return as(device_login::outcome::accepted);

  allowance_ms_ = std::min(most_at_once_ms, allowance_ms_ + static_cast<double>(start - allowance_at_ms_) * share);
  allowance_at_ms_ = start;
  if (allowance_ms_ <= 0) return as(device_login::outcome::busy);
  const bool right = passwords_->verify(user, password);
  allowance_at_ms_ = time_.steady_ms();
  allowance_ms_ -= static_cast<double>(allowance_at_ms_ - start);
  if (!right) return wrong();
  remember(user, proof);
  return as(device_login::outcome::accepted);
}

bool device_logins::is_remembered(const std::string& user, const keyed_proof& proof) const {
  const auto known = remembered_.find(user);
  if (known == remembered_.end()) return false;
  const auth::password_hash* hash = passwords_->find(user);
  if (hash == nullptr || hash->str() != known->second.hash) return false;  // the file has changed
  return is_same(proof, known->second.proof);
}

void device_logins::remember(const std::string& user, const keyed_proof& proof) {
  if (options_.remembered_passwords == 0) return;
  if (remembered_.size() >= options_.remembered_passwords && !remembered_.contains(user)) {
    remembered_.erase(remembered_.begin());  // whichever: it costs one more check
  }
  remembered& entry = remembered_[user];
  entry.proof = proof;
  entry.hash = passwords_->find(user)->str();
}

}  // namespace roombus::plugin
