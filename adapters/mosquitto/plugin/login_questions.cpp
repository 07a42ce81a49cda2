#include "adapters/mosquitto/plugin/login_questions.hpp"

#include <openssl/crypto.h>

#include <iterator>
#include <utility>

namespace roombus::plugin {

namespace {

constexpr std::int64_t look_every_ms = 1000;

std::string hex_of(const keyed_proof& bytes, std::size_t count) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += digits[bytes[i] >> 4U];
    out += digits[bytes[i] & 0xFU];
  }
  return out;
}

}  // namespace

login_questions::login_questions(login_question_options options, const secret_key& key)
    : options_(options),
      key_(key),
      rejections_(options.max_failures, options.failure_window_ms),
      asked_(options.max_per_second, 1000) {}

login_questions::~login_questions() {
  OPENSSL_cleanse(key_.data(), key_.size());
}

keyed_proof login_questions::proof_of(const shown& s) const {
  return prove(key_, {"login", s.user, s.client, s.address, s.password});
}

login_questions::entries::iterator login_questions::forget(entries::iterator it) {
  by_age_.erase(it->second.number);
  by_id_.erase(it->second.id);
  return entries_.erase(it);
}

login_questions::answer login_questions::judge(const shown& s, std::int64_t now_ms, bool may_ask) {
  answer out;
  // what shows no password shows nothing, and also a right one waits: what is answered at once could be guessed at once
  if (s.password.empty() || s.password.size() > options_.max_password) {
    out.what = answer::outcome::rejected;
    return out;
  }
  if (rejections_.is_blocked(s.address, now_ms)) return out;
  const keyed_proof proof = proof_of(s);
  if (auto known = entries_.find(proof); known != entries_.end()) {
    if (known->second.until_ms > now_ms) {
      if (known->second.what == state::rejected) out.what = answer::outcome::rejected;
      if (known->second.what == state::accepted) {
        out.what = answer::outcome::accepted;
        out.limits = std::move(known->second.limits);
        forget(known);
      }
      return out;
    }
    forget(known);
  }
  if (!may_ask || by_id_.size() >= options_.max_open || asked_.is_blocked(s.address, now_ms)) return out;
  asked_.add_failure(s.address, now_ms);
  if (entries_.size() >= options_.max_entries) forget(entries_.find(by_age_.begin()->second));
  entry& made = entries_[proof];
  made.number = ++last_number_;
  // not to be guessed, and never that of another start: a verdict that is late must not meet another question
  made.id = hex_of(prove(key_, {"id", std::to_string(made.number)}), 16);
  made.until_ms = now_ms + options_.wait_ms;
  made.address = std::string(s.address);
  by_age_.emplace(made.number, proof);
  by_id_.emplace(made.id, proof);
  out.what = answer::outcome::ask;
  out.id = made.id;
  return out;
}

void login_questions::settle(std::string_view id, verdict v, payload::login_limits limits, std::int64_t now_ms) {
  const auto open = by_id_.find(id);
  if (open == by_id_.end()) return;
  const auto it = entries_.find(open->second);
  if (it->second.until_ms <= now_ms || v == verdict::unavailable) {
    forget(it);
    return;
  }
  by_id_.erase(open);
  entry& e = it->second;
  if (v == verdict::accepted) {
    e.what = state::accepted;
    e.until_ms = now_ms + options_.accepted_ms;
    e.limits = std::move(limits);
  } else {
    e.what = state::rejected;
    e.until_ms = now_ms + options_.rejected_ms;
    rejections_.add_failure(e.address, now_ms);
  }
}

void login_questions::forget_open() {
  while (!by_id_.empty())
    forget(entries_.find(by_id_.begin()->second));
}

void login_questions::tick(std::int64_t now_ms) {
  if (now_ms < next_look_ms_) return;
  next_look_ms_ = now_ms + look_every_ms;
  for (auto it = entries_.begin(); it != entries_.end();)
    it = it->second.until_ms <= now_ms ? forget(it) : std::next(it);
}

}  // namespace roombus::plugin
