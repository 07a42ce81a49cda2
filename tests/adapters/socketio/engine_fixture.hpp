#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "adapters/socketio/engine_server.hpp"
#include "tests/adapters/socketio/fake_http.hpp"
#include "tests/support/fakes.hpp"

namespace roombus::socketio {

/// Notes what comes, and echoes it when asked to.
struct recording_receiver final : session_receiver {
  void on_text(std::string_view data) override { got.emplace_back(data); }
  void on_binary(std::string_view data) override { got.push_back("bin:" + std::string(data)); }
  void on_end(session_end why) override { ends.push_back(why); }

  std::vector<std::string> got;
  std::vector<session_end> ends;
};

/// An engine server with time in the test's hand.
class engine_fixture : public ::testing::Test {
 protected:
  using ms = std::chrono::milliseconds;

  static engine_options small() {
    engine_options options;
    options.eio3 = {ms(300), ms(200)};
    options.eio4 = {ms(300), ms(200)};
    options.max_pending = 2000;
    options.max_packets_per_body = 10;
    options.max_sessions = 4;
    options.max_half_open = 3;
    options.cors.origins = {"*"};
    return options;
  }

  explicit engine_fixture(engine_options options = small())
      : server(std::move(options), engine_environment{timers, time, random, registry},
               [this](const std::shared_ptr<engine_session>& session) {
                 sessions.push_back(session);
                 receivers.push_back(std::make_shared<recording_receiver>());
                 return receivers.back();
               }) {}

  /// Opens a polling session; answers the query of its later requests.
  std::string open_polling(const std::string& eio) {
    const auto answer = client.get("EIO=" + eio + "&transport=polling");
    EXPECT_EQ(answer->status(), 200U);
    return "EIO=" + eio + "&transport=polling&sid=" + test::sid_in(answer->body());
  }
  std::shared_ptr<test::fake_upgrade> open_websocket(const std::string& eio, const std::string& more = "") {
    auto ws = client.upgrade("EIO=" + eio + "&transport=websocket" + more);
    EXPECT_FALSE(ws->rejected);
    ws->open();
    ws->connection->take();
    return ws;
  }
  static std::string websocket_query(std::string polling) {
    return polling.replace(polling.find("polling"), 7, "websocket");
  }
  engine_session& session() { return *sessions.back(); }
  recording_receiver& receiver() { return *receivers.back(); }
  std::uint64_t count(bad_input why) { return server.metrics()->bad[static_cast<std::size_t>(why)]->count(); }

  test::fake_clock time;
  test::fake_scheduler timers{time};
  test::fake_random random;
  metrics_registry registry;
  std::vector<std::shared_ptr<engine_session>> sessions;
  std::vector<std::shared_ptr<recording_receiver>> receivers;
  engine_server server;
  test::fake_client client{server};
};

}  // namespace roombus::socketio
