#include "core/remote_hooks.hpp"

#include <algorithm>
#include <utility>

#include "core/hook_bodies.hpp"

namespace roombus {

std::string_view to_text(hook_failure failure) {
  switch (failure) {
    case hook_failure::timeout:
      return "timeout";
    case hook_failure::unreachable:
      return "unreachable";
    case hook_failure::refused:
      return "refused";
    case hook_failure::malformed:
      return "malformed";
    case hook_failure::too_large:
      return "too_large";
    case hook_failure::overload:
      return "overload";
    case hook_failure::circuit_open:
      return "circuit_open";
    case hook_failure::count:
      break;
  }
  return "";
}

namespace {

constexpr std::int64_t log_pause_ms = 1'000;  // between two lines about failures of one hook

std::string label(std::string_view key, std::string_view text) {
  return std::string(key) + "=\"" + std::string(text) + '"';
}

}  // namespace

class remote_hooks::impl {
 public:
  /// One listed hook.
  struct entry {
    const hook_name* name = nullptr;
    hook_policy policy = hook_policy::reject;
    counter* calls = nullptr;
    counter* milliseconds = nullptr;
    counter* circuit_opened = nullptr;
    circuit_breaker breaker;  ///< of its own: what makes one hook fail, strangers logging in say, stops no other
    std::int64_t next_log_ms = INT64_MIN;
    std::uint64_t unlogged = 0;
  };

  using self_ptr = std::shared_ptr<impl>;

  impl(remote_hooks_options given, environment env) : options(std::move(given)), env_(env) {
    const std::string transport = label("transport", options.transport);
    for (std::size_t i = 0; i < failures_.size(); ++i) {
      failures_[i] = &env.metrics.add_counter("roombus_hook_failures_total",
                                              "Calls of hooks outside of the process that gave no answer, by reason.",
                                              transport + "," + label("reason", to_text(static_cast<hook_failure>(i))));
    }
    for (const std::string& text : options.hooks) {
      entry one;
      one.name = find_hook(text);
      if (one.name == nullptr) continue;  // the configuration knows better
      const auto own = options.policy.find(text);
      one.policy = own == options.policy.end() ? options.on_failure : own->second;
      const std::string labels = transport + "," + label("hook", text);
      one.calls =
          &env.metrics.add_counter("roombus_hook_calls_total", "Calls of hooks outside of the process.", labels);
      one.breaker = circuit_breaker(options.breaker);
      entries.push_back(one);
    }
    for (entry& one : entries) {
      one.milliseconds =
          &env.metrics.add_counter("roombus_hook_milliseconds_total", "Time spent waiting for hooks, ms.",
                                   transport + "," + label("hook", one.name->text));
    }
    for (entry& one : entries) {
      one.circuit_opened = &env.metrics.add_counter(
          "roombus_hook_circuit_opened_total", "Times that a hook was not asked any more, after failures in a row.",
          transport + "," + label("hook", one.name->text));
    }
  }

  [[nodiscard]] bool rejects(std::size_t at) const { return entries[at].policy == hook_policy::reject; }

  /// The answer, or nothing after a failure, which is then counted and logged.
  static task<std::optional<value_map>> ask(self_ptr self, std::size_t at, value_map body) {
    entry& one = self->entries[at];
    one.calls->add();
    const std::int64_t begin = self->env_.time.steady_ms();
    if (!one.breaker.admit(begin)) {
      self->note_failure(at, hook_failure::circuit_open, "too many failures in a row");
      co_return std::nullopt;
    }
    std::string name = one.name->text;
    hook_outcome outcome = co_await self->env_.caller.call(std::move(name), std::move(body));
    const std::int64_t end = self->env_.time.steady_ms();
    self->entries[at].milliseconds->add(static_cast<std::uint64_t>(std::max<std::int64_t>(0, end - begin)));
    if (outcome.answer) {
      if (self->entries[at].breaker.succeeded()) self->log_circuit(at, "answers again");
      co_return std::move(outcome.answer);
    }
    self->failed(at, outcome.failure, outcome.detail);
    co_return std::nullopt;
  }

  /// An answer that came and cannot be used.
  void malformed(std::size_t at, const std::string& problem) { note_failure(at, hook_failure::malformed, problem); }

  static task<hook_answer> command(self_ptr self, std::size_t at, value_map body) {
    std::optional<value_map> answer = co_await ask(self, at, std::move(body));
    std::optional<hook_answer> out;
    if (answer) {
      std::string problem;
      out = hook_bodies::read_answer(std::move(*answer), problem);
      if (!out) self->malformed(at, problem);
    }
    if (!out) {
      out.emplace();
      if (self->entries[at].name->kind == hook_kind::before && self->rejects(at)) {
        out->error = chat_error(errc::unavailable);
      }
    }
    co_return std::move(*out);
  }

