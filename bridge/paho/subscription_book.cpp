#include "bridge/paho/subscription_book.hpp"

#include <algorithm>
#include <utility>

#include "core/utf8.hpp"

namespace roombus::mqtt {

std::uint64_t subscription_book::send(subscription what, bool ends) {
  paho_request r;
  r.id = ++last_id_;
  r.ends = ends;
  r.what = std::move(what);
  to_send_.push_back(std::move(r));
  return last_id_;
}

std::optional<bool> subscription_book::add(subscription wanted, done_handler& done) {
  if (!is_subscribable(wanted.filter)) return false;
  if (const auto it = kept_.find(wanted.filter); it != kept_.end()) {
    if (it->second.current) return true;
    it->second.waiting.push_back(std::move(done));
    return std::nullopt;
  }
  if (kept_.size() >= mqtt_link::max_subscriptions) return false;
  ended_away_.erase(wanted.filter);
  kept& k = kept_[wanted.filter];
  k.what = std::move(wanted);
  k.waiting.push_back(std::move(done));
  if (connected_) k.request = send(k.what, false);
  return std::nullopt;
}

std::vector<subscription_book::done_handler> subscription_book::remove(const std::string& filter) {
  const auto it = kept_.find(filter);
  if (it == kept_.end()) return {};
  std::vector<done_handler> waiting = std::move(it->second.waiting);
  subscription what = std::move(it->second.what);
  kept_.erase(it);
  if (connected_) {
    send(std::move(what), true);
  } else if (!clean_ && ended_away_.size() < mqtt_link::max_subscriptions) {
    ended_away_.insert(what.filter);
  }
  return waiting;
}

void subscription_book::connected() {
  disconnected();
  connected_ = true;
  for (const subscription& s : base_)
    base_requests_.insert(send(s, false));
  for (const std::string& filter : std::exchange(ended_away_, {})) {
    subscription s;
    s.filter = filter;
    send(std::move(s), true);
  }
  for (auto& [filter, k] : kept_)
    k.request = send(k.what, false);
}

void subscription_book::disconnected() {
  connected_ = false;
  const auto keep = [this](const paho_request& r) {
    if (r.ends && !clean_ && !kept_.contains(r.what.filter)) ended_away_.insert(r.what.filter);
  };
  for (const auto& [id, r] : on_the_way_)
    keep(r);
  for (const paho_request& r : to_send_)
    keep(r);
  on_the_way_.clear();
  to_send_.clear();
  base_requests_.clear();
  for (auto& [filter, k] : kept_)
    k.current = false;
}

std::vector<paho_request> subscription_book::take() {
  std::vector<paho_request> out;
  // refilled in halves, so that many go over to the other thread at once
  if (on_the_way_.size() > window_ / 2) return out;
  while (!to_send_.empty() && on_the_way_.size() < window_) {
    on_the_way_.emplace(to_send_.front().id, to_send_.front());
    out.push_back(std::move(to_send_.front()));
    to_send_.pop_front();
  }
  return out;
}

subscription_book::outcome subscription_book::answered(std::uint64_t id, bool refused) {
  outcome out;
  const auto sent = on_the_way_.find(id);
  if (sent == on_the_way_.end()) return out;
  const paho_request r = std::move(sent->second);
  on_the_way_.erase(sent);
  if (r.ends) return out;
  if (base_requests_.erase(id) > 0) {
    out.filter = r.what.filter;
    out.fatal = refused;
    return out;
  }
  const auto it = kept_.find(r.what.filter);
  if (it == kept_.end() || it->second.request != id) return out;  // ended meanwhile, perhaps begun again
  kept& k = it->second;
  out.filter = r.what.filter;
  if (refused && k.proven) {
    out.fatal = true;
    return out;
  }
  out.waiting = std::exchange(k.waiting, {});
  if (refused) {
    kept_.erase(it);
  } else {
    k.current = true;
    k.proven = true;
  }
  return out;
}

std::vector<subscription_book::done_handler> subscription_book::clear() {
  std::vector<done_handler> all;
  for (auto& [filter, k] : kept_)
    std::move(k.waiting.begin(), k.waiting.end(), std::back_inserter(all));
  disconnected();
  kept_.clear();
  base_.clear();
  ended_away_.clear();
  return all;
}

bool is_subscribable(std::string_view filter) {
  if (filter.empty() || filter.size() > 65535 || filter.find('\0') != std::string_view::npos) return false;
  if (!is_valid_utf8(filter)) return false;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    if (filter[i] != '+' && filter[i] != '#') continue;
    const bool begins = i == 0 || filter[i - 1] == '/';
    const bool ends = i + 1 == filter.size() || (filter[i] == '+' && filter[i + 1] == '/');
    if (!begins || !ends) return false;
  }
  return true;
}

}  // namespace roombus::mqtt
