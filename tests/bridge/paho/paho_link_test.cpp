#include "bridge/paho/paho_link.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "adapters/mosquitto/mosquitto_process.hpp"
#include "tests/support/live_loop.hpp"

/// Paho C 1.3 never frees a message that it has not sent yet when its client is destroyed; max_handed_bytes bounds
/// that.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libpaho-mqtt3a";
}

/// Debian's Paho is not instrumented: what its tokens hand from its threads to ours under its own locks looks like a
/// race inside it.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:libpaho-mqtt";
}

namespace roombus::mqtt {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// A socket that accepts connections into its backlog and never answers.
class mute_server {
 public:
  mute_server() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof a;
    if (bind(fd_, reinterpret_cast<sockaddr*>(&a), length) != 0 || listen(fd_, 10) != 0) std::abort();
    getsockname(fd_, reinterpret_cast<sockaddr*>(&a), &length);
    port_ = ntohs(a.sin_port);
  }
  ~mute_server() { close(fd_); }
  [[nodiscard]] bool has_visitor() const {
    pollfd p{fd_, POLLIN, 0};
    return poll(&p, 1, 0) == 1;
  }
  [[nodiscard]] std::string uri() const { return "tcp://127.0.0.1:" + std::to_string(port_); }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

/// A link with counters of what it reported.
struct probe {
  std::unique_ptr<mqtt_link> link;
  int ups = 0;
  int downs = 0;
  bool stopped = false;
  std::vector<received_message> messages;

  [[nodiscard]] link_handlers handlers() {
    link_handlers h;
    h.on_up = [this] { ++ups; };
    h.on_down = [this](std::string_view) { ++downs; };
    h.on_message = [this](received_message m) { messages.push_back(std::move(m)); };
    return h;
  }
};

outgoing_message text(const std::string& topic, const std::string& payload, qos level = qos::at_least_once) {
  outgoing_message m;
  m.topic = topic;
  m.payload = std::make_shared<const std::string>(payload);
  m.level = level;
  return m;
}

subscription filter(const std::string& f, bool retained = true) {
  subscription s;
  s.filter = f;
  s.retained = retained;
  return s;
}

class PahoLink : public ::testing::Test {
 protected:
  ~PahoLink() override {
    if (HasFailure()) std::cerr << log.text();
  }

  void start_broker() {
    mosquitto::process_options o;
    o.device_port = 0;
    o.dev = dev;
    o.plugin = plugin;
    broker = std::make_unique<mosquitto::mosquitto_process>(o, live.loop, random, log, metrics);
    mosquitto::process_handlers h;
    h.on_ready = [this](const mosquitto::broker_address& a) {
      address = a;
      ++broker_ready;
    };
    broker->start(std::move(h));
    ASSERT_TRUE(live.run_until([this] { return broker_ready > 0; }));
    options.uri = address.bridge_uri;
    options.username = address.username;
    options.password = address.password;
    options.client_id = "bridge";
  }

  void make(probe& p) { p.link = make_paho_link(options, live.loop, random, log, metrics); }

  void bring_up(probe& p, std::vector<subscription> subscriptions) {
    make(p);
    p.link->start(std::move(subscriptions), p.handlers());
    ASSERT_TRUE(live.run_until([&] { return p.ups > 0; }));
  }

  /// Stops the link and tells how long it took.
  std::chrono::milliseconds stop(probe& p, std::chrono::milliseconds limit) {
    const auto begin = steady_clock::now();
    p.link->stop(limit, [&] { p.stopped = true; });
    EXPECT_TRUE(live.run_until([&] { return p.stopped; }));
    return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin);
  }

  bool subscribe(probe& p, const std::string& f) {
    std::optional<bool> outcome;
    p.link->subscribe(filter(f), [&](bool acknowledged) { outcome = acknowledged; });
    EXPECT_FALSE(outcome.has_value()) << "never called back from within subscribe";
    EXPECT_TRUE(live.run_until([&] { return outcome.has_value(); }));
    return outcome.value_or(false);
  }

  publish_outcome publish(probe& p, outgoing_message m) {
    std::optional<publish_outcome> outcome;
    p.link->publish(std::move(m), [&](publish_outcome o) { outcome = o; });
    EXPECT_FALSE(outcome.has_value()) << "never called back from within publish";
    EXPECT_TRUE(live.run_until([&] { return outcome.has_value(); }));
    return outcome.value_or(publish_outcome::dropped);
  }

