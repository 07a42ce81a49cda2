// Logins that the broker's plugin cannot judge by itself: the onConnect hook does.

#include <exception>
#include <optional>
#include <utility>

#include "bridge/mqtt/bridge_impl.hpp"
#include "core/device_login.hpp"

namespace roombus::mqtt {

namespace {

bool is_without_answer(const chat_error& error) {
  return error.code() == errc::unavailable || error.code() == errc::timeout || error.code() == errc::rate_limited;
}

}  // namespace

void bridge::impl::on_login_question(plugin_question q) {
  // of several instances the one answers that will serve the device
  if (stopping_ || !is_owned(q.user + "/" + q.client)) return;
  if (judging_ >= options_.max_logins_asked) return plugin_->settle(q.id, plugin_verdict::unavailable, {});
  judge_login(shared_from_this(), std::move(q)).detach();
}

task<void> bridge::impl::judge_login(std::shared_ptr<impl> self, plugin_question q) {
  device_credentials shown;
  shown.user = std::move(q.user);
  shown.client = std::move(q.client);
  shown.password = std::move(q.password);
  shown.address = std::move(q.address);
  const std::string about = shown.user + "/" + shown.client + " from " + shown.address + ": ";
  plugin_verdict how = plugin_verdict::rejected;
  payload::login_limits limits;
  ++self->judging_;
  try {
    result<login> who = co_await ask_about_device(self->env_.chat, self->env_.log, std::move(shown));
    if (who) {
      limits.rights = std::move(who->rights);
      limits.expires_at_ms = who->expires_at_ms;
      const bool over = limits.expires_at_ms && *limits.expires_at_ms <= self->env_.time.now_ms();
      how = over ? plugin_verdict::rejected : plugin_verdict::accepted;
    } else if (is_without_answer(who.error())) {
      how = plugin_verdict::unavailable;
    }
    if (!who)
      self->env_.log.write(log_level::info, "device_login_refused", about + std::string(who.error().code_name()));
  } catch (const std::exception&) {
    how = plugin_verdict::unavailable;  // for want of memory; a hook's own faults are answers already
  }
  --self->judging_;
  if (self->plugin_) self->plugin_->settle(q.id, how, limits);
}

}  // namespace roombus::mqtt
