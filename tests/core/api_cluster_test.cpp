// What the server API does on all instances: two services over one store, and a bus between them. Source: contract §8.

#include "tests/support/cluster_fakes.hpp"
#include "tests/support/hooked_fixture.hpp"

namespace roombus::test {
namespace {

using strings = std::vector<std::string>;

class linked_bus;

/// Where buses meet: what is sent arrives in a later turn.
struct medium {
  explicit medium(scheduler& s) : timers(s) {}
  scheduler& timers;
  std::vector<linked_bus*> buses;
};

class linked_bus final : public cluster_bus {
 public:
  explicit linked_bus(medium& m) : medium_(m) { medium_.buses.push_back(this); }
  void open(std::string incarnation, cluster_bus_handlers handlers) override {
    name_ = std::move(incarnation);
    on_ = std::move(handlers);
  }
  void rename(std::string incarnation) override { name_ = std::move(incarnation); }
  [[nodiscard]] bool is_up() const override { return true; }
  void send_all(const value_map& body, done_handler done) override {
    for (linked_bus* bus : medium_.buses)
      bus->take(body);
    settle(std::move(done));
  }
  void send_to(const std::string& to, const value_map& body, done_handler done) override {
    for (linked_bus* bus : medium_.buses) {
      if (bus->name_ == to) bus->take(body);
    }
    settle(std::move(done));
  }
  void send_room(const room_name& /*room*/, const value_map& body, done_handler done) override {
    send_all(body, std::move(done));
  }
  void listen(const room_name& /*room*/, done_handler done) override { settle(std::move(done)); }
  void stop_listening(const room_name& /*room*/) override {}

 private:
  void take(const value_map& body) {
    medium_.timers.post([this, body] {
      if (on_.on_message) on_.on_message(body);
    });
  }
  void settle(done_handler done) {
    if (!done) return;
    medium_.timers.post([done = std::move(done)] { done(true); });
  }

  medium& medium_;
  std::string name_;
  cluster_bus_handlers on_;
};

class api_cluster_test : public ::testing::Test {
 protected:
  /// One of the instances, and what its operators see.
  struct instance {
    instance(api_cluster_test& test, const std::string& name)
        : bus(test.air),
          chat(chat_options{}, chat_limits{}, name,
               service::environment{*test.data, test.time, test.random, test.timers, test.log, metrics}) {
      chat.set_cluster(cluster_parts{test.log_store, bus, devices, ownership});
      chat.events().add([this](const operator_event& e) {
        observed.push_back(std::string(e.name) + json::write(value(value_map(e.data))));
      });
      auto starting = chat.start(value_map());
      test.timers.run_posted();
      EXPECT_TRUE(starting.done() && starting.take().has_value());
      observed.clear();
    }

    metrics_registry metrics;
    linked_bus bus;
    fake_devices devices;
    fake_ownership ownership;
    strings observed;
    service chat;
  };

  std::shared_ptr<recording_sink> connect(instance& at, const std::string& user, const std::string& id) {
    auto sink = std::make_shared<recording_sink>();
    auto connecting = at.chat.connect(user_name(user), connection_id(id), sink);
    timers.run_posted();
    EXPECT_TRUE(connecting.done() && connecting.take().has_value());
    return sink;
  }

  std::string asked(instance& at, const std::string& method, const std::string& args) {
    auto pending = at.chat.call_api(method, read_json(args));
    timers.run_posted();
    if (!pending.done()) return "running";
    reply answer = pending.take();
    return answer ? json::write(value(*answer)) : std::string(answer.error().code_name());
  }

  fake_clock time;
  fake_random random;
  fake_scheduler timers{time};
  recording_log log;
  std::unique_ptr<store> data = make_memory_store(time);
  fake_cluster_store log_store;
  medium air{timers};
  instance here{*this, "here"};
  instance there{*this, "there"};
};

TEST_F(api_cluster_test, disconnectUserSockets_closes_the_users_connections_on_every_instance) {
  proves("8.16");
  const auto near = connect(here, "alice", "a1");
  const auto far = connect(there, "alice", "a2");
  const auto other = connect(there, "bob", "b1");
  EXPECT_EQ(asked(here, "disconnectUserSockets", R"(["alice"])"), "[null]");
  EXPECT_EQ(near->closed, std::vector<close_reason>{close_reason::disconnected});
  EXPECT_EQ(far->closed, std::vector<close_reason>{close_reason::disconnected});
  EXPECT_TRUE(other->closed.empty());
}

TEST_F(api_cluster_test, clusterBusEmit_reaches_the_operators_of_every_instance_once) {
  proves("8.31");
  EXPECT_EQ(asked(here, "clusterBusEmit", R"(["reload",[1,{"a":2}]])"), "[null]");
  const strings told{R"(clusterBus{"event":"reload","args":[1,{"a":2}]})"};
  EXPECT_EQ(here.observed, told);
  EXPECT_EQ(there.observed, told);
}

}  // namespace
}  // namespace roombus::test
