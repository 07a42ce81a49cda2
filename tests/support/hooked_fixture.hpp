#pragma once

// A service with hooks, a broadcaster and a store that a test makes wait, answer or fail.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/service_fixture.hpp"

namespace roombus::test {

/// A task that is done.
template <class T>
task<T> at_once(T v) {
  co_return v;
}
inline task<void> at_once() {
  co_return;
}
/// A task that is done when the test says so.
template <class T>
task<T> later(completion<T> done) {
  T v = co_await done;
  co_return v;
}

inline value read_json(const std::string& text) {
  return *json::read(text, codec_limits{});
}
inline value_list read_list(const std::string& text) {
  return *read_json(text).if_list();
}

/// Notes grants, revocations and what is published; fails or waits as a test says.
class recording_broadcaster final : public room_broadcaster {
 public:
  void publish(const room_name& room, const shared_event& e) override {
    published.push_back(room.str() + " " + std::string(e->name()));
  }
  task<result<void>> grant(room_name room, connection_id id, log_position /*at*/) override {
    calls.push_back("grant " + room.str() + " " + id.str());
    return answer("grant");
  }
  task<result<void>> revoke(room_name room, connection_id id) override {
    calls.push_back("revoke " + room.str() + " " + id.str());
    return answer("revoke");
  }
  void withdraw(const room_name& room, const connection_id& id) override {
    withdrawn.push_back(room.str() + " " + id.str());
  }
  std::vector<std::string> take() { return std::exchange(calls, {}); }

  std::vector<std::string> calls;
  std::vector<std::string> withdrawn;
  std::vector<std::string> published;
  std::string failing;  ///< the operation that answers timeout

 private:
  task<result<void>> answer(std::string operation) {
    if (operation == failing) co_return chat_error(errc::timeout);
    co_return result<void>{};
  }
};

class hooked_fixture : public service_fixture {
 protected:
  using service_fixture::service_fixture;

  /// Starts a command and leaves it running.
  task<reply> begin(const std::string& id, const std::string& command, const std::string& args) {
    call c;
    c.user = user_name(user_of(id));
    c.id = connection_id(id);
    c.command = command;
    c.args = read_list(args);
    return chat.execute(std::move(c));
  }
  /// What a command that has come to its end answered; "running" before.
  static std::string outcome(task<reply>& pending) { return pending.done() ? shown(pending.take()) : "running"; }

  reply api(const std::string& method, const std::string& args) {
    auto pending = chat.call_api(method, read_json(args));
    EXPECT_TRUE(pending.done()) << method;
    return pending.take();
  }
  std::string asked(const std::string& method, const std::string& args) { return shown(api(method, args)); }

  /// Notes operator events as `name{fields}`.
  void observe() {
    chat.events().add([this](const operator_event& e) {
      observed.push_back(std::string(e.name) + json::write(value(value_map(e.data))));
    });
  }

  std::vector<std::string> observed;
};

}  // namespace roombus::test
