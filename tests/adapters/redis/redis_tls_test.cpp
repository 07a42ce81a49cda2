// Redis over TLS: whom we talk to, whom never, and that what is promised without TLS holds with it.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/net/tls_context.hpp"
#include "adapters/redis/key_slot.hpp"
#include "core/ports/store_condition.hpp"
#include "tests/adapters/redis/append_load.hpp"

namespace roombus::test {

namespace {

using std::chrono::milliseconds;

class redis_tls_test : public store_operations, public ::testing::Test {
 protected:
  /// A Redis with this certificate.
  void serve(const certificate_files& own, bool asks_clients = false) {
    server =
        std::make_unique<redis_process>(std::vector<std::string>(), redis_tls{own, authority.ca_file(), asks_clients});
  }
  redis_options trusting(const std::string& ca_file, const certificate_files& own = {}) {
    redis_options options;
    net::opened_tls_context opened = net::open_tls_context({ca_file, own.cert, own.key});
    EXPECT_EQ(opened.error, "");
    options.tls = opened.context;
    return options;
  }
  void use(const std::string& url, redis_options options) {
    driver = std::make_unique<redis_driver>(url, false, std::move(options));
  }
  [[nodiscard]] std::string trouble() const { return dynamic_cast<const store_condition&>(driver->data()).trouble(); }
  /// It does not come to a connection: what a caller gets, and then why.
  std::string why_not(const std::string& url, redis_options options) {
    options.timeout = milliseconds(100);
    use(url, std::move(options));
    EXPECT_EQ(add_room("den"), "unavailable[]");
    EXPECT_TRUE(run_until([this] { return !trouble().empty(); }));
    EXPECT_EQ(driver->log.text().find("redis_connected"), std::string::npos) << driver->log.text();
    EXPECT_NE(driver->log.text().find("redis_lost"), std::string::npos) << driver->log.text();
    return trouble();
  }
  /// What somebody said to this Redis, whom it let in.
  [[nodiscard]] std::string commands_seen() const {
    const std::string all = server->run({"INFO", "commandstats"});
    return all.find("cmdstat_client") != std::string::npos || all.find("cmdstat_script") != std::string::npos ? all
                                                                                                              : "";
  }
  [[nodiscard]] std::string at(const std::string& host) const {
    return "rediss://" + host + ":" + std::to_string(server->port());
  }

  store& data() override { return driver->data(); }
  bool run_until(const std::function<bool()>& done) override { return driver->run_until(done); }

