// Removals where several instances share the rooms: who they concern, and when they are acknowledged.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/cluster/log_entry.hpp"
#include "tests/support/cluster_fakes.hpp"
#include "tests/support/hooked_fixture.hpp"

namespace roombus::test {
namespace {

using texts = std::vector<std::string>;

/// A device's: the room's events come from whoever publishes them.
class device_sink final : public connection_sink {
 public:
  void deliver(const shared_event& e) override {
    events.push_back(std::string(e->name()) + json::write(value(value_list(e->args()))));
  }
  void close(close_reason /*reason*/) override {}
  [[nodiscard]] std::string reads() const override { return "shared json"; }
  texts take() { return std::exchange(events, {}); }

  texts events;
};

class cluster_removals_test : public hooked_fixture {
 protected:
  cluster_removals_test() {
    room_settings settings = chat.default_room_settings();
    settings.owner = user_name("alice");
    add_room("den", std::move(settings));
    chat.set_cluster({log_store, bus, devices, ownership});
    chat.set_broadcaster(&broker);
    data->amend_begun = [this](begun_join& begun) { begun.at = {epoch, sequence}; };
    data->amend_joined = [this](joined& outcome) { outcome.at = {epoch, outcome.newly ? ++sequence : sequence}; };
    data->amend_change = [this](access_change& change) {
      room_entry e;
      e.kind = room_entry_kind::list_edited;
      e.removed = change.removed;
      e = numbered(std::move(e));
      change.at = e.position();
      edits.push_back(e);
      std::exchange(before_the_answer, [] {})();
      if (is_told) log_store.sink->on_own_entry(room_name("den"), std::move(e), publishing_turn());
    };
    auto started = chat.start(value_map());
    EXPECT_TRUE(started.done());
    EXPECT_TRUE(started.take().has_value());
  }

  room_entry numbered(room_entry e) {
    e.sequence = ++sequence;
    e.epoch = epoch;
    e.origin = chat.incarnation();
    return e;
  }
  room_entry removal(const std::string& of, std::uint64_t at, const std::string& origin = "other~1") {
    room_entry e;
    e.kind = room_entry_kind::list_edited;
    e.sequence = at;
    e.epoch = epoch;
    e.origin = origin;
    e.removed = {{user_name(user_of(of)), {connection_id(of)}}};
    return e;
  }
  /// The publisher tells all of it.
  void hear(const room_entry& e) {
    value_map body{{"t", value("removed")}};
    body.append("room", value("den"));
    body.append("entry", value(entry_to_map(e)));
    bus.on.on_message(std::move(body));
    timers.run_posted();
  }
  void hear_fall() {
    value_map fall{{"t", value("fall")}};
    fall.append("i", value("other~1"));
    bus.on.on_message(std::move(fall));
  }
  std::shared_ptr<device_sink> connect_device(const std::string& id) {
    auto sink = std::make_shared<device_sink>();
    auto done = chat.connect(user_name(user_of(id)), connection_id(id), sink, true);
    EXPECT_TRUE(done.take().has_value());
    return sink;
  }
  /// Joined at another instance.
  void join_elsewhere(const std::string& id) {
    connection_record record;
    record.user = user_name(user_of(id));
    record.id = connection_id(id);
    record.instance = "other~1";
    ASSERT_TRUE(real->connect(record, 10).take().has_value());
    join_request joining;
    joining.room = room_name("den");
    joining.user = record.user;
    joining.id = record.id;
    ASSERT_TRUE(real->confirm_join(joining, history_request()).take().has_value());
  }
  std::string join(const std::string& id) { return run(id, "roomJoin", R"(["den"])"); }
  task<reply> ban(const std::string& name) {
    return begin("alice", "roomAddToList", R"(["den","blacklist",[")" + name + R"("]])");
  }

