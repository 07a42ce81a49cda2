#include "adapters/broker_auth/broker_auth.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "adapters/broker_auth/broker_question.hpp"
#include "adapters/broker_auth/login_ends.hpp"
#include "tests/support/fakes.hpp"

namespace roombus::broker_auth {
namespace {

struct kept_answer final : http::responder {
  void send(http::response r) override { answer = std::move(r); }
  void on_abort(std::function<void()>) override {}
  std::optional<http::response> answer;
};

struct fixed_clock final : clock {
  [[nodiscard]] std::int64_t now_ms() const override { return now; }
  [[nodiscard]] std::int64_t steady_ms() const override { return now; }
  std::int64_t now = 1'000'000;
};

struct silent_log final : log_sink {
  void write(log_level, std::string_view, std::string_view) override {}
};

/// Passwords are the name and "-pw"; tokens are looked up.
struct known_checker final : credential_checker {
  task<result<login>> check_password(std::string user, std::string password, std::string address) override {
    addresses.push_back(address);
    if (password != user + "-pw") co_return errc::not_allowed;
    login found;
    found.user = user_name(user);
    co_return found;
  }
  task<result<login>> check_token(std::string token, std::string address) override {
    addresses.push_back(address);
    const auto found = tokens.find(token);
    if (found == tokens.end()) co_return errc::not_allowed;
    login copy = found->second;
    co_return copy;
  }
  std::map<std::string, login> tokens;
  std::vector<std::string> addresses;
};

class broker_auth_test : public testing::Test {
 protected:
  broker_auth_test() {
    login alice;
    alice.user = user_name("alice");
    checker.tokens["eyJ.alice"] = alice;
    alice.expires_at_ms = 1'060'000;
    checker.tokens["eyJ.short"] = alice;
    alice.expires_at_ms = 999'999;
    checker.tokens["eyJ.old"] = alice;
    login limited;
    limited.user = user_name("alice");
    limited.rights.join.emplace();
    checker.tokens["eyJ.limited"] = limited;
    login bridge;
    bridge.user = user_name("roombus");
    checker.tokens["eyJ.bridge"] = bridge;
    make("k y/1");
  }

  void make(std::string key) {
    broker_auth_options options;
    options.key = std::move(key);
    options.access.bridge_user = "roombus";
    options.bridge_password = "secret";
    options.max_expiring_logins = 2;
    endpoint = std::make_unique<broker_auth>(
        std::move(options), broker_auth::environment{checker, time, timers, log, metrics_, nullptr,
                                                     [this](const std::string& user, const std::string& client) {
                                                       ended.push_back(user + "/" + client);
                                                     }});
  }

  std::string ask(const std::string& path, const std::string& body, const std::string& hook = {}) {
    return send("POST", "/broker/key/k%20y%2F1/" + path, {}, body, {{"vernemq-hook", hook}});
  }
  std::string send(std::string method, std::string path, std::string query, std::string body,
                   http::header_list headers = {}) {
    http::request req;
    req.method = std::move(method);
    req.path = std::move(path);
    req.query = std::move(query);
    req.body = std::move(body);
    req.headers = std::move(headers);
    auto answer = std::make_shared<kept_answer>();
    endpoint->on_request(std::move(req), answer);
    if (!answer->answer) return "no answer";
    return (answer->answer->status == 200 ? "" : std::to_string(answer->answer->status) + " ") + answer->answer->body;
  }

