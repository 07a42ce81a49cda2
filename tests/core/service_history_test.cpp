// Messages, ids, history and idempotency (contract §4).

#include "tests/support/service_fixture.hpp"

namespace roombus::test {
namespace {

using events = std::vector<std::string>;

class service_history : public service_fixture {
 protected:
  void SetUp() override {
    connect("alice1");
    connect("bob1");
    room_settings settings;
    settings.history_max_size = 5;
    add_room("r", settings);
    run("alice1", "roomJoin", R"(["r"])");
    forget_events();
  }

  void send(int count) {
    for (int i = 0; i < count; ++i)
      run("alice1", "roomMessage", R"(["r",{"n":1}])");
  }

  /// Ids in an answer's first result, which is a list of messages.
  static std::string ids(const value& messages) {
    std::string out;
    for (const value& message : *messages.if_list()) {
      const value seen = cbor::materialize(message);
      out += json::write(*seen.if_map()->find("id")) + ' ';
    }
    return out;
  }

  std::string history(const std::string& command, const std::string& args) {
    call c;
    c.user = user_name("alice");
    c.id = connection_id("alice1");
    c.command = command;
    c.args = *json::read(args, codec_limits{})->if_list();
    const reply answer = run(std::move(c));
    if (!answer) return shown(answer);
    std::string out = ids((*answer)[0]);
    if (answer->size() > 1) {
      const value_map& extra = *(*answer)[1].if_map();
      out += json::write(*extra.find("gap")) + ' ' + json::write(*extra.find("firstMessageId")) + '-' +
             json::write(*extra.find("lastMessageId"));
    }
    return out;
  }
};

TEST_F(service_history, the_service_owns_author_timestamp_and_id) {
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{"author":"eve","x":[1,{"y":null}],"id":9,"timestamp":5}])"), "[1]");
  EXPECT_EQ(take("alice1"),
            (events{R"(roomMessage["r",{"author":"alice","x":[1,{"y":null}],"timestamp":1000,"id":1}])"}));
  EXPECT_EQ(run("alice1", "roomRecentHistory", R"(["r"])"),
            R"([[{"author":"alice","x":[1,{"y":null}],"timestamp":1000,"id":1}]])");
}

TEST_F(service_history, ids_have_no_holes_and_old_messages_go) {
  send(7);
  EXPECT_EQ(history("roomRecentHistory", R"(["r"])"), "7 6 5 4 3 ");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{}])"), "[8]");
}

struct history_case {
  const char* args;
  const char* answer;
};

const history_case history_cases[] = {
    {R"(["r",0,100])", "7 6 5 4 3 "},
    {R"(["r",4,100])", "7 6 5 "},
    {R"(["r",4,2])", "6 5 "},
    {R"(["r",3.9,1.9])", "4 "},
    {R"(["r",7,10])", ""},
    {R"(["r",99,10])", ""},
    {R"(["r",1e300,10])", ""},
    {R"(["r",18446744073709551615,10])", ""},
    {R"(["r",2,10,{}])", "7 6 5 4 3 false 3-7"},
    {R"(["r",1,10,{}])", "7 6 5 4 3 true 3-7"},
    {R"(["r",7,10,{}])", "false 3-7"},
    {R"(["r",8,10,{}])", "true 3-7"},
    {R"(["r",5,10,{"epoch":"other"}])", "7 6 true 3-7"},
    {R"(["r",5,10,{"epoch":5}])", R"(badArgument[3,{"epoch":5}])"},
};

TEST_F(service_history, get_reads_the_oldest_after_an_id_newest_first) {
  send(7);
  for (const history_case& c : history_cases)
    EXPECT_EQ(history("roomHistoryGet", c.args), c.answer) << c.args;
}

TEST_F(service_history, an_empty_history_stands_behind_its_last_id) {
  EXPECT_EQ(history("roomHistoryGet", R"(["r",0,10,{}])"), "false 1-0");
  room_settings forgetful;
  forgetful.history_max_size = 0;
  add_room("f", forgetful);
  run("alice1", "roomJoin", R"(["f"])");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["f",{}])"), "[1]");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["f",{}])"), "[2]");
  EXPECT_EQ(history("roomHistoryGet", R"(["f",0,10,{}])"), "true 3-2");
  EXPECT_EQ(history("roomHistoryGet", R"(["f",2,10,{}])"), "false 3-2");
}

TEST_F(service_history, join_with_after_answers_what_was_missed) {
  send(7);
  auto join = [&](const char* options) {
    call c;
    c.user = user_name("bob");
    c.id = connection_id("bob1");
    c.command = "roomJoin";
    c.args = {value("r"), *json::read(options, codec_limits{})};
    const reply answer = run(std::move(c));
    if (!answer) return shown(answer);
    if (answer->size() < 2) return std::string("no second result");
    const value_map& extra = *(*answer)[1].if_map();
    return ids(*extra.find("messages")) + json::write(*extra.find("gap")) + ' ' +
           json::write(*extra.find("lastMessageId"));
  };
  EXPECT_EQ(join("{}"), "false 7");
  EXPECT_EQ(join(R"({"after":5})"), "7 6 false 7");
  EXPECT_EQ(join(R"({"after":2,"limit":2})"), "4 3 false 7");
  EXPECT_EQ(join(R"({"after":0})"), "7 6 5 4 3 true 7");
  EXPECT_EQ(join(R"({"after":9})"), "true 7");
  EXPECT_EQ(join(R"({"epoch":"other"})"), "true 7");
  EXPECT_EQ(join(R"({"after":-1})"), R"(badArgument[1,{"after":-1}])");
  EXPECT_EQ(join(R"({"after":1,"limit":0})"), R"(badArgument[1,{"after":1,"limit":0}])");
  EXPECT_EQ(join("null"), "no second result");
}