  static task<result<void>> verdict(self_ptr self, std::size_t at, value_map body) {
    std::optional<value_map> answer = co_await ask(self, at, std::move(body));
    if (answer) {
      std::string problem;
      std::optional<result<void>> out = hook_bodies::read_verdict(*answer, problem);
      if (out) co_return std::move(*out);
      self->malformed(at, problem);
    }
    if (self->entries[at].name->kind == hook_kind::on_close || !self->rejects(at)) co_return result<void>();
    co_return chat_error(errc::unavailable);
  }

  static task<void> notice(self_ptr self, std::size_t at, value_map body) {
    std::optional<value_map> answer = co_await ask(self, at, std::move(body));
    (void)answer;  // nobody is there to get an error
  }

  static task<result<login>> who(self_ptr self, std::size_t at, value_map body) {
    std::optional<value_map> answer = co_await ask(self, at, std::move(body));
    if (answer) {
      std::string problem;
      std::optional<result<login>> out = hook_bodies::read_login(std::move(*answer), problem);
      if (out) co_return std::move(*out);
      self->malformed(at, problem);
    }
    co_return chat_error(self->rejects(at) ? errc::unavailable : errc::no_login);
  }

  remote_hooks_options options;
  std::vector<entry> entries;

 private:
  void failed(std::size_t at, hook_failure why, const std::string& detail) {
    entry& one = entries[at];
    if (why == hook_failure::overload) {
      one.breaker.undecided();  // a full queue is our own: it says nothing about who is asked
    } else if (one.breaker.failed(env_.time.steady_ms())) {
      one.circuit_opened->add();
      log_circuit(at, "is not asked for a while, after failures in a row");
    }
    note_failure(at, why, detail);
  }

  void note_failure(std::size_t at, hook_failure why, const std::string& detail) {
    failures_[static_cast<std::size_t>(why)]->add();
    entry& one = entries[at];
    const std::int64_t now = env_.time.steady_ms();
    if (now < one.next_log_ms) {
      ++one.unlogged;
      return;
    }
    one.next_log_ms = now + log_pause_ms;
    std::string text = one.name->text + " over " + options.transport + ": " + std::string(to_text(why));
    if (!detail.empty()) text += ", " + detail;
    if (one.unlogged > 0) text += " (and " + std::to_string(std::exchange(one.unlogged, 0)) + " more before)";
    env_.log.write(log_level::warning, "hook_failed", text);
  }

  void log_circuit(std::size_t at, const std::string& text) {
    env_.log.write(log_level::warning, "hook_circuit",
                   entries[at].name->text + " over " + options.transport + " " + text);
  }

  environment env_;
  std::array<counter*, static_cast<std::size_t>(hook_failure::count)> failures_{};
};

remote_hooks::remote_hooks(remote_hooks_options options, environment env)
    : impl_(std::make_shared<impl>(std::move(options), env)) {}

remote_hooks::~remote_hooks() = default;

void remote_hooks::add_to(service_hooks& to) {
  const std::shared_ptr<impl> self = impl_;
  for (std::size_t at = 0; at < self->entries.size(); ++at) {
    const hook_name& name = *self->entries[at].name;
    const std::string& text = name.text;
    switch (name.kind) {
      case hook_kind::before:
      case hook_kind::after: {
        auto& place = name.kind == hook_kind::before ? to.before : to.after;
        place[name.cmd->id] = [self, at, &text](const hook_context& context) {
          return impl::command(self, at, hook_bodies::command_call(text, self->options.instance, context));
        };
        break;
      }
      case hook_kind::on_connect:
        to.on_connect = [self, at](connection_id id, handshake shown) {
          return impl::who(self, at, hook_bodies::connect_call(self->options.instance, id, std::move(shown)));
        };
        break;
      case hook_kind::on_disconnect:
        to.on_disconnect = [self, at](ended_connection ended) {
          return impl::notice(self, at, hook_bodies::disconnect_call(self->options.instance, ended));
        };
        break;
      case hook_kind::on_join:
        to.on_join = [self, at](membership_change change) {
          return impl::verdict(self, at, hook_bodies::membership_call("onJoin", self->options.instance, change));
        };
        break;
      case hook_kind::on_leave:
        to.on_leave = [self, at](membership_change change) {
          return impl::notice(self, at, hook_bodies::membership_call("onLeave", self->options.instance, change));
        };
        break;
      case hook_kind::on_start:
        to.on_start = [self, at](value_map info) {
          return impl::verdict(self, at, hook_bodies::start_call(self->options.instance, info));
        };
        break;
      case hook_kind::on_close:
        to.on_close = [self, at](std::optional<chat_error> error) {
          return impl::verdict(self, at, hook_bodies::close_call(self->options.instance, error));
        };
        break;
      case hook_kind::room_messages_checker:
      case hook_kind::direct_messages_checker: {
        auto& place =
            name.kind == hook_kind::room_messages_checker ? to.room_messages_checker : to.direct_messages_checker;
        place = [self, at, &text](value message) {
          return impl::verdict(self, at, hook_bodies::checker_call(text, self->options.instance, std::move(message)));
        };
        break;
      }
    }
  }
}

}  // namespace roombus