  test::live_loop live;
  system_random random;
  test::log_collector log;
  metrics_registry metrics;
  std::unique_ptr<mosquitto::mosquitto_process> broker;
  mosquitto::broker_address address;
  int broker_ready = 0;
  bool dev = true;
  std::string plugin;  // none
  paho_options options;
};

}  // namespace

TEST_F(PahoLink, delivers_what_it_publishes_with_properties) {
  start_broker();
  probe p;
  bring_up(p, {filter("t/#")});
  outgoing_message m = text("t/1", std::string("a\0b", 3));
  m.content_type = "application/cbor";
  m.correlation_data = std::string("\0\xff", 2);
  EXPECT_EQ(publish(p, m), publish_outcome::done);
  EXPECT_EQ(publish(p, text("t/2", "zero", qos::at_most_once)), publish_outcome::done);
  EXPECT_EQ(publish(p, text("t/3", "two", qos::exactly_once)), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return p.messages.size() == 3; }));
  EXPECT_EQ(p.messages[0].topic, "t/1");
  EXPECT_EQ(p.messages[0].payload, std::string("a\0b", 3));
  EXPECT_EQ(p.messages[0].level, qos::at_least_once);
  EXPECT_EQ(p.messages[0].content_type, "application/cbor");
  EXPECT_EQ(p.messages[0].correlation_data, std::string("\0\xff", 2));
  EXPECT_EQ(p.messages[0].response_topic, std::nullopt);
  EXPECT_EQ(p.messages[1].level, qos::at_most_once);
  EXPECT_LT(stop(p, 2s), 1s);
}

TEST_F(PahoLink, gets_the_response_topic_of_a_request) {
  start_broker();
  probe p;
  bring_up(p, {filter("roombus/u/+/+/call/#")});
  const std::string command = "mosquitto_pub -V 5 -q 1 -u bob -m '[]' -t roombus/u/bob/b/call/x -p " +
                              std::to_string(address.device_port) +
                              " -D publish response-topic roombus/u/bob/b/reply/1 -D publish correlation-data 17";
  ASSERT_EQ(test::run_program(live, command).status, 0);
  ASSERT_TRUE(live.run_until([&] { return !p.messages.empty(); }));
  EXPECT_EQ(p.messages[0].response_topic, "roombus/u/bob/b/reply/1");
  EXPECT_EQ(p.messages[0].correlation_data, "17");
}

TEST_F(PahoLink, speaks_mqtt_3_1_1) {
  start_broker();
  options.version = protocol_version::v3_1_1;
  probe p;
  bring_up(p, {filter("t/#"), filter("s", false)});
  outgoing_message m = text("t/1", "x");
  m.content_type = "application/json";
  EXPECT_EQ(publish(p, m), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return p.messages.size() == 1; }));
  EXPECT_EQ(p.messages[0].content_type, std::nullopt);
}

TEST_F(PahoLink, retained_messages_come_where_asked_for) {
  start_broker();
  probe first;
  bring_up(first, {});
  for (const char* topic : {"old/a", "new/a"}) {
    outgoing_message m = text(topic, "kept");
    m.keep = retain::yes;
    EXPECT_EQ(publish(first, m), publish_outcome::done);
  }
  options.client_id = "second";
  probe second;
  bring_up(second, {filter("old/#", false), filter("new/#", true)});
  EXPECT_EQ(publish(second, text("old/mark", "x")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] {
    return std::any_of(second.messages.begin(), second.messages.end(),
                       [](const auto& m) { return m.topic == "old/mark"; });
  }));
  ASSERT_TRUE(live.run_until([&] { return second.messages.size() >= 2; }));
  for (const received_message& m : second.messages)
    EXPECT_NE(m.topic, "old/a");
  EXPECT_EQ(second.messages.size(), 2U);
}

TEST_F(PahoLink, a_lone_round_trip_at_qos_1_takes_less_than_10_ms) {
  start_broker();
  probe p;
  bring_up(p, {filter("t")});
  std::vector<std::chrono::microseconds> times;
  for (std::size_t i = 1; i <= 50; ++i) {
    const auto begin = steady_clock::now();
    p.link->publish(text("t", "x"), {});
    ASSERT_TRUE(live.run_until([&] { return p.messages.size() == i; }));
    times.push_back(std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begin));
  }
  std::sort(times.begin(), times.end());
  RecordProperty("median_us", static_cast<int>(times[25].count()));
  std::cout << "median " << times[25].count() << " us, worst " << times.back().count() << " us\n";
  EXPECT_LT(times[25], 10ms);
}

