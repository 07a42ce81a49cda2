#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "schemas/codec/cbor.hpp"
#include "tests/adapters/redis/redis_driver.hpp"
#include "tests/adapters/redis/redis_process.hpp"

namespace roombus::test {

/// Appends in a loop, some at a time, and keeps what came of each.
class append_load {
 public:
  append_load(redis_driver& driver, std::vector<std::string> rooms) : driver_(driver), rooms_(std::move(rooms)) {}

  void start(std::size_t at_a_time) {
    for (std::size_t i = 0; i < at_a_time; ++i)
      work(rooms_[i % rooms_.size()]).detach();
  }
  void stop() { stopping_ = true; }
  [[nodiscard]] bool idle() const { return under_way_ == 0; }

  std::uint64_t stored = 0;
  std::uint64_t unavailable = 0;
  std::uint64_t unknown = 0;
  std::uint64_t others = 0;

  /// What is wrong with the histories: "" when every acked message is in its room's once and with its id, no other
  /// message is there twice, none that was refused is there, and ids have no holes.
  std::string check() {
    std::string faults;
    for (const std::string& room : rooms_) {
      history_request all;
      all.limit = 1'000'000;
      auto reading = driver_.data().read_history(room_name(room), actor(user_name(), true), std::move(all));
      if (!driver_.run_until([&] { return reading.done(); })) return "no answer";
      const result<history_page> page = reading.take();
      if (!page) return "no history";
      std::map<std::string, std::uint64_t> id_of;
      std::uint64_t next = page->position.last_message_id;
      for (const value& message : page->messages) {
        const value decoded = cbor::materialize(message);
        const std::uint64_t id = *decoded.if_map()->find("id")->floor_to_uint();
        const std::string text = *decoded.if_map()->find("textMessage")->if_text();
        if (id != next--) faults += room + ": a hole at " + std::to_string(id) + "\n";
        if (!id_of.emplace(text, id).second) faults += room + ": twice: " + text + "\n";
        if (refused_.contains(text)) faults += room + ": refused, but there: " + text + "\n";
      }
      for (const auto& [text, id] : acked_[room]) {
        auto it = id_of.find(text);
        if (it == id_of.end()) {
          faults += room + ": lost: " + text + "\n";
        } else if (it->second != id) {
          faults += room + ": another id: " + text + "\n";
        }
      }
    }
    return faults;
  }

 private:
  task<void> work(std::string room) {
    ++under_way_;
    while (!stopping_) {
      const std::string text = room + "-" + std::to_string(++count_);
      const value_map message = store_operations::body(text);
      append_request request;
      request.room = room_name(room);
      request.by = actor(user_name(), true);
      request.message = &message;
      request.now_ms = driver_.time.now_ms();
      task<result<appended>> appending = driver_.data().append(std::move(request));
      const result<appended> done = co_await appending;
      if (done) {
        ++stored;
        acked_[room][text] = done->id;
      } else if (done.error().code() == errc::unavailable) {
        ++unavailable;
        refused_.insert(text);
      } else if (done.error().code() == errc::timeout) {
        ++unknown;
      } else {
        ++others;
      }
      completion<bool> turn;  // a store that refuses at once must not keep the loop busy for ever
      driver_.live.loop.post([turn] { turn.complete(true); });
      co_await turn;
    }
    --under_way_;
  }

  redis_driver& driver_;
  std::vector<std::string> rooms_;
  bool stopping_ = false;
  std::size_t under_way_ = 0;
  std::uint64_t count_ = 0;
  std::map<std::string, std::map<std::string, std::uint64_t>> acked_;
  std::set<std::string> refused_;
};

/// Redis is killed three times under the load, and comes back: nothing is lost or doubled.
inline void survive_kills(append_load& appends, redis_driver& driver, redis_process& server) {
  appends.start(30);
  for (int round = 0; round < 3; ++round) {
    const std::uint64_t before = appends.stored;
    ASSERT_TRUE(driver.run_until([&] { return appends.stored > before + 300; }));
    server.kill();
    const std::uint64_t refused = appends.unavailable;
    // 30 are under way; the 31st began when Redis was away
    ASSERT_TRUE(driver.run_until([&] { return appends.unavailable + appends.unknown > refused + 30; }));
    server.start();
  }
  const std::uint64_t before = appends.stored;
  ASSERT_TRUE(driver.run_until([&] { return appends.stored > before + 300; }));
  appends.stop();
  ASSERT_TRUE(driver.run_until([&] { return appends.idle(); }));
  EXPECT_EQ(appends.check(), "");
  EXPECT_EQ(appends.others, 0U);
  EXPECT_GT(appends.unavailable, 0U);
}

}  // namespace roombus::test
