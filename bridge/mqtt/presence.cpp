#include "bridge/mqtt/presence.hpp"

#include <algorithm>

namespace roombus::mqtt {

presence_change presence::on_sign(sign s, std::int64_t now_ms) {
  if (attested_) return presence_change::none;
  unseen_ = false;
  if (s == sign::offline) {
    // what comes after must announce itself anew, or keep sending
    born_ = false;
    idles_out_at_ = now_ms + times_->idle_timeout.count();
    if (connected_ && !leaves_at_) leaves_at_ = now_ms + times_->offline_grace.count();
    return presence_change::none;
  }
  if (s == sign::online || s == sign::online_retained) born_ = true;
  if (s == sign::online_retained) {
    if (!connected_) probation_ends_at_ = now_ms + times_->reconnect_grace.count();
  } else {
    leaves_at_.reset();
    probation_ends_at_.reset();
    idles_out_at_ = now_ms + times_->idle_timeout.count();
    shown_since_down_ = true;
  }
  if (connected_) return presence_change::none;
  connected_ = true;
  return presence_change::connect;
}

void presence::on_link_down() {
  link_up_ = false;
  shown_since_down_ = false;
  probation_ends_at_.reset();
}

void presence::on_link_up(std::int64_t now_ms) {
  if (link_up_) return;
  link_up_ = true;
  if (!connected_ || attested_) return;
  if (!shown_since_down_) probation_ends_at_ = now_ms + times_->reconnect_grace.count();
  idles_out_at_ = now_ms + times_->idle_timeout.count();
}

presence_change presence::on_tick(std::int64_t now_ms) {
  const std::optional<std::int64_t> at = deadline();
  if (!at || now_ms < *at) return presence_change::none;
  on_ended();
  return presence_change::disconnect;
}

presence_change presence::on_attested() {
  const bool was_connected = connected_;
  on_ended();
  attested_ = true;
  connected_ = true;
  return was_connected ? presence_change::none : presence_change::connect;
}

void presence::on_taken_over(bool sure, std::int64_t now_ms) {
  on_ended();
  connected_ = true;
  unseen_ = true;
  if (!sure) probation_ends_at_ = now_ms + times_->reconnect_grace.count();
  idles_out_at_ = now_ms + times_->idle_timeout.count();
}

void presence::on_ended() {
  connected_ = false;
  attested_ = false;
  born_ = false;
  unseen_ = false;
  leaves_at_.reset();
  probation_ends_at_.reset();
}

std::optional<std::int64_t> presence::deadline() const {
  if (!connected_ || attested_) return std::nullopt;
  std::optional<std::int64_t> at = leaves_at_;
  const auto consider = [&at](std::int64_t other) { at = at ? std::min(*at, other) : other; };
  if (probation_ends_at_) consider(*probation_ends_at_);
  if (!born_ && link_up_) consider(idles_out_at_);
  return at;
}

}  // namespace roombus::mqtt