  known_checker checker;
  fixed_clock time;
  silent_log log;
  metrics_registry metrics_;
  test::fake_scheduler timers;
  std::vector<std::string> ended;
  std::unique_ptr<broker_auth> endpoint;
};

TEST_F(broker_auth_test, nobody_asks_without_the_key) {
  const std::string body = R"({"username":"alice","clientid":"alice","password":"alice-pw"})";
  const std::string no = "401 the key of mqtt.auth_key is needed\n";
  EXPECT_EQ(send("POST", "/broker/emqx/authn", "", body), no);
  EXPECT_EQ(send("POST", "/broker/key//emqx/authn", "", body), no);
  EXPECT_EQ(send("POST", "/broker/key/k/emqx/authn", "", body), no);
  EXPECT_EQ(send("POST", "/broker/key/k%2/emqx/authn", "", body), no);
  EXPECT_EQ(send("POST", "/broker/emqx/authn", "key=k y/1", body), no);
  EXPECT_EQ(send("POST", "/broker/emqx/authn", "", body, {{"authorization", "Bearer "}}), no);
  EXPECT_EQ(send("POST", "/broker/emqx/authn", "", body, {{"authorization", "Bearer k y/1"}}),
            R"({"result":"allow","is_superuser":false})");
  EXPECT_EQ(ask("emqx/authn", body), R"({"result":"allow","is_superuser":false})");
  EXPECT_EQ(ask("hivemq/authn", body), "404 expected /broker/emqx, /broker/vernemq or /broker/rabbitmq\n");
}

TEST(broker_auth, without_a_key_in_the_configuration_no_key_is_right) {
  known_checker checker;
  fixed_clock time;
  silent_log log;
  metrics_registry metrics;
  test::fake_scheduler timers;
  broker_auth endpoint({}, {checker, time, timers, log, metrics, nullptr, nullptr});
  for (const char* path : {"/broker/emqx/authn", "/broker/key//emqx/authn", "/broker/key/x/emqx/authn"}) {
    http::request req;
    req.method = "POST";
    req.path = path;
    auto answer = std::make_shared<kept_answer>();
    endpoint.on_request(std::move(req), answer);
    EXPECT_EQ(answer->answer->status, 401U) << path;
  }
}

TEST_F(broker_auth_test, logins) {
  struct {
    const char* user;
    const char* client;
    const char* password;
    const char* result;
  } const table[] = {
      {"alice", "alice~1", "alice-pw", R"({"result":"allow","is_superuser":false})"},
      {"alice", "alice~1", "wrong", R"({"result":"deny"})"},
      {"alice", "alice~1", "", R"({"result":"deny"})"},
      {"alice", "bob", "alice-pw", R"({"result":"deny"})"},
      {"", "", "-pw", R"({"result":"deny"})"},
      {"a/b", "a/b", "a/b-pw", R"({"result":"deny"})"},
      {"+", "+", "+-pw", R"({"result":"deny"})"},
      {"alice", "alice", "eyJ.alice", R"({"result":"allow","is_superuser":false})"},
      {"alice", "alice", "eyJ.short", R"({"result":"allow","is_superuser":false,"expire_at":1060})"},
      {"bob", "bob", "eyJ.alice", R"({"result":"deny"})"},
      {"alice", "alice", "eyJ.old", R"({"result":"deny"})"},
      {"alice", "alice", "eyJ.unknown", R"({"result":"deny"})"},
      {"alice", "alice", "eyJ.limited", R"({"result":"deny"})"},
      {"roombus", "bridge1", "secret", R"({"result":"allow","is_superuser":true})"},
      {"roombus", "roombus", "roombus-pw", R"({"result":"deny"})"},
      {"roombus", "roombus", "eyJ.bridge", R"({"result":"deny"})"},
      {"roombus", "roombus", "", R"({"result":"deny"})"},
  };
  for (const auto& a : table) {
    const std::string body = std::string(R"({"username":")") + a.user + R"(","clientid":")" + a.client +
                             R"(","password":")" + a.password + R"("})";
    EXPECT_EQ(ask("emqx/authn", body), a.result) << body;
  }
}

/// An onConnect hook that answers when the test lets it, and checkers of which some are not configured.
class hook_login_test : public broker_auth_test {
 protected:
  struct partly_configured final : credential_checker {
    task<result<login>> check_password(std::string user, std::string, std::string) override {
      if (!passwords) co_return chat_error(errc::no_login);
      if (user == "slow") co_return chat_error(errc::rate_limited);
      co_return chat_error(errc::not_allowed);
    }
    task<result<login>> check_token(std::string, std::string) override {
      co_return chat_error(tokens ? errc::not_allowed : errc::no_login);
    }
    bool passwords = false;
    bool tokens = false;
  };

  hook_login_test() {
    broker_auth_options options;
    options.key = "k y/1";
    options.access.bridge_user = "roombus";
    options.bridge_password = "secret";
    options.max_asked = 2;
    endpoint = std::make_unique<broker_auth>(
        std::move(options),
        broker_auth::environment{some, time, timers, log, metrics_,
                                 [this](device_credentials shown) { return answer(this, std::move(shown)); }, nullptr});
  }