TEST_F(PahoLink, keeps_order_and_completes_everything_under_load) {
  start_broker();
  probe p;
  bring_up(p, {filter("t")});
  constexpr int total = 20000;
  int done = 0;
  const auto begin = steady_clock::now();
  for (int i = 0; i < total; ++i) {
    p.link->publish(text("t", std::to_string(i)),
                    [&](publish_outcome o) { done += o == publish_outcome::done ? 1 : 0; });
  }
  EXPECT_EQ(p.link->in_flight(), static_cast<std::size_t>(total));
  ASSERT_TRUE(live.run_until([&] { return done == total && p.messages.size() == total; }, 15s));
  const double seconds = std::chrono::duration<double>(steady_clock::now() - begin).count();
  std::cout << "published and received " << static_cast<int>(total / seconds) << " messages/s at QoS 1\n";
  for (int i = 0; i < total; ++i)
    ASSERT_EQ(p.messages[static_cast<std::size_t>(i)].payload, std::to_string(i));
  EXPECT_EQ(p.link->in_flight(), 0U);
}

TEST_F(PahoLink, publishes_without_subscriber) {
  start_broker();
  probe p;
  bring_up(p, {});
  for (const qos level : {qos::at_most_once, qos::at_least_once}) {
    constexpr int total = 20000;
    int done = 0;
    const auto begin = steady_clock::now();
    for (int i = 0; i < total; ++i) {
      p.link->publish(text("t", "0123456789012345678901234567890123456789012345678901234567890123", level),
                      [&](publish_outcome o) { done += o == publish_outcome::done ? 1 : 0; });
    }
    ASSERT_TRUE(live.run_until([&] { return done == total; }, 15s));
    const double seconds = std::chrono::duration<double>(steady_clock::now() - begin).count();
    std::cout << "published " << static_cast<int>(total / seconds) << " messages/s at QoS " << static_cast<int>(level)
              << "\n";
  }
}

TEST_F(PahoLink, large_messages_all_arrive) {
  start_broker();
  probe p;
  bring_up(p, {filter("t")});
  int done = 0;
  for (int i = 0; i < 40; ++i) {
    p.link->publish(text("t", std::string(1U << 20U, static_cast<char>('a' + i % 26))),
                    [&](publish_outcome o) { done += o == publish_outcome::done ? 1 : 0; });
  }
  ASSERT_TRUE(live.run_until([&] { return done == 40 && p.messages.size() == 40; }, 30s));
  for (std::size_t i = 0; i < 40; ++i)
    EXPECT_EQ(p.messages[i].payload[9], static_cast<char>('a' + i % 26));
}

TEST_F(PahoLink, the_queue_is_bounded_in_messages_and_bytes) {
  start_broker();
  options.max_queue_messages = 10;
  options.max_queue_bytes = 100000;
  probe p;
  bring_up(p, {});
  int done = 0;
  int dropped = 0;
  const auto count = [&](publish_outcome o) { ++(o == publish_outcome::done ? done : dropped); };
  for (int i = 0; i < 15; ++i)
    p.link->publish(text("t", "x"), count);
  ASSERT_TRUE(live.run_until([&] { return done + dropped == 15; }));
  EXPECT_EQ(done, 10);
  EXPECT_EQ(dropped, 5);
  for (int i = 0; i < 5; ++i)
    p.link->publish(text("t", std::string(30000, 'x')), count);
  ASSERT_TRUE(live.run_until([&] { return done + dropped == 20; }));
  EXPECT_EQ(done, 13);
  EXPECT_NE(metrics.render().find("roombus_mqtt_publish_dropped_total 7"), std::string::npos);
}

