// Start, heartbeats, recovery of dead instances, and close.

#include <utility>

#include "core/hook_call.hpp"
#include "core/service_impl.hpp"

namespace roombus {

task<result<void>> service::impl::start(value_map info) {
  result<void> started = co_await prepare_start(std::move(info));
  if (!started) {
    state_ = state::closed;
    events.emit("closed", value_map{{"error", value(started.error().code_name())}});
    co_return started;
  }
  beat_later();
  events.emit("ready", value_map{{"instance", value(instance)}});
  co_return started;
}

task<result<void>> service::impl::prepare_start(value_map info) {
  if (hooks.on_start) {
    std::optional<result<void>> agreed = co_await ask_hook(env.log, "onStart", hooks.on_start, std::move(info));
    if (!agreed) co_return chat_error(errc::internal_error, {value("internal fault")});
    if (!*agreed) co_return std::move(*agreed);
  }
  if (cluster_) {
    result<void> entered = co_await cluster_->start();
    co_return entered;
  }
  // what an earlier life of this instance left behind, first: nobody else will do it while we live
  result<void> recovered = co_await recover_instance(instance);
  if (!recovered) co_return recovered;
  auto alive = co_await env.data.heartbeat(instance, env.time.now_ms());
  co_return alive;
}

void service::impl::beat_later() {
  heartbeat_ = env.timers.after(options.heartbeat_rate, [this] {
    beat_later();
    beat().detach();
  });
}

task<void> service::impl::beat() {
  if (cluster_) {
    co_await finish_ends();
    co_return;
  }
  auto alive = co_await env.data.heartbeat(instance, env.time.now_ms());
  if (!alive) {
    env.log.write(log_level::error, "heartbeat_failed", std::string(alive.error().code_name()));
    co_return;
  }
  co_await finish_ends();
  co_await recover_dead_instances();
}

task<void> service::impl::recover_dead_instances() {
  auto known = co_await env.data.instances();
  if (!known) co_return;
  for (const std::string& other : *known) {
    if (other == instance || state_ != state::open) continue;
    auto last = co_await env.data.last_heartbeat(other);
    if (!last || !*last || env.time.now_ms() - **last <= options.heartbeat_timeout.count()) continue;
    env.log.write(log_level::warning, "instance_dead", "instance " + other + " gave no sign of life, it is recovered");
    auto recovered = co_await recover_instance(other);
    if (!recovered) env.log.write(log_level::error, "recovery_failed", "instance " + other);
  }
}

void service::impl::finish_one() {
  --running_;
  if (state_ != state::closing || running_ > 0) return;
  // a turn later, so that the reply of what has just finished still finds its client
  env.timers.post([drained = drained_, idle = idle_, last = hub.size() == 0] {
    drained.complete(true);
    if (last) idle.complete(true);
  });
}

task<result<void>> service::impl::close() {
  if (state_ != state::open) co_return result<void>{};
  state_ = state::closing;
  heartbeat_.cancel();
  timer_handle limit = env.timers.after(options.close_timeout, [drained = drained_, idle = idle_] {
    drained.complete(false);
    idle.complete(false);
  });
  bool in_time = true;
  if (running_ > 0) in_time = co_await drained_;
  if (cluster_) co_await cluster_->hand_over();
  hub.for_each([](local_connection& connection) { connection.sink->close(close_reason::server_shutdown); });
  if (hub.size() > 0) {
    const bool ended = co_await idle_;
    in_time = in_time && ended;
  }
  limit.cancel();
  if (cluster_) co_await cluster_->stop(options.close_timeout / 2);
  state_ = state::closed;

  std::optional<chat_error> error;
  if (!in_time) error = chat_error(errc::timeout);
  if (hooks.on_close) {
    std::optional<result<void>> closed = co_await ask_hook(env.log, "onClose", hooks.on_close, error);
    if (!closed) closed.emplace(chat_error(errc::internal_error, {value("internal fault")}));
    if (!*closed && !error) error = closed->error();
  }
  value_map data;
  if (error) data.append("error", value(error->code_name()));
  events.emit("closed", std::move(data));
  if (error) co_return std::move(*error);
  co_return result<void>{};
}

}  // namespace roombus