  static task<result<login>> answer(hook_login_test* self, device_credentials shown) {
    self->asked.push_back(shown.user + " " + shown.client + " " + shown.password + " " + shown.address);
    if (shown.password == "throw") throw std::runtime_error("no");
    if (shown.password == "wait") {
      completion<bool> wait;
      self->waits.push_back(wait);
      co_await wait;
    }
    if (shown.password == "away") co_return chat_error(errc::unavailable);
    if (shown.password == "wrong") co_return chat_error(errc::not_allowed);
    login found;
    found.user = user_name(shown.password == "other" ? "bob" : shown.user);
    if (shown.password == "limited") found.rights.join.emplace();
    co_return found;
  }

  std::string login_as(const std::string& password, const std::string& user = "alice",
                       const std::string& client = "alice~1") {
    return ask("emqx/authn", R"({"username":")" + user + R"(","clientid":")" + client + R"(","password":")" + password +
                                 R"(","peerhost":"192.0.2.1"})");
  }
  std::vector<std::string> take() { return std::exchange(asked, {}); }

  partly_configured some;
  std::vector<std::string> asked;
  std::vector<completion<bool>> waits;
  const std::string yes = R"({"result":"allow","is_superuser":false})";
  const std::string no = R"({"result":"deny"})";
};

TEST_F(hook_login_test, the_hook_decides_where_nothing_else_does) {
  EXPECT_EQ(login_as("right"), yes);
  EXPECT_EQ(take(), std::vector<std::string>{"alice alice~1 right 192.0.2.1"});
  EXPECT_EQ(login_as("eyJ.foreign"), yes) << "a token that only the hook knows";
  for (const char* password : {"away", "wrong", "throw", "other", "limited"}) {
    EXPECT_EQ(login_as(password), no) << password;
  }
}

TEST_F(hook_login_test, it_is_not_asked_about_what_others_decide) {
  EXPECT_EQ(login_as(""), no);
  EXPECT_EQ(login_as("right", "alice", "bob"), no) << "not its client id";
  EXPECT_EQ(login_as("right", "a/b", "a/b"), no);
  EXPECT_EQ(login_as("right", "roombus", "roombus"), no) << "the account of roombus";
  some.tokens = true;
  EXPECT_EQ(login_as("eyJ.foreign"), no);
  some.tokens = false;
  some.passwords = true;
  EXPECT_EQ(login_as("right"), no);
  EXPECT_EQ(login_as("eyJ.foreign"), no) << "as a password";
  EXPECT_EQ(login_as("right", "slow", "slow"), no);
  EXPECT_EQ(take(), std::vector<std::string>{});
  some.tokens = true;
  some.passwords = false;
  EXPECT_EQ(login_as("right"), yes) << "no token, and no passwords";
}

TEST_F(hook_login_test, few_wait_for_it) {
  EXPECT_EQ(login_as("wait"), "no answer");
  EXPECT_EQ(login_as("wait"), "no answer");
  EXPECT_EQ(login_as("right"), no) << "more than may wait";
  EXPECT_EQ(take().size(), 2U);
  for (const completion<bool>& wait : waits)
    wait.complete(true);
  EXPECT_EQ(login_as("right"), yes);
}

TEST_F(broker_auth_test, what_is_not_understood_is_refused) {
  const std::string deny = R"({"result":"deny"})";
  for (const char* body :
       {"", "{", "[]", "null", R"("x")", R"({"username":["alice"],"clientid":"alice","password":"alice-pw"})",
        R"({"username":"bob","username":"alice","clientid":"alice","password":"alice-pw"})",
        R"({"user":"alice","clientid":"alice","password":"alice-pw"})",
        "username=alice&clientid=alice&password=alice-pw"}) {
    EXPECT_EQ(ask("emqx/authn", body), deny) << body;
  }
  EXPECT_EQ(ask("emqx/", "{}"), deny);
  EXPECT_EQ(ask("emqx/authn/x", R"({"username":"alice","clientid":"alice","password":"alice-pw"})"), deny);
  EXPECT_EQ(send("GET", "/broker/emqx/authn", "", "{}", {{"authorization", "Bearer k y/1"}}), deny);
  EXPECT_EQ(ask("vernemq", "{}", "on_deliver"), R"({"result":{"error":"not_allowed"}})");
  EXPECT_EQ(ask("rabbitmq/else", "username=alice"), "deny");
}