TEST_F(PahoLink, bad_topics_and_large_payloads_are_refused_and_hurt_nobody) {
  start_broker();
  probe p;
  bring_up(p, {});
  const std::string bad[] = {"", "a/+", "#", std::string("a\0b", 3), "\xff", std::string(70000, 'x')};
  for (const std::string& topic : bad) {
    EXPECT_EQ(publish(p, text(topic, "x")), publish_outcome::refused) << topic.substr(0, 10);
  }
  EXPECT_EQ(publish(p, text("t", std::string(4U << 20U, 'x'))), publish_outcome::refused);
  EXPECT_EQ(publish(p, text("t", "x")), publish_outcome::done);
  EXPECT_EQ(p.downs, 0);
}

TEST_F(PahoLink, a_publish_that_the_broker_forbids_is_refused) {
  start_broker();
  options.uri = "tcp://127.0.0.1:" + std::to_string(address.device_port);
  options.username = "bob";
  probe p;
  bring_up(p, {});
  EXPECT_EQ(publish(p, text("roombus/u/bob/b/status", "online")), publish_outcome::done);
  EXPECT_EQ(publish(p, text("roombus/bus/all", "x")), publish_outcome::refused);
}

TEST_F(PahoLink, reconnects_after_a_broker_restart_and_subscribes_again) {
  start_broker();
  probe p;
  bring_up(p, {filter("t")});
  for (int round = 1; round <= 2; ++round) {
    int dropped = 0;
    kill(broker->pid(), SIGSTOP);
    p.link->publish(text("t", "lost"), [&](publish_outcome o) { dropped += o == publish_outcome::dropped ? 1 : 0; });
    kill(broker->pid(), SIGKILL);
    ASSERT_TRUE(live.run_until([&] { return p.downs == round; }));
    EXPECT_EQ(dropped, 1);
    EXPECT_EQ(publish(p, text("t", "down")), publish_outcome::dropped);
    const auto begin = steady_clock::now();
    ASSERT_TRUE(live.run_until([&] { return p.ups == round + 1; }));
    std::cout << "up again after "
              << std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin).count() << " ms\n";
    p.messages.clear();
    EXPECT_EQ(publish(p, text("t", "again")), publish_outcome::done);
    ASSERT_TRUE(live.run_until([&] { return !p.messages.empty(); }));
    EXPECT_EQ(p.messages[0].payload, "again");
  }
}

TEST_F(PahoLink, no_delay_is_set_again_after_a_reconnect) {
  start_broker();
  probe p;
  bring_up(p, {filter("t")});
  kill(broker->pid(), SIGKILL);
  ASSERT_TRUE(live.run_until([&] { return p.ups == 2; }));
  std::vector<steady_clock::duration> times;
  for (std::size_t i = 1; i <= 21; ++i) {
    const auto begin = steady_clock::now();
    p.link->publish(text("t", "x"), {});
    ASSERT_TRUE(live.run_until([&] { return p.messages.size() == i; }));
    times.push_back(steady_clock::now() - begin);
  }
  std::sort(times.begin(), times.end());
  EXPECT_LT(times[10], 10ms);
}

TEST_F(PahoLink, a_takeover_by_the_broker_is_noticed) {
  start_broker();
  probe p;
  bring_up(p, {});
  probe other;
  bring_up(other, {});  // the same client id: Mosquitto disconnects the first
  EXPECT_TRUE(live.run_until([&] { return p.downs > 0; }, 5s));
  other.link.reset();
}

TEST_F(PahoLink, a_kept_session_delivers_what_came_meanwhile) {
  start_broker();
  options.clean_start = false;
  options.session_expiry = 60s;
  probe first;
  bring_up(first, {filter("t")});
  (void)stop(first, 1s);
  first.link.reset();
  probe sender;
  {
    const paho_options kept = options;
    options.client_id = "sender";
    bring_up(sender, {});
    options = kept;
  }
  EXPECT_EQ(publish(sender, text("t", "meanwhile")), publish_outcome::done);
  probe second;
  bring_up(second, {filter("t")});
  ASSERT_TRUE(live.run_until([&] { return !second.messages.empty(); }));
  EXPECT_EQ(second.messages[0].payload, "meanwhile");
}

TEST_F(PahoLink, keeps_trying_while_no_broker_answers) {
  mute_server server;
  options.uri = server.uri();
  options.client_id = "x";
  options.connect_timeout = 200ms;
  options.longest_delay = 200ms;
  probe p;
  make(p);
  p.link->start({}, p.handlers());
  const auto tries = [&] {
    const std::string all = log.text();
    int n = 0;
    for (std::size_t at = 0; (at = all.find("mqtt_connect_failed", at)) != std::string::npos; ++at)
      ++n;
    return n;
  };
  EXPECT_TRUE(live.run_until([&] { return tries() >= 3; }));
  EXPECT_FALSE(p.link->is_up());
  EXPECT_EQ(p.ups + p.downs, 0);
  EXPECT_EQ(publish(p, text("t", "x")), publish_outcome::dropped);
}