  test_authority authority;
  std::unique_ptr<redis_process> server;
  std::unique_ptr<redis_driver> driver;
};

std::vector<std::string> rooms_for(store_operations& on, std::size_t n) {
  std::vector<std::string> out;
  room_settings settings;
  settings.history_max_size = 1'000'000;
  for (std::size_t i = 0; i < n; ++i) {
    out.push_back("room" + std::to_string(i));
    EXPECT_EQ(on.add_room(out.back(), settings), "ok");
  }
  return out;
}

}  // namespace

TEST_F(redis_tls_test, a_server_is_known_by_its_address_or_its_name) {
  serve(authority.issue("DNS:localhost,IP:127.0.0.1"));
  use(at("127.0.0.1"), trusting(authority.ca_file()));
  EXPECT_EQ(add_room("den"), "ok");
  use(at("localhost"), trusting(authority.ca_file()));
  EXPECT_EQ(add_room("den"), "ok");
  EXPECT_EQ(trouble(), "");
}

TEST_F(redis_tls_test, who_cannot_show_a_good_certificate_is_not_spoken_to) {
  test_authority other;
  const std::string name = "127.0.0.1";
  struct row {
    const char* what;
    certificate_files own;
    std::string host;
    const char* why;
  };
  const std::vector<row> rows = {
      {"of an authority that is not trusted", other.issue("IP:127.0.0.1"), name, "unable to get local issuer"},
      {"self-signed", authority.self_signed("IP:127.0.0.1"), name, "self-signed certificate"},
      {"expired", authority.issue("IP:127.0.0.1", test_authority::validity::over), name, "certificate has expired"},
      {"not valid yet", authority.issue("IP:127.0.0.1", test_authority::validity::not_yet), name, "not yet valid"},
      {"of another address", authority.issue("IP:127.0.0.2"), name, "IP address mismatch"},
      {"of a name, asked for by address", authority.issue("DNS:localhost"), name, "IP address mismatch"},
      {"of another name", authority.issue("DNS:redis.test,IP:127.0.0.1"), "localhost", "hostname mismatch"},
      {"of nobody", authority.issue(""), name, "IP address mismatch"},
      {"address in a name", authority.issue("DNS:127.0.0.1"), name, "IP address mismatch"},
  };
  for (const row& r : rows) {
    serve(r.own);
    const std::string told = why_not(at(r.host), trusting(authority.ca_file()));
    EXPECT_NE(told.find("the certificate is not accepted: "), std::string::npos) << r.what << ": " << told;
    EXPECT_NE(told.find(r.why), std::string::npos) << r.what << ": " << told;
    EXPECT_EQ(commands_seen(), "") << r.what;
  }
}

TEST_F(redis_tls_test, without_a_file_the_systems_trust_store_decides) {
  serve(authority.issue("IP:127.0.0.1"));
  // Redis shows its authority with its certificate
  const std::string why = "the certificate is not accepted: self-signed certificate in certificate chain";
  const std::string told = why_not(at("127.0.0.1"), {});
  EXPECT_NE(told.find(why), std::string::npos) << told;
  EXPECT_NE(why_not(at("127.0.0.1"), trusting("")).find(why), std::string::npos);
}

TEST_F(redis_tls_test, plain_and_tls_are_not_mistaken_for_each_other) {
  serve(authority.issue("IP:127.0.0.1"));
  const std::string plainly = why_not("redis://" + server->address(), {});
  EXPECT_NE(plainly.find("rediss://"), std::string::npos) << plainly;
  const redis_process plain;
  const std::string secured = why_not("rediss://" + plain.address(), trusting(authority.ca_file()));
  EXPECT_NE(secured.find("TLS"), std::string::npos) << secured;
}

TEST_F(redis_tls_test, a_handshake_that_does_not_end_is_given_up) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 16), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string told =
      why_not("rediss://127.0.0.1:" + std::to_string(ntohs(address.sin_port)), trusting(authority.ca_file()));
  EXPECT_NE(told.find("no connection in time, still in the TLS handshake"), std::string::npos) << told;
  ::close(listener);
}

TEST_F(redis_tls_test, a_server_that_asks_who_we_are_is_shown_a_certificate) {
  serve(authority.issue("IP:127.0.0.1"), true);
  const certificate_files own = authority.issue("DNS:roombus.test");
  use(at("127.0.0.1"), trusting(authority.ca_file(), own));
  EXPECT_EQ(add_room("den"), "ok");
  const std::string without = why_not(at("127.0.0.1"), trusting(authority.ca_file()));
  EXPECT_NE(without.find("certificate required"), std::string::npos) << without;
  test_authority other;
  const std::string foreign = why_not(at("127.0.0.1"), trusting(authority.ca_file(), other.issue("DNS:roombus.test")));
  EXPECT_NE(foreign.find("unknown ca"), std::string::npos) << foreign;
}

TEST_F(redis_tls_test, a_killed_redis_comes_back_and_nothing_is_lost_or_doubled) {
  serve(authority.issue("IP:127.0.0.1"));
  redis_options options = trusting(authority.ca_file());
  options.timeout = milliseconds(1000);
  use(server->url(), options);
  append_load appends(*driver, rooms_for(*this, 3));
  survive_kills(appends, *driver, *server);
}

TEST_F(redis_tls_test, appends_whose_connection_is_cut_are_made_once) {
  serve(authority.issue("IP:127.0.0.1"));
  use(server->url(), trusting(authority.ca_file()));
  append_load appends(*driver, rooms_for(*this, 3));
  appends.start(30);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t before = appends.stored;
    ASSERT_TRUE(run_until([&] { return appends.stored > before + 100; }));
    EXPECT_NE(server->run({"CLIENT", "KILL", "TYPE", "normal"}), "0");
  }
  appends.stop();
  ASSERT_TRUE(run_until([&] { return appends.idle(); }));
  EXPECT_EQ(appends.check(), "");
  EXPECT_EQ(appends.unavailable + appends.unknown + appends.others, 0U);
}