TEST_F(broker_auth_test, topics_of_emqx) {
  const auto topic = [this](const std::string& action, const std::string& topic_text, const std::string& more = {}) {
    return ask("emqx/authz", R"({"username":"alice","clientid":"alice","action":")" + action + R"(","topic":")" +
                                 topic_text + "\"" + more + "}");
  };
  const std::string allow = R"({"result":"allow"})";
  const std::string deny = R"({"result":"deny"})";
  EXPECT_EQ(topic("publish", "roombus/u/alice/alice/send/den"), allow);
  EXPECT_EQ(topic("publish", "roombus/u/alice/alice/send/den", R"(,"retain":true)"), deny);
  EXPECT_EQ(topic("publish", "roombus/u/alice/alice/send/den", R"(,"retain":"true")"), deny);
  EXPECT_EQ(topic("publish", "roombus/u/alice/alice/send/den", R"(,"retain":"false")"), allow);
  EXPECT_EQ(topic("publish", "roombus/u/bob/bob/send/den"), deny);
  EXPECT_EQ(topic("subscribe", "roombus/u/alice/alice/#"), allow);
  EXPECT_EQ(topic("subscribe", "roombus/u/#"), deny);
  EXPECT_EQ(topic("all", "roombus/u/alice/alice/#"), deny);
}