TEST_F(PahoLink, a_wrong_password_is_told_and_tried_again) {
  dev = false;  // in development the name of the bridge's account is its secret
  start_broker();
  options.password = "wrong";
  probe p;
  make(p);
  p.link->start({}, p.handlers());
  EXPECT_TRUE(live.run_until([&] { return log.text().find("mqtt_connect_failed") != std::string::npos; }));
  EXPECT_FALSE(p.link->is_up());
}

TEST_F(PahoLink, stop_waits_for_what_is_in_flight) {
  start_broker();
  probe p;
  bring_up(p, {});
  int done = 0;
  for (int i = 0; i < 2000; ++i) {
    p.link->publish(text("t", "x"), [&](publish_outcome o) { done += o == publish_outcome::done ? 1 : 0; });
  }
  (void)stop(p, 10s);
  EXPECT_EQ(done, 2000);
}

TEST_F(PahoLink, stop_while_the_broker_hangs_ends_at_the_limit) {
  start_broker();
  probe p;
  bring_up(p, {});
  kill(broker->pid(), SIGSTOP);
  int dropped = 0;
  p.link->publish(text("t", "x"), [&](publish_outcome o) {
    EXPECT_FALSE(p.stopped);
    dropped += o == publish_outcome::dropped ? 1 : 0;
  });
  const auto took = stop(p, 300ms);
  EXPECT_GE(took, 290ms);
  EXPECT_LT(took, 1500ms);
  EXPECT_EQ(dropped, 1);
  const auto begin = steady_clock::now();
  p.link.reset();
  EXPECT_LT(steady_clock::now() - begin, 4s);
  kill(broker->pid(), SIGCONT);
}

TEST_F(PahoLink, stop_while_connecting_is_quick) {
  mute_server server;
  options.uri = server.uri();
  options.client_id = "x";
  probe p;
  make(p);
  p.link->start({}, p.handlers());
  std::function<void()> look;
  timer_handle timer;
  look = [&] { timer = live.loop.after(2ms, look); };
  look();
  ASSERT_TRUE(live.run_until([&] { return server.has_visitor(); }));
  EXPECT_LT(stop(p, 1s), 1500ms);
}

TEST_F(PahoLink, stop_while_the_broker_is_away_is_quick) {
  start_broker();
  probe p;
  bring_up(p, {});
  bool gone = false;
  broker->stop([&] { gone = true; });
  ASSERT_TRUE(live.run_until([&] { return gone && p.downs == 1; }));
  EXPECT_LT(stop(p, 1s), 1500ms);
}

TEST_F(PahoLink, stop_at_once_and_without_start) {
  probe never;
  options.uri = "tcp://127.0.0.1:1";
  options.client_id = "x";
  make(never);
  EXPECT_LT(stop(never, 1s), 1500ms);
  probe p;
  make(p);
  p.link->start({}, p.handlers());
  EXPECT_LT(stop(p, 1s), 1500ms);
}

TEST_F(PahoLink, may_be_destroyed_in_any_state) {
  start_broker();
  {
    probe p;
    make(p);
    p.link->start({filter("#")}, p.handlers());
  }
  {
    probe p;
    bring_up(p, {filter("#")});
    for (int i = 0; i < 1000; ++i)
      p.link->publish(text("t", "x"), [](publish_outcome) { FAIL() << "called after"; });
  }
  probe p;
  make(p);
  link_handlers h;
  bool called = false;
  h.on_up = [&] {
    called = true;
    p.link.reset();
  };
  p.link->start({}, std::move(h));
  EXPECT_TRUE(live.run_until([&] { return called; }));
  bool turned = false;
  live.loop.post([&] { turned = true; });
  EXPECT_TRUE(live.run_until([&] { return turned; }));
}

// ---- subscriptions made while the link runs

