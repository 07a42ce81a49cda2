#pragma once

// A coroutine that starts at once and is awaited at most once.
//
// Eager on purpose: a task that needs nothing from outside (the memory store, no hooks) has finished when the call
// returns, `co_await` then takes its value without suspending, and neither stack nor latency grows. The core has no
// executor: a suspended task is resumed by whoever completes what it waits for (`completion`), on the core's one
// thread. Parameters are taken by value; see design §7 for the forms that g++ 12 miscompiles.

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

namespace roombus {

template <class T>
class task;

namespace detail {

struct task_promise_base {
  std::coroutine_handle<> continuation;
  bool detached = false;

  struct final_awaiter {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      task_promise_base& promise = self.promise();
      if (promise.continuation) return promise.continuation;
      if (promise.detached) self.destroy();
      return std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_never initial_suspend() noexcept { return {}; }
  final_awaiter final_suspend() noexcept { return {}; }
};

template <class T>
struct task_promise : task_promise_base {
  std::variant<std::monostate, T, std::exception_ptr> outcome;

  task<T> get_return_object();
  template <class U>
  void return_value(U&& v) {
    outcome.template emplace<1>(std::forward<U>(v));
  }
  void unhandled_exception() { outcome.template emplace<2>(std::current_exception()); }
  T take() {
    if (auto* failure = std::get_if<2>(&outcome)) std::rethrow_exception(*failure);
    return std::move(std::get<1>(outcome));
  }
};

template <>
struct task_promise<void> : task_promise_base {
  std::exception_ptr failure;

  task<void> get_return_object();
  void return_void() {}
  void unhandled_exception() { failure = std::current_exception(); }
  void take() const {
    if (failure) std::rethrow_exception(failure);
  }
};

}  // namespace detail

/// Result of a coroutine of the core. Destroying a task that has not finished lets it run on to its end by itself, and
/// drops its outcome; so work that matters is awaited, or reports its end itself.
template <class T = void>
class [[nodiscard]] task {
 public:
  using promise_type = detail::task_promise<T>;

  explicit task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  task(task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  task& operator=(task&& other) noexcept {
    if (this != &other) {
      release();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~task() { release(); }

  /// True when the outcome is there.
  [[nodiscard]] bool done() const { return handle_.done(); }
  /// The outcome of a task that is done; rethrows what it threw. For tests and for callers that are no coroutines.
  T take() { return handle_.promise().take(); }
  /// Lets the task run by itself. An exception that it ends with is dropped.
  void detach() { release(); }

  auto operator co_await() noexcept {
    struct awaiter {
      std::coroutine_handle<promise_type> handle;
      [[nodiscard]] bool await_ready() const noexcept { return handle.done(); }
      void await_suspend(std::coroutine_handle<> waiting) noexcept { handle.promise().continuation = waiting; }
      T await_resume() { return handle.promise().take(); }
    };
    return awaiter{handle_};
  }

 private:
  void release() {
    if (!handle_) return;
    if (handle_.done()) {
      handle_.destroy();
    } else {
      handle_.promise().detached = true;
    }
    handle_ = nullptr;
  }

  std::coroutine_handle<promise_type> handle_;
};

namespace detail {
template <class T>
task<T> task_promise<T>::get_return_object() {
  return task<T>(std::coroutine_handle<task_promise>::from_promise(*this));
}
inline task<void> task_promise<void>::get_return_object() {
  return task<void>(std::coroutine_handle<task_promise>::from_promise(*this));
}
}  // namespace detail

/// What a coroutine waits for when the answer comes from outside (a store's thread, a broker, a timer). Copies share
/// one state; `complete` counts once and on the core's thread, later ones are dropped. One coroutine may wait.
template <class T>
class completion {
 public:
  completion() : state_(std::make_shared<state>()) {}

  /// Hands over the value and resumes the waiting coroutine within the call. False when it was complete already.
  bool complete(T v) const {
    if (state_->outcome) return false;
    state_->outcome.emplace(std::move(v));
    if (auto waiting = std::exchange(state_->waiting, nullptr)) waiting.resume();
    return true;
  }
  [[nodiscard]] bool is_complete() const { return state_->outcome.has_value(); }

  auto operator co_await() const noexcept {
    struct awaiter {
      std::shared_ptr<state> shared;  // keeps the state while the coroutine waits, whoever else lets go
      [[nodiscard]] bool await_ready() const noexcept { return shared->outcome.has_value(); }
      void await_suspend(std::coroutine_handle<> waiting) noexcept { shared->waiting = waiting; }
      T await_resume() { return std::move(*shared->outcome); }
    };
    return awaiter{state_};
  }

 private:
  struct state {
    std::optional<T> outcome;
    std::coroutine_handle<> waiting;
  };
  std::shared_ptr<state> state_;  // shared by the one who waits and the one who answers
};

}  // namespace roombus
