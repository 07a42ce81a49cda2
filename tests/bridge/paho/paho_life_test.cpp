// Links that lose their broker, and that are stopped.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <utility>

#include "bridge/paho/no_delay.hpp"
#include "tests/bridge/paho/paho_fixture.hpp"

namespace roombus::mqtt {

namespace {

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

/// How many sockets are connected to that port of a peer, and on how many of them TCP_NODELAY is set.
std::pair<int, int> connected_without_delay(std::uint16_t port) {
  std::pair<int, int> found;
  for (int fd = 0; fd < 1024; ++fd) {
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0 || peer.sin_family != AF_INET) continue;
    if (ntohs(peer.sin_port) != port) continue;
    int on = 0;
    socklen_t size = sizeof on;
    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size);
    ++found.first;
    found.second += on != 0 ? 1 : 0;
  }
  return found;
}

}  // namespace

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
    ASSERT_TRUE(live.run_until([&] { return p.ups == round + 1; }));
    EXPECT_EQ(publish(p, text("t", "again")), publish_outcome::done);
    ASSERT_TRUE(live.run_until([&] { return !p.messages.empty(); }));
    EXPECT_EQ(p.messages[0].payload, "again");
  }
}

TEST_F(PahoLink, small_messages_go_out_at_once_after_a_reconnect_too) {
  start_broker();
  probe p;
  bring_up(p, {});
  const std::uint16_t port = port_of(options.uri);
  EXPECT_EQ(connected_without_delay(port), std::pair(1, 1));
  kill(broker->pid(), SIGKILL);
  ASSERT_TRUE(live.run_until([&] { return p.ups == 2; }));
  EXPECT_EQ(connected_without_delay(port), std::pair(1, 1));
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
  stop(first, 1s);
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
  stop(p, 10s);
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
  const auto begin = std::chrono::steady_clock::now();
  stop(p, 300ms);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 290ms);
  EXPECT_EQ(dropped, 1);
  p.link.reset();
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
  stop(p, no_limit);
}

TEST_F(PahoLink, stop_while_the_broker_is_away_is_quick) {
  start_broker();
  probe p;
  bring_up(p, {});
  bool gone = false;
  broker->stop([&] { gone = true; });
  ASSERT_TRUE(live.run_until([&] { return gone && p.downs == 1; }));
  stop(p, no_limit);
}

TEST_F(PahoLink, stop_at_once_and_without_start) {
  probe never;
  options.uri = "tcp://127.0.0.1:1";
  options.client_id = "x";
  make(never);
  stop(never, no_limit);
  probe p;
  make(p);
  p.link->start({}, p.handlers());
  stop(p, no_limit);
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

}  // namespace roombus::mqtt
