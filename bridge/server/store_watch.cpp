#include "bridge/server/store_watch.hpp"

#include <string_view>
#include <utility>

namespace roombus::server {

namespace {

constexpr std::chrono::milliseconds interval{1000};
constexpr std::int64_t patience_ms = 2000;  // a question without an answer for so long counts as failed

struct advice {
  std::string_view sign;  ///< a part of what was told
  std::string_view text;
};

// what a store told, and what to do about it; the first that fits
constexpr advice known_troubles[] = {
    {"certificate is not accepted",
     "check store.redis_ca_file, and that store.redis names the host as its certificate"},
    {"rediss://", "write store.redis so"},
    {"no TLS is spoken", "redis:// without TLS, or another port"},
    {"in the TLS handshake", "does store.redis name a port with TLS?"},
    {"WRONGPASS", "check user and password in store.redis"},
    {"AUTH", "check user and password in store.redis"},
    {"NOPERM", "the user in store.redis needs more rights in Redis: docs/storage.md names them"},
    {"DB index", "store.redis names a database that Redis does not have (`databases` in its configuration)"},
    {"cluster support disabled", "store.cluster is true, but this Redis is none: set it to false"},
    {"store.cluster", "set it"},
    {"MISCONF", "Redis cannot save to its disk"},
    {"OOM", "Redis has reached its maxmemory"},
    {"find the host", "check the name in store.redis"},
};

std::string_view advice_for(const std::string& trouble) {
  for (const advice& one : known_troubles) {
    if (trouble.find(one.sign) != std::string::npos) return one.text;
  }
  return "is it running, and is store.redis right?";
}

}  // namespace

store_watch::store_watch(store& data, std::string remote, std::string instance, scheduler& timers, clock& time)
    : data_(data),
      condition_(dynamic_cast<const store_condition*>(&data)),
      remote_(std::move(remote)),
      instance_(std::move(instance)),
      timers_(timers),
      time_(time) {}

task<std::string> store_watch::reach() {
  if (remote_.empty()) co_return "";
  const std::weak_ptr<bool> living = living_;
  task<bool> asking = ask();
  const bool good = co_await asking;
  if (living.expired()) co_return "";
  if (!good) co_return explain();
  ask_later();
  co_return "";
}

void store_watch::stop() {
  next_.cancel();
  living_.reset();
}

std::string store_watch::trouble() const {
  if (remote_.empty()) {
    return condition_ == nullptr || condition_->trouble().empty() ? "" : "the store cannot write";
  }
  const bool silent = asked_ms_ >= 0 && time_.steady_ms() - asked_ms_ > patience_ms;
  const bool in_trouble = failed_ || silent || (condition_ != nullptr && !condition_->trouble().empty());
  return in_trouble ? "the store is out of reach" : "";
}

std::string store_watch::explain() const {
  std::string told = condition_ == nullptr ? "" : condition_->trouble();
  if (remote_.empty()) return told;
  if (told.empty()) told = remote_ + " does not answer";
  return "store.redis: cannot use Redis: " + told + " (" + std::string(advice_for(told)) + ")";
}

task<bool> store_watch::ask() {
  const std::weak_ptr<bool> living = living_;
  asked_ms_ = time_.steady_ms();
  task<result<std::optional<std::int64_t>>> asking = data_.last_heartbeat(instance_);
  const result<std::optional<std::int64_t>> answer = co_await asking;
  if (living.expired()) co_return false;
  asked_ms_ = -1;
  failed_ = !answer;
  co_return !failed_;
}

task<void> store_watch::ask_on() {
  const std::weak_ptr<bool> living = living_;
  task<bool> asking = ask();
  co_await asking;
  if (!living.expired()) ask_later();
}

void store_watch::ask_later() {
  next_ = timers_.after(interval, [this] { ask_on().detach(); });
}

}  // namespace roombus::server
