#include <gtest/gtest.h>

#include "tests/adapters/admin/admin_fixture.hpp"

namespace roombus::test {
namespace {

using std::chrono::milliseconds;

class admin_streams : public admin_fixture {
 protected:
  void emit(const std::string& name) { call("clusterBusEmit", "[\"" + name + "\",[1]]"); }

  /// Sends a message as the service; answers its id.
  void say(const std::string& text) {
    const std::string line =
        call("execUserCommand",
             R"({"bypassPermissions":true,"command":"roomMessage","args":["kitchen",{"t":")" + text + "\"}]}");
    ASSERT_TRUE(line.starts_with("200 ")) << line;
  }

  /// Names and data of the frames, one a line.
  static std::string frames(std::string text) {
    std::string out;
    for (std::size_t at = text.find("event: "); at != std::string::npos; at = text.find("event: ", at)) {
      const std::size_t name_end = text.find('\n', at);
      const std::size_t end = text.find("\n\n", at);
      out += text.substr(at + 7, name_end - at - 7) + " " + text.substr(name_end + 7, end - name_end - 7) + "\n";
      at = end;
    }
    return out;
  }

  static std::string id_in(const std::string& text) {
    const std::size_t at = text.find("id: ");
    return at == std::string::npos ? "none" : text.substr(at + 4, text.find('\n', at) - at - 4);
  }
};

TEST_F(admin_streams, readers_get_operator_events_with_growing_ids) {
  auto one = open("/api/v1/events");
  auto two = open("/api/v1/events");
  emit("a");
  const std::string first = one->take();
  EXPECT_EQ(frames(first), "clusterBus {\"event\":\"a\",\"args\":[1]}\n");
  EXPECT_EQ(two->take(), first);
  emit("b");
  EXPECT_EQ(std::stoull(id_in(one->take())), std::stoull(id_in(first)) + 1);
}

TEST_F(admin_streams, a_reader_that_comes_back_gets_what_it_missed) {
  auto reader = open("/api/v1/events");
  emit("a");
  const std::string last = id_in(reader->take());
  reader->leave();
  emit("b");
  emit("c");
  auto request_line = request("GET", "/api/v1/events", {}, "read-key", {{"last-event-id", last}});
  EXPECT_EQ(frames(request_line->stream->take()),
            "clusterBus {\"event\":\"b\",\"args\":[1]}\nclusterBus {\"event\":\"c\",\"args\":[1]}\n");
  auto fresh = open("/api/v1/events");
  EXPECT_EQ(frames(fresh->take()), "");
}

TEST_F(admin_streams, only_the_last_events_are_kept) {
  admin::admin_options options;
  options.streams.kept_events = 2;
  make_api(options);
  for (const char* name : {"a", "b", "c"})
    emit(name);
  auto reader = request("GET", "/api/v1/events", {}, "read-key", {{"last-event-id", "0"}})->stream;
  EXPECT_EQ(frames(reader->take()),
            "clusterBus {\"event\":\"b\",\"args\":[1]}\nclusterBus {\"event\":\"c\",\"args\":[1]}\n");
}

TEST_F(admin_streams, start_and_close_are_told) {
  auto reader = open("/api/v1/events");
  auto started = chat.start({});
  ASSERT_TRUE(started.done());
  EXPECT_EQ(frames(reader->take()), "ready {\"instance\":\"instance\"}\n");
  auto closed = chat.close();
  timers.run_posted();
  ASSERT_TRUE(closed.done());
  EXPECT_EQ(frames(reader->take()), "closed {}\n");
}

TEST_F(admin_streams, a_silent_stream_gets_a_comment_every_15_seconds) {
  auto reader = open("/api/v1/events");
  timers.advance(milliseconds(14'999));
  EXPECT_EQ(reader->take(), "");
  timers.advance(milliseconds(1));
  EXPECT_EQ(reader->take(), ": alive\n\n");
  timers.advance(milliseconds(15'000));
  EXPECT_EQ(reader->take(), ": alive\n\n");
  const std::size_t with_reader = timers.pending();
  reader->leave();
  timers.advance(milliseconds(15'000));
  EXPECT_EQ(timers.pending(), with_reader - 1);
  auto next = open("/api/v1/events");
  timers.advance(milliseconds(15'000));
  EXPECT_EQ(next->take(), ": alive\n\n");
}

TEST_F(admin_streams, who_reads_too_slowly_is_closed) {
  admin::admin_options options;
  options.streams.max_queue = 1000;
  make_api(options);
  auto slow = open("/api/v1/events");
  auto fast = open("/api/v1/events");
  slow->queued = 990;
  emit("a");
  EXPECT_TRUE(slow->closed);
  EXPECT_EQ(slow->take(), "");
  EXPECT_FALSE(fast->closed);
  EXPECT_NE(fast->take(), "");
}

TEST_F(admin_streams, there_are_only_so_many) {
  admin::admin_options options;
  options.streams.max_streams = 2;
  make_api(options);
  auto one = open("/api/v1/events");
  auto two = open("/api/v1/rooms/kitchen/events");
  EXPECT_EQ(request("GET", "/api/v1/events")->answer->status, 429u);
  EXPECT_EQ(request("GET", "/api/v1/rooms/kitchen/events")->answer->status, 429u);
  two->leave();
  EXPECT_EQ(request("GET", "/api/v1/rooms/kitchen/events")->answer->status, 200u);
}

TEST_F(admin_streams, a_room_is_read_without_joining_it) {
  auto reader = open("/api/v1/rooms/kitchen/events");
  connect("alice1");
  run("alice1", "roomJoin", R"(["kitchen"])");
  run("alice1", "roomMessage", R"(["kitchen",{"t":1}])");
  const std::string text = reader->take();
  EXPECT_NE(frames(text).find(R"(roomMessage {"t":1,)"), std::string::npos) << text;
  EXPECT_NE(frames(text).find(R"("author":"alice")"), std::string::npos) << text;
  EXPECT_EQ(id_in(text), "1") << text;
  run("alice1", "roomMessage", R"(["kitchen",{"t":2}])");
  EXPECT_EQ(id_in(reader->take()), "2");
  reader->leave();
  run("alice1", "roomMessage", R"(["kitchen",{"t":3}])");
  EXPECT_EQ(reader->take(), "");
}

TEST_F(admin_streams, the_history_comes_first_and_nothing_twice) {
  for (const char* text : {"a", "b", "c"})
    say(text);
  auto answer = request("GET", "/api/v1/rooms/kitchen/events?history=2", {}, "read-key");
  const std::string text = answer->stream->take();
  EXPECT_EQ(text.find(R"({"t":"a")"), std::string::npos) << text;
  EXPECT_LT(text.find(R"({"t":"b")"), text.find(R"({"t":"c")")) << text;
  EXPECT_EQ(id_in(text), "2");
  say("d");
  EXPECT_EQ(id_in(answer->stream->take()), "4");
}

TEST_F(admin_streams, a_room_that_is_not_there_is_told_before_the_stream) {
  EXPECT_TRUE(request("GET", "/api/v1/rooms/hall/events")->line().starts_with("404 "));
  EXPECT_EQ(request("GET", "/api/v1/rooms/%zz/events")->answer->status, 400u);
  EXPECT_EQ(request("GET", "/api/v1/rooms/kitchen/events?history=x")->answer->status, 400u);
  EXPECT_EQ(request("GET", "/api/v1/rooms/kitchen/events?depth=1")->answer->status, 400u);
  EXPECT_EQ(request("POST", "/api/v1/rooms/kitchen/events")->answer->status, 405u);
  EXPECT_EQ(request("GET", "/api/v1/rooms/kit%63hen/events")->answer->status, 200u);
}

TEST_F(admin_streams, a_slow_reader_of_a_room_does_not_hold_up_the_room) {
  admin::admin_options options;
  options.streams.max_queue = 1000;
  make_api(options);
  auto slow = open("/api/v1/rooms/kitchen/events");
  auto fast = open("/api/v1/rooms/kitchen/events");
  slow->queued = 1000;
  say("a");
  EXPECT_TRUE(slow->closed);
  timers.run_posted();
  say("b");
  EXPECT_NE(fast->take().find(R"({"t":"b")"), std::string::npos);
}

TEST_F(admin_streams, what_happens_after_the_end_of_the_api_is_harmless) {
  auto reader = open("/api/v1/rooms/kitchen/events");
  api.reset();
  EXPECT_TRUE(reader->closed);
  reader->leave();
  connect("alice1");
  run("alice1", "roomJoin", R"(["kitchen"])");
  timers.run_posted();
}

}  // namespace
}  // namespace roombus::test