TEST_F(redis_tls_test, what_is_longer_than_a_record_arrives_whole) {
  serve(authority.issue("IP:127.0.0.1"));
  use(server->url(), trusting(authority.ca_file()));
  room_settings settings;
  settings.history_max_size = 10;
  ASSERT_EQ(add_room("den", settings), "ok");
  enter("den", "mia", "m");
  const std::string text(300'000, 'x');
  EXPECT_EQ(append("den", "mia", text), "1");
  EXPECT_EQ(append("den", "mia", text + "y"), "2");
  EXPECT_EQ(history("den", "mia", recent(9)), "2=" + text + "y 1=" + text + " [1,2]");
}

TEST_F(redis_tls_test, redirections_of_a_cluster_are_followed_over_tls) {
  redis_cluster_processes cluster(3, false, redis_tls{authority.issue("IP:127.0.0.1"), authority.ca_file()});
  driver = std::make_unique<redis_driver>(cluster.urls(), true, trusting(authority.ca_file()));
  const std::vector<std::string> all = rooms_for(*this, 4);
  append_load appends(*driver, all);
  appends.start(20);
  const std::string key = driver->room_key(all.front());
  const std::uint16_t slot = redis::key_slot(key);
  redis_process* from = cluster.master_of(slot);
  ASSERT_NE(from, nullptr);
  redis_process* to = cluster.nodes.front().get() == from ? cluster.nodes.back().get() : cluster.nodes.front().get();
  const std::string number = std::to_string(slot);
  ASSERT_TRUE(run_until([&] { return appends.stored > 100; }));
  EXPECT_EQ(to->run({"CLUSTER", "SETSLOT", number, "IMPORTING", cluster.id_of(*from)}), "OK");
  EXPECT_EQ(from->run({"CLUSTER", "SETSLOT", number, "MIGRATING", cluster.id_of(*to)}), "OK");
  EXPECT_EQ(from->run({"MIGRATE", "127.0.0.1", std::to_string(to->port()), key, "0", "5000"}), "OK");
  std::uint64_t before = appends.stored;
  ASSERT_TRUE(run_until([&] { return appends.stored > before + 100; })) << "ASK";
  EXPECT_EQ(to->run({"CLUSTER", "SETSLOT", number, "NODE", cluster.id_of(*to)}), "OK");
  EXPECT_EQ(from->run({"CLUSTER", "SETSLOT", number, "NODE", cluster.id_of(*to)}), "OK");
  before = appends.stored;
  ASSERT_TRUE(run_until([&] { return appends.stored > before + 100; })) << "MOVED";
  appends.stop();
  ASSERT_TRUE(run_until([&] { return appends.idle(); }));
  EXPECT_EQ(appends.check(), "");
  EXPECT_EQ(appends.unavailable + appends.unknown + appends.others, 0U);
  const std::string metrics = driver->metrics.render();
  EXPECT_EQ(metrics.find("roombus_redis_redirections_total 0"), std::string::npos) << metrics;
}

TEST_F(redis_tls_test, nodes_of_a_cluster_are_known_by_the_names_that_they_announce) {
  redis_tls named{authority.issue("DNS:localhost"), authority.ca_file()};
  named.name = "localhost";
  redis_cluster_processes cluster(3, false, named);
  const std::string seed = "localhost:" + std::to_string(cluster.nodes.front()->port());
  driver = std::make_unique<redis_driver>("rediss://" + seed, true, trusting(authority.ca_file()));
  for (const std::string& room : rooms_for(*this, 12))
    EXPECT_EQ(append(room, "", "hello"), "1");
  const std::string log = driver->log.text();
  for (const auto& node : cluster.nodes)
    EXPECT_NE(log.find("redis_connected: localhost:" + std::to_string(node->port())), std::string::npos) << log;
}

}  // namespace roombus::test
