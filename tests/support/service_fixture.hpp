#pragma once

// A service over the memory store with sinks that note what they get; everything in one thread and one call.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/memory/memory_store.hpp"
#include "core/service.hpp"
#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/meddling_store.hpp"
#include "tests/support/proves.hpp"

namespace roombus::test {

/// Notes each notification as `name[args as JSON]`.
class recording_sink final : public connection_sink {
 public:
  void deliver(const shared_event& e) override {
    events.push_back(std::string(e->name()) + json::write(value(value_list(e->args()))));
  }
  void close(close_reason reason) override { closed.push_back(reason); }

  /// What came since the last call.
  std::vector<std::string> take() { return std::exchange(events, {}); }

  std::vector<std::string> events;
  std::vector<close_reason> closed;
};

/// Sinks by connection id, and commands in short form.
class service_fixture : public ::testing::Test {
 protected:
  explicit service_fixture(chat_options options = all_on(), chat_limits limits = {})
      : chat(options, limits, "instance", service::environment{*data, time, random, timers, log, metrics}) {
    time.wall = 1000;
  }

  static chat_options all_on() {
    chat_options options;
    options.enable_access_lists_updates = true;
    options.enable_userlist_updates = true;
    options.enable_direct_messages = true;
    options.enable_rooms_management = true;
    return options;
  }

  /// Connection `id` of the user whose name is `id` up to a digit: "alice1" is a connection of alice.
  static std::string user_of(const std::string& id) { return id.substr(0, id.find_first_of("0123456789")); }

  void connect(const std::string& id) {
    sinks[id] = std::make_shared<recording_sink>();
    auto done = chat.connect(user_name(user_of(id)), connection_id(id), sinks[id]);
    ASSERT_TRUE(done.done());
    ASSERT_TRUE(done.take().has_value());
  }

  void disconnect(const std::string& id) {
    auto done = chat.disconnect(connection_id(id));
    ASSERT_TRUE(done.done());
    done.take();
  }

  reply run(call c) {
    auto pending = chat.execute(std::move(c));
    EXPECT_TRUE(pending.done());
    return pending.take();
  }

  /// Runs a command with arguments as a JSON list; answers results as a JSON list, or the error as `code[args]`.
  std::string run(const std::string& id, const std::string& command, const std::string& args) {
    call c;
    c.user = user_name(user_of(id));
    c.id = connection_id(id);
    c.command = command;
    c.args = *json::read(args, codec_limits{})->if_list();
    return shown(run(std::move(c)));
  }

  static std::string shown(const reply& answer) {
    if (answer) return json::write(value(*answer));
    return std::string(answer.error().code_name()) + json::write(value(answer.error().args()));
  }

  void add_room(const std::string& name, room_settings settings) {
    auto done = chat.add_room(room_name(name), std::move(settings));
    ASSERT_TRUE(done.take().has_value());
  }

  std::vector<std::string> take(const std::string& id) { return sinks.at(id)->take(); }
  void forget_events() {
    for (auto& [id, sink] : sinks)
      sink->take();
  }

  fake_clock time;
  fake_random random;
  fake_scheduler timers{time};
  recording_log log;
  metrics_registry metrics;
  std::unique_ptr<store> real = make_memory_store(time);
  /// What the service sees: `real`, unless a test says otherwise.
  std::unique_ptr<meddling_store> data = std::make_unique<meddling_store>(*real);
  service chat;
  std::map<std::string, std::shared_ptr<recording_sink>> sinks;
};

}  // namespace roombus::test
