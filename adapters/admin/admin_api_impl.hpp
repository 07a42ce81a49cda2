#pragma once

// Internal to adapters/admin: admin_api.cpp has routing and calls, room_stream.cpp the notifications of a room.

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "adapters/admin/admin_api.hpp"
#include "adapters/admin/api_answers.hpp"
#include "core/task.hpp"

namespace roombus::admin {

/// A request that was let in.
struct admitted {
  admitted() = default;
  http::request req;
  std::shared_ptr<http::responder> answer;  // shared: the connection waits for whoever holds it
  payload::encoding form = payload::encoding::json;
  api_access level = api_access::read;
};

class admin_api::impl final : public std::enable_shared_from_this<admin_api::impl> {
 public:
  impl(admin_options options, environment env);
  void start();
  /// Nothing of `env` is used afterwards.
  void detach();
  void take(http::request req, std::shared_ptr<http::responder> answer);

 private:
  void route(admitted a);
  void call(admitted a, std::string method);
  static task<void> run_call(std::shared_ptr<impl> self, admitted a, std::string method, value args);
  void stream_events(admitted a);
  /// Starts the answer of an event stream and keeps it; 0 when it cannot be had (then the answer is sent).
  std::uint64_t open_stream(const admitted& a, std::function<void()> ended);
  void on_event(const operator_event& e);

  // room_stream.cpp
  struct room_reader;
  void stream_room(admitted a, std::string encoded_room);
  static task<void> run_stream(std::shared_ptr<impl> self, admitted a, room_name room, std::uint64_t history);
  /// The last `count` messages, oldest first; or why there are none.
  static task<roombus::reply> last_messages(std::shared_ptr<impl> self, room_name room, std::uint64_t count);
  task<roombus::reply> ask(const char* command, value_list args);

  const admin_options options_;
  environment env_;
  event_streams streams_;
  event_history history_;
  std::set<std::uint64_t> event_readers_;
  std::uint64_t observer_ = 0;
  bool detached_ = false;
  counter& calls_;
  counter& failed_calls_;
  counter& refused_keys_;
};

}  // namespace roombus::admin
