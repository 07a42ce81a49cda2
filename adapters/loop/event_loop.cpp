#include "adapters/loop/event_loop.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cstdlib>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

namespace roombus {

namespace asio = boost::asio;

struct event_loop::impl {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  asio::signal_set signals{context};
  std::function<void(int)> signal_handler;

  void wait_for_signal() {
    signals.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      signal_handler(number);
      wait_for_signal();
    });
  }
};

event_loop::event_loop() : impl_(std::make_unique<impl>()) {}
event_loop::~event_loop() = default;

timer_handle event_loop::after(std::chrono::milliseconds delay, std::function<void()> fn) {
  // shared: the pending wait and the handle both need the timer, and either may go first
  auto timer = std::make_shared<asio::steady_timer>(impl_->context, delay);
  auto cancelled = std::make_shared<bool>(false);
  timer->async_wait([timer, cancelled, run = std::move(fn)](const boost::system::error_code& error) {
    if (!error && !*cancelled) run();
  });
  std::weak_ptr<asio::steady_timer> weak = timer;
  return timer_handle([weak, cancelled] {
    *cancelled = true;
    if (auto pending = weak.lock()) pending->cancel();
  });
}

void event_loop::post(std::function<void()> fn) {
  asio::post(impl_->context, std::move(fn));
}

void event_loop::run() {
  impl_->context.run();
}

void event_loop::stop() {
  impl_->context.stop();
}

void event_loop::on_signal(std::function<void(int)> fn) {
  impl_->signal_handler = std::move(fn);
  for (int number : {SIGINT, SIGTERM, SIGHUP})
    impl_->signals.add(number);
  impl_->wait_for_signal();
}

asio::io_context& event_loop::context() {
  return impl_->context;
}

std::int64_t system_clock::now_ms() const {
  using namespace std::chrono;
  return duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::int64_t system_clock::steady_ms() const {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

void system_random::fill(std::span<std::uint8_t> bytes) {
  constexpr std::size_t pool_size = 4096;
  for (std::uint8_t& out : bytes) {
    if (used_ == pool_.size()) {
      pool_.resize(pool_size);
      std::size_t got = 0;
      while (got < pool_size) {
        const ssize_t n = getrandom(pool_.data() + got, std::min<std::size_t>(256, pool_size - got), 0);
        if (n < 0) std::abort();
        got += static_cast<std::size_t>(n);
      }
      used_ = 0;
    }
    out = std::exchange(pool_[used_++], 0);
  }
}

}  // namespace roombus
