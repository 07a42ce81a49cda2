// Hooks in C++ as an embedder writes them, seen by a socket.io client. Source: contract §7.

#include <gtest/gtest.h>

#include <roombus/roombus.hpp>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/http_client.hpp"
#include "tests/support/proves.hpp"

namespace roombus::test {
namespace {

class null_log final : public log_sink {
 public:
  void write(log_level, std::string_view, std::string_view) override {}
};

template <class T>
task<T> at_once(T v) {
  co_return v;
}

/// A server with hooks and a room "den", on a thread of its own, for a client that blocks.
class embedded_hooks : public ::testing::Test {
 protected:
  embedded_hooks() : server_(quiet()) {
    hooks_.on_connect = [](connection_id, handshake shown) {
      const value* name = shown.query.find("user");
      result<login> who = login();
      if (name == nullptr || *name->if_text() == "mallory") {
        who = chat_error(errc::not_allowed);
      } else {
        who->user = user_name(*name->if_text());
        who->auth_data.set("role", value("cook"));
      }
      return at_once(std::move(who));
    };
  }

  void TearDown() override {
    client_.reset();
    server_.stop();
    thread_.join();
    EXPECT_TRUE(outcome_.has_value());
  }

  void start() {
    server_.chat().set_hooks(hooks_);
    EXPECT_TRUE(server_.chat().add_room(room_name("den"), server_.chat().default_room_settings()).take().has_value());
    std::promise<std::uint16_t> port;
    std::future<std::uint16_t> given = port.get_future();
    thread_ = std::thread([this, &port] { outcome_ = server_.run([this, &port] { port.set_value(server_.port()); }); });
    client_ = std::make_unique<http_client>(given.get());
  }

  /// Opens the namespace; what the login is answered with.
  std::string log_in(const std::string& user) {
    const auto upgraded = client_->upgrade("/socket.io/?EIO=4&transport=websocket&user=" + user);
    if (!upgraded || upgraded->status != 101) return "no upgrade";
    next();  // the open packet
    client_->send_frame(1, "40/chat-service,");
    next();  // the namespace is open
    return next();
  }
  std::string next() {
    const auto frame = client_->read_frame();
    return frame ? frame->payload : "nothing";
  }
  /// One command's reply; notifications before it go to `told_`.
  std::string ask(const std::string& command) {
    client_->send_frame(1, "42/chat-service,1" + command);
    for (;;) {
      std::string payload = next();
      if (payload.starts_with("43/chat-service,1")) return payload.substr(17);
      if (payload == "nothing") return payload;
      told_.push_back(payload.substr(payload.find(',') + 1));
    }
  }

  /// 0 while it does not listen.
  [[nodiscard]] std::uint16_t port() const { return server_.port(); }

  service_hooks hooks_;
  std::vector<std::string> told_;
  int port_at_start_ = -1;

 private:
  static embedded_options quiet() {
    embedded_options options;
    options.stop_on_signals = false;
    options.log = std::make_shared<null_log>();
    return options;
  }

  embedded_server server_;
  result<void> outcome_;
  std::unique_ptr<http_client> client_;
  std::thread thread_;
};

TEST_F(embedded_hooks, on_connect_lets_in_with_auth_data) {
  proves("7.21", "7.22", "7.35");
  start();
  const std::string answer = log_in("ann");
  EXPECT_EQ(answer.find(R"(42/chat-service,["loginConfirmed","ann",{)"), 0U) << answer;
  EXPECT_NE(answer.find(R"("role":"cook")"), std::string::npos) << answer;
}

TEST_F(embedded_hooks, an_error_of_on_connect_is_the_loginRejected_of_the_client) {
  proves("7.23");
  start();
  EXPECT_EQ(log_in("mallory"), R"(42/chat-service,["loginRejected","ChatServiceError: Action is not allowed"])");
  EXPECT_EQ(next(), "41/chat-service,");
}

TEST_F(embedded_hooks, nobody_can_connect_before_on_start_has_answered) {
  proves("7.30");
  hooks_.on_start = [this](value_map) {
    port_at_start_ = port();
    return at_once(result<void>{});
  };
  start();
  EXPECT_EQ(port_at_start_, 0);
  EXPECT_NE(port(), 0);
  EXPECT_EQ(log_in("ann").find(R"(42/chat-service,["loginConfirmed","ann")"), 0U);
}

TEST_F(embedded_hooks, commands_go_through_their_hooks) {
  proves("7.3", "7.7", "7.11", "7.27", "7.35");
  hooks_.before[command::room_message] = [](const hook_context& context) {
    hook_answer answer;
    value_map message{{"seen", context.args[1]}};
    answer.args.emplace(value_list{context.args[0], value(std::move(message))});
    answer.data.emplace(value_map{{"began", value(7)}});
    return at_once(std::move(answer));
  };
  hooks_.after[command::room_message] = [](const hook_context& context) {
    hook_answer answer;
    answer.results = context.results;
    if (answer.results) answer.results->push_back(*context.data.find("began"));
    return at_once(std::move(answer));
  };
  bool refuse = true;
  hooks_.on_join = [&refuse](membership_change) {
    result<void> answer;
    if (refuse) answer = chat_error(errc::not_allowed);
    refuse = false;
    return at_once(std::move(answer));
  };
  start();
  log_in("ann");
  EXPECT_EQ(ask(R"(["roomJoin","den"])"), R"(["ChatServiceError: Action is not allowed",null])");
  EXPECT_EQ(ask(R"(["roomJoin","den"])"), "[null,1]");
  told_.clear();
  EXPECT_EQ(ask(R"(["roomMessage","den",{"n":1}])"), "[null,1,7]");
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].find(R"(["roomMessage","den",{"seen":{"n":1},"author":"ann",)"), 0U) << told_[0];
}

}  // namespace
}  // namespace roombus::test