TEST_F(PahoLink, a_subscription_made_while_up_holds_from_its_answer_on) {
  start_broker();
  probe p;
  bring_up(p, {});
  EXPECT_EQ(publish(p, text("t", "before")), publish_outcome::done);
  EXPECT_TRUE(subscribe(p, "t"));
  EXPECT_EQ(publish(p, text("t", "after")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return !p.messages.empty(); }));
  EXPECT_EQ(p.messages[0].payload, "after");
  EXPECT_TRUE(subscribe(p, "t")) << "again: changes nothing";
  p.messages.clear();
  EXPECT_EQ(publish(p, text("t", "once")), publish_outcome::done);
  EXPECT_EQ(publish(p, text("t", "end")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return !p.messages.empty() && p.messages.back().payload == "end"; }));
  EXPECT_EQ(p.messages.size(), 2U);
}

TEST_F(PahoLink, an_ended_subscription_brings_nothing_more) {
  start_broker();
  probe p;
  bring_up(p, {});
  EXPECT_TRUE(subscribe(p, "a/+"));
  EXPECT_TRUE(subscribe(p, "mark"));
  p.link->unsubscribe("a/+");
  p.link->unsubscribe("never/there");
  EXPECT_TRUE(subscribe(p, "b")) << "requests are answered in order, so the one above is done, too";
  EXPECT_EQ(publish(p, text("a/1", "x")), publish_outcome::done);
  EXPECT_EQ(publish(p, text("mark", "x")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return !p.messages.empty(); }));
  EXPECT_EQ(p.messages[0].topic, "mark");
  EXPECT_TRUE(subscribe(p, "a/+")) << "and again";
  EXPECT_EQ(publish(p, text("a/1", "y")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return p.messages.size() == 2; }));
  EXPECT_EQ(p.messages[1].payload, "y");
}

TEST_F(PahoLink, whoever_ends_a_subscription_on_its_way_is_told) {
  start_broker();
  probe p;
  bring_up(p, {});
  std::optional<bool> first;
  std::optional<bool> second;
  p.link->subscribe(filter("t"), [&](bool ok) { first = ok; });
  p.link->unsubscribe("t");
  p.link->subscribe(filter("t"), [&](bool ok) { second = ok; });
  ASSERT_TRUE(live.run_until([&] { return first && second; }));
  EXPECT_FALSE(*first);
  EXPECT_TRUE(*second);
  EXPECT_EQ(publish(p, text("t", "x")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return !p.messages.empty(); }));
}

TEST_F(PahoLink, what_is_asked_while_down_is_made_before_the_link_is_up) {
  start_broker();
  probe p;
  make(p);
  bool before_up = false;
  p.link->subscribe(filter("early"), [&](bool ok) { before_up = ok && p.ups == 0; });
  p.link->subscribe(filter("never"), [&](bool ok) { EXPECT_FALSE(ok); });
  p.link->start({filter("base")}, p.handlers());
  p.link->unsubscribe("never");
  ASSERT_TRUE(live.run_until([&] { return p.ups > 0; }));
  EXPECT_TRUE(before_up);
  for (const char* topic : {"base", "never", "early"})
    EXPECT_EQ(publish(p, text(topic, "x")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return p.messages.size() >= 2; }));
  EXPECT_EQ(p.messages[0].topic, "base");
  EXPECT_EQ(p.messages[1].topic, "early");
}

TEST_F(PahoLink, subscriptions_are_restored_after_the_brokers_restart) {
  start_broker();
  probe p;
  bring_up(p, {filter("base")});
  EXPECT_TRUE(subscribe(p, "kept"));
  EXPECT_TRUE(subscribe(p, "ended"));
  kill(broker->pid(), SIGKILL);
  ASSERT_TRUE(live.run_until([&] { return p.downs == 1; }));
  p.link->unsubscribe("ended");
  bool made = false;
  p.link->subscribe(filter("new"), [&](bool ok) { made = ok && p.ups == 1; });
  bool again = false;
  p.link->subscribe(filter("kept"), [&](bool ok) { again = ok && p.ups == 1; });
  ASSERT_TRUE(live.run_until([&] { return p.ups == 2; }));
  EXPECT_TRUE(made);
  EXPECT_TRUE(again);
  for (const char* topic : {"ended", "kept", "new", "base"})
    EXPECT_EQ(publish(p, text(topic, "x")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return p.messages.size() >= 3; }));
  EXPECT_EQ(p.messages[0].topic, "kept");
  EXPECT_EQ(p.messages[1].topic, "new");
  EXPECT_EQ(p.messages[2].topic, "base");
}