TEST_F(service_history, a_repeated_key_answers_the_first_id_and_sends_nothing) {
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{"n":1},{"idempotencyKey":"k"}])"), "[1]");
  forget_events();
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{"n":2},{"idempotencyKey":"k"}])"), "[1]");
  EXPECT_EQ(take("alice1"), events{});
  run("bob1", "roomJoin", R"(["r"])");
  EXPECT_EQ(run("bob1", "roomMessage", R"(["r",{"n":3},{"idempotencyKey":"k"}])"), "[2]") << "keys belong to users";
  time.advance(300000);
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{"n":4},{"idempotencyKey":"k"}])"), "[3]") << "the window is over";
}

TEST_F(service_history, bad_keys_are_refused) {
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{},{"idempotencyKey":""}])"),
            R"(badArgument[2,{"idempotencyKey":""}])");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{},{"idempotencyKey":7}])"), R"(badArgument[2,{"idempotencyKey":7}])");
  const std::string key(128, 'k');
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{},{"idempotencyKey":")" + key + "\"}]"), "[1]");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{},{"idempotencyKey":"k)" + key + "\"}]").substr(0, 11),
            "badArgument");
}

TEST_F(service_history, the_oldest_keys_go_when_there_are_too_many) {
  chat_limits limits;
  limits.idempotency_keys = 2;
  service small(all_on(), limits, "i", service::environment{*data, time, random, timers, log, metrics});
  auto send_keyed = [&](const std::string& key) {
    call c;
    c.user = user_name("alice");
    c.command = "roomMessage";
    c.args = {value("r"), value(value_map{}), value(value_map{{"idempotencyKey", value(key)}})};
    auto done = small.execute(std::move(c));
    return shown(done.take());
  };
  EXPECT_EQ(send_keyed("a"), "[1]");
  EXPECT_EQ(send_keyed("b"), "[2]");
  EXPECT_EQ(send_keyed("c"), "[3]");
  EXPECT_EQ(send_keyed("c"), "[3]");
  EXPECT_EQ(send_keyed("a"), "[4]");
}

TEST_F(service_history, info_tells_where_the_history_stands) {
  send(6);
  const std::string info = run("alice1", "roomHistoryInfo", R"(["r"])");
  EXPECT_EQ(
      info.find(R"([{"historyMaxGetMessages":100,"historyMaxSize":5,"historySize":5,"lastMessageId":6,"epoch":")"), 0U)
      << info;
  EXPECT_NE(info.find(R"("firstMessageId":2}])"), std::string::npos) << info;
}

TEST_F(service_history, bytes_come_back_as_bytes) {
  call c;
  c.user = user_name("alice");
  c.id = connection_id("alice1");
  c.command = "roomMessage";
  c.args = {value("r"), value(value_map{{"picture", value(byte_string{std::string("\0\xff", 2)})}})};
  ASSERT_TRUE(run(std::move(c)).has_value());
  EXPECT_EQ(run("alice1", "roomRecentHistory", R"(["r"])"),
            R"([[{"picture":{"type":"Buffer","data":"AP8="},"author":"alice","timestamp":1000,"id":1}]])");
}

TEST_F(service_history, more_byte_strings_than_clients_take_are_refused) {
  const auto send_parts = [&](std::size_t count) {
    call c;
    c.user = user_name("alice");
    c.id = connection_id("alice1");
    c.command = "roomMessage";
    value_list parts(count, value(byte_string{"x"}));
    c.args = {value("r"), value(value_map{{"parts", value(std::move(parts))}})};
    return shown(run(std::move(c)));
  };
  EXPECT_EQ(send_parts(10), "[1]");
  EXPECT_EQ(send_parts(11), "payloadTooLarge[]");
}

TEST_F(service_history, one_connections_requests_are_bounded) {
  chat_limits limits;
  limits.requests_per_second = 2;
  service small(all_on(), limits, "i", service::environment{*data, time, random, timers, log, metrics});
  auto sink = std::make_shared<recording_sink>();
  EXPECT_TRUE(small.connect(user_name("zoe"), connection_id("zoe1"), sink).take().has_value());
  const auto ask = [&] {
    call c;
    c.user = user_name("zoe");
    c.id = connection_id("zoe1");
    c.command = "listOwnSockets";
    auto done = small.execute(std::move(c));
    return shown(done.take()).substr(0, 11);
  };
  EXPECT_EQ(ask(), R"([{"zoe1":[])");
  EXPECT_EQ(ask(), R"([{"zoe1":[])");
  EXPECT_EQ(ask(), "rateLimited");
  time.advance(499);
  EXPECT_EQ(ask(), "rateLimited");
  time.advance(1);
  EXPECT_EQ(ask(), R"([{"zoe1":[])");
  EXPECT_EQ(ask(), "rateLimited");
}

}  // namespace
}  // namespace roombus::test
