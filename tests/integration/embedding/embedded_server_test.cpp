#include <gtest/gtest.h>

#include <roombus/roombus.hpp>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/fake_link.hpp"
#include "tests/support/http_client.hpp"

namespace roombus::test {
namespace {

/// A client of a transport of one's own: keeps what it gets, and ends when it is told to.
class own_client final : public connection_sink {
 public:
  own_client(embedded_server& server, connection_id id) : server_(server), id_(std::move(id)) {}
  void deliver(const shared_event& e) override { names.emplace_back(e->name()); }
  void close(close_reason reason) override {
    closed = reason;
    server_.post([this] { server_.chat().disconnect(id_).detach(); });
  }

  std::vector<std::string> names;
  std::optional<close_reason> closed;

 private:
  embedded_server& server_;
  connection_id id_;
};

class null_log final : public log_sink {
 public:
  void write(log_level, std::string_view, std::string_view) override {}
};

embedded_options quiet() {
  embedded_options options;
  options.stop_on_signals = false;
  options.log = std::make_shared<null_log>();
  return options;
}

task<result<void>> refuse_start() {
  co_return chat_error::custom("notToday");
}

TEST(embedded_server, tells_what_happens_to_operators_and_ends_well) {
  embedded_server server(quiet());
  std::vector<std::string> seen;
  server.chat().events().add([&seen](const operator_event& e) { seen.emplace_back(e.name); });
  EXPECT_EQ(server.port(), 0);
  const result<void> ended = server.run([&server] {
    EXPECT_NE(server.port(), 0);
    server.stop();
  });
  EXPECT_TRUE(ended.has_value());
  EXPECT_EQ(seen, (std::vector<std::string>{"ready", "closed"}));
}

TEST(embedded_server, an_on_start_hook_that_refuses_ends_the_run_with_its_error) {
  embedded_server server(quiet());
  service_hooks hooks;
  hooks.on_start = [](value_map) { return refuse_start(); };
  server.chat().set_hooks(std::move(hooks));
  bool ready = false;
  const result<void> ended = server.run([&ready] { ready = true; });
  ASSERT_FALSE(ended.has_value());
  EXPECT_EQ(ended.error().code_name(), "notToday");
  EXPECT_FALSE(ready);
}

TEST(embedded_server, a_port_in_use_ends_the_run_with_a_text_that_names_it) {
  embedded_server first(quiet());
  result<void> second_ended;
  const result<void> ended = first.run([&first, &second_ended] {
    embedded_options options = quiet();
    options.port = first.port();
    embedded_server second(std::move(options));
    second_ended = second.run();  // a loop of its own, inside a turn of the first
    first.stop();
  });
  EXPECT_TRUE(ended.has_value());
  ASSERT_FALSE(second_ended.has_value());
  EXPECT_TRUE(second_ended.error().is_plain());
  EXPECT_NE(error_text(second_ended.error()).find(std::to_string(first.port())), std::string::npos);
}

task<result<void>> wait_for(completion<bool> given) {
  const bool ok = co_await given;
  if (!ok) co_return chat_error(errc::timeout);
  co_return result<void>{};
}

TEST(embedded_server, a_stop_while_the_on_start_hook_runs_waits_for_it_and_serves_nobody) {
  embedded_server server(quiet());
  const completion<bool> go_on;
  bool hook_done = false;
  service_hooks hooks;
  hooks.on_start = [&](value_map) {
    server.stop();
    server.post([&] {  // behind the stop
      hook_done = true;
      go_on.complete(true);
    });
    return wait_for(go_on);
  };
  server.chat().set_hooks(std::move(hooks));
  bool ready = false;
  const result<void> ended = server.run([&ready] { ready = true; });
  EXPECT_TRUE(hook_done);
  EXPECT_FALSE(ready);
  ASSERT_FALSE(ended.has_value());
  EXPECT_EQ(ended.error().code(), errc::unavailable);
}

TEST(embedded_server, any_thread_may_stop_it_and_only_the_first_stop_counts) {
  embedded_server server(quiet());
  std::thread other;
  int told = 0;
  const result<void> ended = server.run([&] {
    other = std::thread([&] {
      server.stop([&told](const result<void>& outcome) {
        EXPECT_TRUE(outcome.has_value());
        ++told;
      });
      server.stop([&told](const result<void>&) { ++told; });
    });
  });
  other.join();
  EXPECT_TRUE(ended.has_value());
  EXPECT_EQ(told, 1);
}

task<void> talk(embedded_server& server, std::shared_ptr<own_client> client, std::vector<reply>& replies) {
  result<void> added = co_await server.chat().add_room(room_name("den"), server.chat().default_room_settings());
  EXPECT_TRUE(added.has_value());
  std::shared_ptr<connection_sink> sink = client;
  result<void> connected = co_await server.chat().connect(user_name("ann"), connection_id("own#1"), std::move(sink));
  EXPECT_TRUE(connected.has_value());
  for (const char* command : {"roomJoin", "roomMessage"}) {
    call c;
    c.user = user_name("ann");
    c.id = connection_id("own#1");
    c.command = command;
    c.args.emplace_back("den");
    if (c.command == "roomMessage") c.args.emplace_back(value_map{{"a", value(1)}});
    reply answer = co_await server.chat().execute(std::move(c));
    replies.push_back(std::move(answer));
  }
  server.stop();
}

TEST(embedded_server, a_transport_of_ones_own_serves_clients_and_is_told_to_end_them) {
  embedded_options options = quiet();
  options.listen = false;
  options.chat.enable_userlist_updates = true;
  embedded_server server(std::move(options));
  auto client = std::make_shared<own_client>(server, connection_id("own#1"));
  std::vector<reply> replies;
  const result<void> ended = server.run([&] { talk(server, client, replies).detach(); });
  EXPECT_TRUE(ended.has_value());
  ASSERT_EQ(replies.size(), 2U);
  ASSERT_TRUE(replies[1].has_value());
  EXPECT_EQ(replies[1]->front(), value(1));
  EXPECT_EQ(client->names, (std::vector<std::string>{"roomUserJoined", "roomMessage"}));
  EXPECT_EQ(client->closed, close_reason::server_shutdown);
}

TEST(embedded_server, devices_come_over_a_link_of_ones_own_and_leave_with_the_server) {
  embedded_options options = quiet();
  options.listen = false;
  embedded_server server(std::move(options));
  auto made = std::make_unique<fake_link>();
  fake_link& link = *made;
  server.add_mqtt(std::move(made));
  std::vector<std::string> answered;
  const result<void> ended = server.run([&] {
    link.go_up();
    mqtt::received_message request;
    request.topic = "roombus/u/sensor1/a/call/roomGetOwner/1";
    request.payload = R"(["den"])";
    EXPECT_TRUE(link.deliver(std::move(request)));
    server.environment().loop.post([&] {
      for (const mqtt::outgoing_message& message : link.take()) {
        if (message.topic.find("/reply/") != std::string::npos)
          answered.push_back(message.topic + ' ' + *message.payload);
      }
      server.stop();
    });
  });
  EXPECT_TRUE(ended.has_value());
  ASSERT_EQ(answered.size(), 1U);
  EXPECT_EQ(answered[0].find("roombus/u/sensor1/a/reply/1 {\"error\":{\"code\":\"noRoom\""), 0U) << answered[0];
  EXPECT_GE(link.stop_limit.count(), 0);
}

/// Runs a server on a thread of its own, for clients that block.
class served {
 public:
  explicit served(embedded_server& server) : server_(server) {
    std::promise<std::uint16_t> port;
    std::future<std::uint16_t> given = port.get_future();
    thread_ = std::thread([this, port = std::move(port)]() mutable {
      outcome_ = server_.run([this, &port] { port.set_value(server_.port()); });
    });
    port_ = given.get();
  }
  ~served() {
    server_.stop();
    thread_.join();
    EXPECT_TRUE(outcome_.has_value());
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  embedded_server& server_;
  result<void> outcome_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST(embedded_server, without_a_login_method_everybody_is_rejected) {
  embedded_server server(quiet());
  const served running(server);
  http_client client(running.port());
  const auto upgraded = client.upgrade("/socket.io/?EIO=4&transport=websocket&user=ann");
  ASSERT_TRUE(upgraded && upgraded->status == 101);
  ASSERT_TRUE(client.read_frame().has_value());  // the open packet
  ASSERT_TRUE(client.send_frame(1, "40/chat-service,"));
  std::vector<std::string> got;
  while (got.size() < 3) {
    const auto frame = client.read_frame();
    ASSERT_TRUE(frame.has_value());
    got.push_back(frame->payload);
  }
  EXPECT_EQ(got[0].rfind("40/chat-service,{", 0), 0U) << got[0];
  EXPECT_EQ(got[1], R"(42/chat-service,["loginRejected","ChatServiceError: No login provided"])");
  EXPECT_EQ(got[2], "41/chat-service,");
}

class greeting final : public http::handler {
 public:
  void on_request(http::request req, std::shared_ptr<http::responder> answer) override {
    http::response response;
    response.body = "you asked for " + req.path;
    answer->send(std::move(response));
  }
};

TEST(embedded_server, serves_requests_of_ones_own_beside_its_status) {
  embedded_server server(quiet());
  server.add_route("/hello", std::make_unique<greeting>());
  const served running(server);
  http_client client(running.port());
  const auto own = client.get("/hello/ann");
  ASSERT_TRUE(own.has_value());
  EXPECT_EQ(own->body, "you asked for /hello/ann");
  const auto ready = client.get("/readyz");
  ASSERT_TRUE(ready.has_value());
  EXPECT_EQ(ready->status, 200);
  const auto other = client.get("/other");
  ASSERT_TRUE(other.has_value());
  EXPECT_EQ(other->status, 404);
}

}  // namespace
}  // namespace roombus::test