  fake_cluster_store log_store;
  fake_bus bus;
  fake_devices devices;
  fake_ownership ownership;
  recording_broadcaster broker;
  std::string epoch = "e1";
  std::uint64_t sequence = 0;
  std::vector<room_entry> edits;
  std::function<void()> before_the_answer = [] {};
  bool is_told = true;
};

// ---- who is concerned

TEST_F(cluster_removals_test, one_of_before_the_join_does_not_put_a_device_out_again) {
  const auto dev = connect_device("dev1");
  sequence = 4;  // put out at 3, and let in again at 4
  EXPECT_EQ(join("dev1"), "[1]");
  hear(removal("dev1", 3));
  EXPECT_EQ(broker.withdrawn, texts{});
  EXPECT_EQ(dev->take(), texts{}) << "it would believe that it is out";
  EXPECT_EQ(bus.take().back(), "other~1 confirmed ") << "whoever did it waits for that";
  hear(removal("dev1", 6));
  EXPECT_EQ(broker.withdrawn, texts{"den dev1"});
  EXPECT_EQ(dev->take(), texts{R"(roomAccessRemoved["den"])"});
}

TEST_F(cluster_removals_test, one_of_an_earlier_room_of_the_name_does_not_either) {
  connect_device("dev1");
  epoch = "e2";
  EXPECT_EQ(join("dev1"), "[1]");
  epoch = "e1";
  hear(removal("dev1", 300));
  EXPECT_EQ(broker.withdrawn, texts{});
}

TEST_F(cluster_removals_test, who_was_taken_over_stays_for_what_it_had_joined_after) {
  auto sink = std::make_shared<device_sink>();
  ASSERT_TRUE(chat.adopt(user_name("dev"), connection_id("dev1"), sink, {{room_name("den"), {"e1", 5}}}));
  hear(removal("dev1", 3));
  EXPECT_EQ(broker.withdrawn, texts{});
  hear(removal("dev1", 6));
  EXPECT_EQ(broker.withdrawn, texts{"den dev1"});
}

TEST_F(cluster_removals_test, joining_again_grants_again_and_counts_from_then_on) {
  connect_device("dev1");
  EXPECT_EQ(join("dev1"), "[1]");
  sequence = 4;
  EXPECT_EQ(join("dev1"), "[1]");
  EXPECT_EQ(broker.take(), (texts{"grant den dev1", "grant den dev1"}));
  hear(removal("dev1", 3));
  EXPECT_EQ(broker.withdrawn, texts{});
  broker.failing = "grant";
  EXPECT_EQ(join("dev1"), "timeout[]");
  EXPECT_EQ(broker.take(), texts{"grant den dev1"}) << "the earlier join stands";
}

// ---- when they are acknowledged

TEST_F(cluster_removals_test, each_is_acknowledged_for_itself) {
  connect("alice");
  join_elsewhere("bob");
  join_elsewhere("cid");
  auto first = ban("bob");
  auto second = ban("cid");
  hear(edits.at(0));
  EXPECT_EQ(outcome(first), "[null]");
  EXPECT_EQ(outcome(second), "running");
  timers.advance(std::chrono::seconds(60));
  EXPECT_EQ(outcome(second), "timeout[]") << "nobody has published it";
}

TEST_F(cluster_removals_test, one_whose_answer_comes_after_the_instance_fell_is_not_acknowledged) {
  connect("alice");
  join_elsewhere("bob");
  before_the_answer = [this] { hear_fall(); };
  auto edit = ban("bob");
  EXPECT_EQ(outcome(edit), "timeout[]");
}

TEST_F(cluster_removals_test, one_that_waits_when_the_instance_falls_is_not_acknowledged_and_nobody_is_to_blame) {
  connect("alice");
  join_elsewhere("bob");
  log_store.lives_by_name["other~1"] = {"other~1", "1"};
  auto edit = ban("bob");
  hear(edits.at(0));
  EXPECT_EQ(outcome(edit), "running") << "the other has not confirmed";
  hear_fall();
  EXPECT_EQ(outcome(edit), "timeout[]");
  for (const std::string& line : log.lines)
    EXPECT_EQ(line.find("did not confirm"), std::string::npos) << line;
}

TEST_F(cluster_removals_test, one_whose_place_is_not_known_is_not_acknowledged) {
  connect("alice");
  join_elsewhere("bob");
  is_told = false;
  auto edit = ban("bob");
  EXPECT_EQ(outcome(edit), "timeout[]");
}

TEST_F(cluster_removals_test, one_that_is_heard_of_before_the_answer_to_the_join_counts) {
  const auto dev = connect_device("dev1");
  data->after = [this](std::string operation) -> result<void> {
    if (operation == "confirm_join") hear(removal("dev1", sequence + 1));
    return {};
  };
  EXPECT_EQ(join("dev1"), "notAllowed[]");
  EXPECT_EQ(broker.take().back(), "revoke den dev1");
}

// ---- what was not heard

TEST_F(cluster_removals_test, the_sync_methods_put_out_whom_the_store_has_put_out) {
  const auto dev = connect_device("dev1");
  for (const char* method : {"roomStateSync", "userStateSync"}) {
    EXPECT_EQ(join("dev1"), "[1]");
    actor service_itself(user_name(), true);
    ASSERT_TRUE(real->edit_list(room_name("den"), service_itself, "blacklist", true, {user_name("dev")}, 10).take());
    const std::string what = method == std::string("roomStateSync") ? "den" : "dev";
    EXPECT_EQ(shown(api(method, "[\"" + what + "\"]")), "[null]");
    EXPECT_EQ(dev->take(), texts{R"(roomAccessRemoved["den"])"}) << method;
    EXPECT_EQ(std::exchange(broker.withdrawn, {}), texts{"den dev1"});
    ASSERT_TRUE(real->edit_list(room_name("den"), service_itself, "blacklist", false, {user_name("dev")}, 10).take());
  }
}

}  // namespace
}  // namespace roombus::test