TEST_F(PahoLink, what_was_ended_while_away_is_ended_in_a_kept_session) {
  start_broker();
  options.clean_start = false;
  options.session_expiry = 60s;
  probe p;
  bring_up(p, {});
  EXPECT_TRUE(subscribe(p, "ended"));
  options.client_id = "bridge";
  probe other;
  bring_up(other, {});  // takes the session over: the first is disconnected, and then takes it back
  ASSERT_TRUE(live.run_until([&] { return p.downs > 0; }));
  p.link->unsubscribe("ended");
  other.link.reset();
  ASSERT_TRUE(live.run_until([&] { return p.ups >= 2 && p.link->is_up(); }));
  EXPECT_TRUE(subscribe(p, "mark"));
  EXPECT_EQ(publish(p, text("ended", "x")), publish_outcome::done);
  EXPECT_EQ(publish(p, text("mark", "x")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return !p.messages.empty(); }));
  EXPECT_EQ(p.messages[0].topic, "mark");
}

#ifdef ROOMBUS_PLUGIN  // a broker without it refuses nothing
TEST_F(PahoLink, a_refused_subscription_is_told_and_hurts_nobody) {
  plugin = ROOMBUS_PLUGIN;
  start_broker();
  options.uri = "tcp://127.0.0.1:" + std::to_string(address.device_port);
  options.username = "bob";
  options.client_id = "bob";
  for (const protocol_version version : {protocol_version::v5, protocol_version::v3_1_1}) {
    options.version = version;
    probe p;
    bring_up(p, {filter("roombus/u/bob/bob/reply/#")});
    EXPECT_FALSE(subscribe(p, "roombus/bus/all"));
    EXPECT_FALSE(subscribe(p, "roombus/bus/all")) << "tried again";
    EXPECT_TRUE(subscribe(p, "roombus/u/bob/bob/event/#"));
    EXPECT_EQ(p.downs, 0);
    (void)stop(p, 1s);
  }
}
#endif

TEST_F(PahoLink, filters_that_no_broker_takes_are_refused_at_once) {
  start_broker();
  probe p;
  bring_up(p, {});
  const std::string bad[] = {"", "a+", "+a", "#/a", "a/b#", std::string("a\0b", 3), "\xff", std::string(70000, 'x')};
  for (const std::string& f : bad)
    EXPECT_FALSE(subscribe(p, f)) << f.substr(0, 10);
  EXPECT_TRUE(subscribe(p, "+/a/#"));
  EXPECT_EQ(p.downs, 0);
}

TEST_F(PahoLink, thousands_of_subscriptions_at_once) {
  start_broker();
  probe p;
  bring_up(p, {});
  constexpr int total = 5000;
  int made = 0;
  const auto begin = steady_clock::now();
  for (int i = 0; i < total; ++i)
    p.link->subscribe(filter("many/" + std::to_string(i)), [&](bool ok) { made += ok ? 1 : 0; });
  ASSERT_TRUE(live.run_until([&] { return made == total; }, 30s));
  std::cout << total << " subscriptions in "
            << std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begin).count() << " ms\n";
  kill(broker->pid(), SIGKILL);
  ASSERT_TRUE(live.run_until([&] { return p.ups == 2; }, 30s));
  for (int i = 0; i < total; i += 1000)
    EXPECT_EQ(publish(p, text("many/" + std::to_string(i), "x")), publish_outcome::done);
  EXPECT_TRUE(live.run_until([&] { return p.messages.size() == 5; }));
}

TEST_F(PahoLink, one_subscription_too_many_is_refused) {
  options.uri = "tcp://127.0.0.1:1";
  options.client_id = "x";
  probe p;
  make(p);
  int refused = 0;
  for (std::size_t i = 0; i <= mqtt_link::max_subscriptions; ++i)
    p.link->subscribe(filter(std::to_string(i)), [&](bool ok) { refused += ok ? 0 : 1; });
  ASSERT_TRUE(live.run_until([&] { return refused > 0; }));
  EXPECT_EQ(refused, 1);
  (void)stop(p, 1s);
  EXPECT_EQ(refused, static_cast<int>(mqtt_link::max_subscriptions) + 1) << "those that wait are told at the end";
}

}  // namespace roombus::mqtt