TEST_F(broker_auth_test, the_webhooks_of_vernemq) {
  const std::string no = R"({"result":{"error":"not_allowed"}})";
  const std::string who = R"("username":"alice","client_id":"alice~1","mountpoint":"")";
  EXPECT_EQ(ask("vernemq", "{" + who + R"(,"peer_addr":"10.0.0.7","password":"alice-pw"})", "auth_on_register"),
            R"({"result":"ok"})");
  EXPECT_EQ(checker.addresses.back(), "10.0.0.7");
  EXPECT_EQ(ask("vernemq", "{" + who + R"(,"password":null})", "auth_on_register"), no);
  EXPECT_EQ(ask("vernemq/auth_on_register_m5", "{" + who + R"(,"password":"alice-pw"})"), R"({"result":"ok"})");
  EXPECT_EQ(ask("vernemq", "{" + who + R"(,"topic":"roombus/u/alice/alice~1/status","retain":true,"qos":1})",
                "auth_on_publish"),
            R"({"result":"ok"})");
  EXPECT_EQ(ask("vernemq", "{" + who + R"(,"topic":"roombus/bus/all","retain":false,"qos":1})", "auth_on_publish"), no);
  const auto subscribe = [&](const std::string& topics) {
    return ask("vernemq", "{" + who + R"(,"topics":)" + topics + "}", "auth_on_subscribe");
  };
  EXPECT_EQ(subscribe(R"([{"topic":"roombus/u/alice/alice~1/#","qos":1}])"), R"({"result":"ok"})");
  EXPECT_EQ(subscribe(R"([{"topic":"roombus/u/alice/alice~1/#","qos":1},{"topic":"#","qos":1}])"), no);
  EXPECT_EQ(subscribe(R"([{"topic":"#","qos":1},{"topic":"$share/g/#","qos":0}])"), no);
  EXPECT_EQ(subscribe("[]"), no);
  EXPECT_EQ(subscribe("[1]"), no);
}

TEST_F(broker_auth_test, the_questions_of_rabbitmq) {
  struct {
    const char* path;
    const char* query;
    const char* result;
  } const table[] = {
      {"user", "username=alice&password=alice-pw&client_id=alice~1&vhost=%2F", "allow"},
      {"user", "username=alice&password=alice-pw&vhost=%2F", "deny"},  // AMQP has no client id
      {"user", "username=alice&password=alice-pw&client_id=bob&vhost=%2F", "deny"},
      {"user", "username=alice&username=bob&password=alice-pw&client_id=alice&vhost=%2F", "deny"},
      {"user", "username=a.b&password=a.b-pw&client_id=a.b&vhost=%2F", "deny"},
      {"user", "username=alice&password=alice-pw&client_id=alice~1&vhost=other", "deny"},
      {"user", "username=alice&password=%zz&client_id=alice~1&vhost=%2F", "deny"},
      {"vhost", "username=alice&vhost=%2F&ip=127.0.0.1", "allow"},
      {"vhost", "username=alice&vhost=other&ip=127.0.0.1", "deny"},
      {"resource", "username=alice&vhost=%2F&resource=exchange&name=amq.topic&permission=write", "allow"},
      {"resource", "username=alice&vhost=%2F&resource=exchange&name=amq.topic&permission=configure", "deny"},
      {"resource", "username=alice&vhost=%2F&resource=exchange&name=amq.direct&permission=write", "deny"},
      {"resource", "username=alice&vhost=%2F&resource=exchange&name=&permission=write", "deny"},
      {"resource", "username=alice&vhost=%2F&resource=queue&name=mqtt-subscription-alice~1qos1&permission=configure",
       "allow"},
      {"resource", "username=alice&vhost=%2F&resource=queue&name=mqtt-subscription-bob~1qos1&permission=read", "deny"},
      {"resource", "username=alice&vhost=%2F&resource=queue&name=orders&permission=read", "deny"},
      {"topic",
       "username=alice&vhost=%2F&resource=topic&name=amq.topic&permission=write&routing_key=roombus.u.alice.alice~1."
       "send.den&variable_map.client_id=alice~1",
       "allow"},
      {"topic",
       "username=alice&vhost=%2F&resource=topic&name=amq.topic&permission=write&routing_key=roombus.u.bob.bob~1.send."
       "den&variable_map.client_id=alice~1",
       "deny"},
      {"topic",
       "username=alice&vhost=%2F&resource=topic&name=amq.topic&permission=write&routing_key=roombus.u.alice.alice~1."
       "send.den&client_id=alice~1",
       "deny"},
      {"topic",
       "username=alice&vhost=%2F&resource=topic&name=amq.topic&permission=read&routing_key=roombus.u.alice.alice~1.%23&"
       "variable_map.client_id=alice~1",
       "allow"},
      {"topic",
       "username=alice&vhost=%2F&resource=topic&name=amq.topic&permission=read&routing_key=roombus.u.*.alice~1.%23&"
       "variable_map.client_id=alice~1",
       "deny"},
      {"topic",
       "username=alice&vhost=%2F&resource=topic&name=amq.topic&permission=read&routing_key=%23&variable_map.client_id="
       "alice~1",
       "deny"},
      // a topic level with a dot inside: in RabbitMQ it would be two levels
      {"topic",
       "username=alice&vhost=%2F&resource=topic&name=amq.topic&permission=write&routing_key=roombus%2Fu.alice&variable_"
       "map.client_id=alice~1",
       "deny"},
  };
  const http::header_list key{{"authorization", "Bearer k y/1"}};
  for (const auto& a : table) {
    const std::string path = std::string("/broker/rabbitmq/") + a.path;
    EXPECT_EQ(send("GET", path, a.query, "", key), a.result) << a.query;
    EXPECT_EQ(send("POST", path, "", a.query, key), a.result) << a.query;
  }
}

TEST_F(broker_auth_test, a_device_without_an_address_has_a_limit_of_its_own) {
  ask("rabbitmq/user", "username=alice&password=x&client_id=alice");
  EXPECT_EQ(checker.addresses.back(), "broker user alice");
}

TEST_F(broker_auth_test, topics_are_refused_when_the_token_has_expired) {
  const std::string topic =
      R"({"username":"alice","clientid":"alice","action":"publish","topic":"roombus/u/alice/alice/send/den"})";
  const std::string with_token = R"({"username":"alice","clientid":"alice","password":"eyJ.short"})";
  EXPECT_EQ(ask("emqx/authn", with_token), R"({"result":"allow","is_superuser":false,"expire_at":1060})");
  EXPECT_EQ(ask("emqx/authz", topic), R"({"result":"allow"})");
  time.now = 1'060'000;
  EXPECT_EQ(ask("emqx/authz", topic), R"({"result":"deny"})");
  EXPECT_EQ(ask("emqx/authn", R"({"username":"alice","clientid":"alice","password":"alice-pw"})"),
            R"({"result":"allow","is_superuser":false})");
  EXPECT_EQ(ask("emqx/authz", topic), R"({"result":"allow"})") << "logged in again, for good";
}

TEST_F(broker_auth_test, ends_of_logins_are_bounded) {
  const auto login_as = [this](const std::string& client) {
    return ask("emqx/authn", R"({"username":"alice","clientid":")" + client + R"(","password":"eyJ.short"})");
  };
  EXPECT_NE(login_as("alice~1"), R"({"result":"deny"})");
  EXPECT_NE(login_as("alice~2"), R"({"result":"deny"})");
  EXPECT_EQ(login_as("alice~3"), R"({"result":"deny"})");
  EXPECT_NE(login_as("alice~2"), R"({"result":"deny"})") << "known already";
}

TEST_F(broker_auth_test, the_end_of_a_login_is_told_when_it_comes) {
  using namespace std::chrono_literals;
  const auto login_as = [this](const std::string& client, const std::string& password) {
    return ask("emqx/authn", R"({"username":"alice","clientid":")" + client + R"(","password":")" + password + R"("})");
  };
  login_as("alice", "alice-pw");
  EXPECT_EQ(timers.pending(), 0U) << "no end";
  login_as("alice~1", "eyJ.short");
  login_as("alice~2", "eyJ.short");
  login_as("alice~2", "alice-pw");  // again, without an end
  time.now = 1'059'999;
  timers.advance(59'999ms);
  EXPECT_TRUE(ended.empty());
  timers.advance(1ms);
  EXPECT_TRUE(ended.empty()) << "the wall clock decides";
  time.now = 1'060'000;
  timers.advance(1ms);
  EXPECT_EQ(ended, std::vector<std::string>{"alice/alice~1"});
  EXPECT_EQ(timers.pending(), 0U);
  EXPECT_EQ(login_as("alice~1", "alice-pw"), R"({"result":"allow","is_superuser":false})");
}

TEST_F(broker_auth_test, what_another_instance_let_in_ends_here_too) {
  const std::string about = R"({"username":"alice","clientid":"alice~1","action":"publish","topic":)"
                            R"("roombus/u/alice/alice~1/status"})";
  const std::string yes = R"({"result":"allow"})";
  EXPECT_EQ(ask("emqx/authz", about), yes);
  time.now = 1'000'000;
  endpoint->learn("alice", "alice~1", 1'060'000);
  EXPECT_EQ(ask("emqx/authz", about), yes);
  time.now = 1'060'000;
  timers.advance(std::chrono::milliseconds(60'000));
  EXPECT_EQ(ended, std::vector<std::string>{"alice/alice~1"});
  EXPECT_NE(ask("emqx/authz", about), yes);
  endpoint->learn("alice", "alice~1", std::nullopt);
  EXPECT_EQ(ask("emqx/authz", about), yes) << "it has logged in again, without an end";
}

TEST(login_ends, each_end_is_told_once_and_the_latest_counts) {
  login_ends ends(10, 10);
  EXPECT_TRUE(ends.set("a", "a", 1'000, 0));
  EXPECT_TRUE(ends.set("b", "b", 500, 0));
  EXPECT_TRUE(ends.set("c", "c", 400, 0));
  EXPECT_TRUE(ends.set("b", "b", 2'000, 0));
  ends.clear("c", "c");
  ends.clear("d", "d");
  EXPECT_EQ(ends.next_end(), 1'000);
  EXPECT_TRUE(ends.take_ended(999).empty());
  ASSERT_EQ(ends.take_ended(1'000).size(), 1U);
  EXPECT_TRUE(ends.take_ended(1'000).empty());
  EXPECT_TRUE(ends.has_ended("a", "a", 1'000)) << "and stays remembered";
  EXPECT_EQ(ends.next_end(), 2'000);
}

TEST(login_ends, room_comes_back_a_day_after_the_end) {
  login_ends ends(1, 1);
  EXPECT_TRUE(ends.set("a", "a", 1'000, 0));
  EXPECT_FALSE(ends.set("b", "b", 90'000'000, 86'400'000));
  EXPECT_TRUE(ends.has_ended("a", "a", 1'000));
  EXPECT_TRUE(ends.set("b", "b", 90'000'000, 86'401'001));
  EXPECT_EQ(ends.size(), 1U);
}

TEST(login_ends, nobody_takes_the_room_of_the_others) {
  login_ends ends(10, 2);
  EXPECT_TRUE(ends.set("a", "1", 1'000, 0));
  EXPECT_TRUE(ends.set("a", "2", 1'000, 0));
  EXPECT_FALSE(ends.set("a", "3", 1'000, 0));
  EXPECT_TRUE(ends.set("a", "2", 2'000, 0)) << "it has its place";
  EXPECT_TRUE(ends.set("b", "1", 1'000, 0));
  ends.clear("a", "1");
  EXPECT_TRUE(ends.set("a", "3", 1'000, 0));
  EXPECT_FALSE(ends.set("a", "4", 90'000'000, 86'400'000));
  EXPECT_TRUE(ends.set("a", "4", 90'000'000, 86'401'001)) << "a day after an end";
}

TEST(routing_key, becomes_the_topic_again) {
  EXPECT_EQ(topic_of_routing_key("a.b.*.#"), "a/b/+/#");
  EXPECT_EQ(topic_of_routing_key("a/b"), "a.b");
}

}  // namespace
}  // namespace roombus::broker_auth
