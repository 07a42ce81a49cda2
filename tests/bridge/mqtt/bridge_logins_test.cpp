// Logins that the broker's plugin, which a test plays, asks the bridge about: the onConnect hook decides.

#include <map>

#include "schemas/codec/base64.hpp"
#include "tests/bridge/mqtt/bridge_fixture.hpp"

namespace roombus::mqtt {
namespace {

using strings = std::vector<std::string>;

class login_question_fixture : public bridge_fixture {
 protected:
  login_question_fixture() : bridge_fixture(options()) {
    service_hooks hooks;
    hooks.on_connect = [this](connection_id id, handshake shown) {
      return hook(this, std::move(id), std::move(shown));
    };
    chat.set_hooks(std::move(hooks));
    plugin("answer/i", "state inc 1 0 last");
    orders();
  }

  static bridge_options options() {
    bridge_options o;
    o.profile = broker_profile::mosquitto;
    o.mode = delivery::automatic;
    o.plugin.use = plugin_use::require;
    o.plugin.instance = "i";
    o.plugin.life = "l";
    o.max_logins_asked = 2;
    return o;
  }

  static task<result<login>> hook(login_question_fixture* self, connection_id id, handshake shown) {
    const value_map& auth = *shown.auth.if_map();
    const std::string user = *auth.find("user")->if_text();
    const std::string password = *auth.find("password")->if_text();
    self->asked.push_back(id.str() + " " + shown.transport + " " + user + " " + password + " " + shown.address);
    if (password == "wait") {
      completion<bool> wait;
      self->waits.push_back(wait);
      co_await wait;
    }
    if (password == "throw") throw std::runtime_error("no");
    if (password == "wrong") co_return chat_error(errc::not_allowed);
    if (password == "nobody") co_return chat_error(errc::no_login);
    if (password == "away") co_return chat_error(errc::unavailable);
    if (password == "slow") co_return chat_error(errc::timeout);
    login who;
    who.user = user_name(password == "other" ? "bob" : user);
    who.auth_data.set("role", value("owner"));
    if (password == "limited") who.rights.join.emplace({room_name("kitchen")});
    if (password == "short") who.expires_at_ms = self->time.wall + 1;
    if (password == "over") who.expires_at_ms = self->time.wall;
    co_return who;
  }

  void plugin(const std::string& topic, const std::string& payload) {
    received_message m;
    m.topic = "roombus/bus/plugin/" + topic;
    m.payload = payload;
    ASSERT_TRUE(link.deliver(std::move(m))) << topic;
  }
  void ask(const std::string& id, const std::string& password, const std::string& who = "ann c1",
           const std::string& incarnation = "inc") {
    std::string line = "asks " + incarnation + " " + id + " " + who + " 192.0.2.1 ";
    append_base64(line, password);
    plugin("asks", line);
  }
  /// Lines for the plugin since the last call.
  strings orders() {
    strings out;
    for (const outgoing_message& m : link.take()) {
      const std::size_t end = m.payload->find('\n');
      if (m.topic == "$CONTROL/roombus/v1" && end != std::string::npos) out.push_back(m.payload->substr(end + 1));
    }
    return out;
  }

  strings asked;
  std::vector<completion<bool>> waits;
};

TEST_F(login_question_fixture, the_hook_is_shown_what_a_browser_with_a_password_would_show) {
  ask("q1", "right: pässword");
  EXPECT_EQ(asked, strings{"mqtt#ann/c1 mqtt ann right: pässword 192.0.2.1"});
  EXPECT_EQ(orders(), strings{"verdict q1 accepted"});
}

TEST_F(login_question_fixture, verdicts) {
  const std::map<std::string, std::string> table{
      {"right", "accepted"},
      {"wrong", "rejected"},
      {"nobody", "rejected"},
      {"other", "rejected"},
      {"throw", "rejected"},
      {"over", "rejected"},
      {"\xff", "rejected"},
      {"away", "unavailable"},
      {"slow", "unavailable"},
      {"limited", "accepted join=kitchen"},
      {"short", "accepted until=" + std::to_string(time.wall + 1)},
  };
  for (const auto& [password, verdict] : table) {
    ask("q", password);
    EXPECT_EQ(orders(), strings{"verdict q " + verdict}) << password;
  }
}

TEST_F(login_question_fixture, only_questions_of_the_plugin_that_is_there_are_answered) {
  ask("q", "right", "ann c1", "before");
  plugin("asks", "asks inc q ann c1 192.0.2.1 no?base64");
  plugin("asks", "asks inc q ann");
  plugin("asks", "");
  link.go_down();
  link.go_up();
  orders();
  ask("q", "right");
  EXPECT_EQ(orders(), strings{}) << "it has not answered yet";
  EXPECT_EQ(asked, strings{});
}

TEST_F(login_question_fixture, few_wait_for_the_hook) {
  ask("q1", "wait");
  ask("q2", "wait");
  EXPECT_EQ(orders(), strings{});
  ask("q3", "right");
  EXPECT_EQ(orders(), strings{"verdict q3 unavailable"});
  EXPECT_EQ(asked.size(), 2U);
  for (const completion<bool>& wait : waits)
    wait.complete(true);
  EXPECT_EQ(orders(), (strings{"verdict q1 accepted", "verdict q2 accepted"}));
  ask("q4", "right");
  EXPECT_EQ(orders(), strings{"verdict q4 accepted"});
}

TEST_F(login_question_fixture, what_is_answered_after_the_end_of_the_link_is_dropped) {
  ask("q1", "wait");
  link.go_down();
  waits.front().complete(true);
  EXPECT_EQ(orders(), strings{});
}

TEST_F(login_question_fixture, without_a_hook_nobody_gets_in) {
  chat.set_hooks({});
  ask("q", "right");
  EXPECT_EQ(orders(), strings{"verdict q rejected"});
}

TEST_F(login_question_fixture, no_password_is_logged) {
  ask("q1", "wrong");
  ask("q2", "throw");
  EXPECT_FALSE(log.lines.empty());
  for (const auto& line : log.lines) {
    EXPECT_EQ(line.find("wrong"), std::string::npos) << line;
    EXPECT_EQ(line.find("throw"), std::string::npos) << line;
  }
}

TEST_F(login_question_fixture, of_several_instances_the_one_answers_that_serves_the_device) {
  device_sharing how;
  how.owns = [](std::string_view device) { return device == "ann/c1"; };
  devices->share_devices(std::move(how));
  ask("q1", "right", "ann c2");
  EXPECT_EQ(orders(), strings{});
  ask("q2", "right");
  EXPECT_EQ(orders(), strings{"verdict q2 accepted"});
  EXPECT_EQ(asked.size(), 1U);
}

}  // namespace
}  // namespace roombus::mqtt
