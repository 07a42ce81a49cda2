#include "adapters/socketio/engine_session.hpp"

#include "tests/adapters/socketio/engine_fixture.hpp"

namespace roombus::socketio {
namespace {

using engine_session_test = engine_fixture;
using strings = std::vector<std::string>;

TEST_F(engine_session_test, a_turns_packets_leave_in_one_answer) {
  const auto query = open_polling("4");
  const auto poll = client.get(query);
  session().send(make_text_message("a"));
  session().send(make_binary_message(eio_version::v4, "b"));
  EXPECT_EQ(poll->count, 0);
  timers.run_posted();
  EXPECT_EQ(poll->body(),
            "4a\x1e"
            "bYg==");
  session().send(make_text_message("c"));
  timers.run_posted();
  EXPECT_EQ(client.get(query)->body(), "4c");
}

TEST_F(engine_session_test, posts_reach_the_receiver_in_order) {
  const auto query = open_polling("4");
  EXPECT_EQ(client
                .post(query,
                      "4a\x1e"
                      "bYg==\x1e"
                      "6\x1e"
                      "4c")
                ->body(),
            "ok");
  EXPECT_EQ(receiver().got, (strings{"a", "bin:b", "c"}));
}

TEST_F(engine_session_test, a_bad_body_takes_nothing_of_it) {
  const auto query = open_polling("4");
  EXPECT_EQ(client
                .post(query,
                      "4a\x1e"
                      "x")
                ->status(),
            400U);
  timers.run_posted();
  EXPECT_EQ(receiver().got, strings());
  EXPECT_EQ(receiver().ends, std::vector{session_end::bad_input});
  EXPECT_EQ(client.get(query)->status(), 400U);
  EXPECT_EQ(count(bad_input::engine), 1U);
}

TEST_F(engine_session_test, a_second_get_ends_the_session) {
  const auto query = open_polling("3");
  const auto first = client.get(query);
  const auto second = client.get(query);
  EXPECT_EQ(first->body(), "1:1");
  EXPECT_EQ(second->status(), 400U);
  EXPECT_EQ(client.get(query)->status(), 400U);
  EXPECT_EQ(count(bad_input::overlap), 1U);
}

TEST_F(engine_session_test, a_get_given_up_ends_the_session) {
  const auto query = open_polling("4");
  client.get(query)->abort();
  timers.run_posted();
  EXPECT_EQ(receiver().ends, std::vector{session_end::transport_close});
  EXPECT_EQ(server.session_count(), 0U);
}

TEST_F(engine_session_test, a_client_that_never_polls_is_bounded) {
  open_polling("4");
  for (int i = 0; i < 100; ++i)
    session().send(make_text_message("1234567890"));
  timers.run_posted();
  EXPECT_EQ(receiver().ends, std::vector{session_end::slow});
  EXPECT_EQ(server.session_count(), 0U);
}

TEST_F(engine_session_test, eio_4_pings_and_ends_without_a_pong_just_before_the_time) {
  const auto query = open_polling("4");
  const auto poll = client.get(query);
  timers.advance(ms(299));
  EXPECT_EQ(poll->count, 0);
  timers.advance(ms(1));
  EXPECT_EQ(poll->body(), "2");
  client.post(query, "3");
  const auto second = client.get(query);
  timers.advance(ms(300));
  EXPECT_EQ(second->body(), "2");
  const auto third = client.get(query);
  timers.advance(ms(179));
  EXPECT_TRUE(session().is_open());
  timers.advance(ms(2));
  EXPECT_EQ(third->body(), "1");
  EXPECT_EQ(receiver().ends, std::vector{session_end::ping_timeout});
  EXPECT_EQ(server.metrics()->ping_timeouts.count(), 1U);
}

TEST_F(engine_session_test, eio_3_answers_pings_and_ends_without_one) {
  const auto ws = open_websocket("3");
  for (int i = 0; i < 3; ++i) {
    timers.advance(ms(400));
    ws->text("2");
    EXPECT_EQ(ws->connection->take(), strings{"3"});
  }
  timers.advance(ms(479));
  EXPECT_TRUE(session().is_open());
  timers.advance(ms(1));
  EXPECT_FALSE(session().is_open());
  EXPECT_EQ(ws->connection->close_code, 1000);
}

TEST_F(engine_session_test, a_late_timer_does_not_lengthen_a_clients_time) {
  const auto query = open_polling("4");
  time.advance(500);  // the timers have not run
  EXPECT_EQ(client.get(query)->status(), 400U);
}

TEST_F(engine_session_test, messages_move_no_timer) {
  const auto ws = open_websocket("3");
  const auto armed = timers.pending();
  for (int i = 0; i < 100; ++i)
    ws->text("4x");
  EXPECT_EQ(timers.pending(), armed);
}

TEST_F(engine_session_test, heartbeats_in_the_wrong_direction_end_the_session) {
  const auto v4 = open_websocket("4");
  v4->text("2");
  EXPECT_TRUE(v4->connection->close_code);
  const auto v3 = open_websocket("3");
  v3->text("3");
  EXPECT_TRUE(v3->connection->close_code);
  EXPECT_EQ(count(bad_input::engine), 2U);
}

TEST_F(engine_session_test, upgrade_keeps_order_and_releases_the_poll) {
  const auto query = open_polling("4");
  const auto poll = client.get(query);
  const auto ws = client.upgrade(websocket_query(query));
  ws->open();
  EXPECT_EQ(session().transport(), engine_transport::polling);
  ws->text("2probe");
  EXPECT_EQ(ws->connection->take(), strings{"3probe"});
  EXPECT_EQ(poll->body(), "6");
  session().send(make_text_message("waits"));
  EXPECT_TRUE(ws->connection->frames.empty());
  ws->text("5");
  EXPECT_EQ(ws->connection->take(), strings{"4waits"});
  session().send(make_text_message("a"));
  EXPECT_EQ(ws->connection->take(), strings{"4a"});
  ws->text("4b");
  EXPECT_EQ(receiver().got, strings{"b"});
  EXPECT_EQ(client.get(query)->status(), 400U);
  EXPECT_EQ(client.post(query, "4x")->status(), 400U);
  const auto second = client.upgrade(websocket_query(query));
  second->open();
  EXPECT_TRUE(second->connection->close_code);
  EXPECT_FALSE(ws->connection->close_code);
  EXPECT_EQ(server.metrics()->upgrades.count(), 1U);
  EXPECT_EQ(server.metrics()->open(engine_transport::websocket, eio_version::v4), 1U);
  EXPECT_EQ(server.metrics()->open(engine_transport::polling, eio_version::v4), 0U);
  ws->gone();
  timers.run_posted();
  EXPECT_EQ(receiver().ends, std::vector{session_end::transport_close});
  EXPECT_EQ(server.metrics()->open(engine_transport::websocket, eio_version::v4), 0U);
}

TEST_F(engine_session_test, a_probe_that_goes_or_stalls_leaves_the_session_polling) {
  const auto query = open_polling("3");
  const auto gone = client.upgrade(websocket_query(query));
  gone->open();
  gone->text("2probe");
  gone->gone();
  client.post(query, "1:2");
  EXPECT_EQ(client.get(query)->body(), "1:3");
  const auto stalled = client.upgrade(websocket_query(query));
  stalled->open();
  for (int i = 0; i < 26; ++i) {
    timers.advance(ms(400));
    client.post(query, "1:2");
    client.get(query);
  }
  EXPECT_TRUE(stalled->connection->close_code);
  EXPECT_TRUE(session().is_open());
}

TEST_F(engine_session_test, an_upgrade_without_probe_is_refused) {
  const auto query = open_polling("4");
  const auto ws = client.upgrade(websocket_query(query));
  ws->open();
  ws->text("5");
  EXPECT_TRUE(ws->connection->close_code);
  EXPECT_EQ(session().transport(), engine_transport::polling);
}

TEST_F(engine_session_test, last_packets_wait_for_a_poll_when_the_server_closes) {
  const auto query = open_polling("4");
  session().send(make_text_message("bye"));
  session().close();
  timers.run_posted();
  EXPECT_EQ(receiver().ends, std::vector{session_end::server_close});
  EXPECT_EQ(client.get(query)->body(),
            "4bye\x1e"
            "1");
  EXPECT_EQ(client.get(query)->status(), 400U);
}

TEST_F(engine_session_test, a_closed_session_does_not_wait_for_its_poll_forever) {
  open_polling("4");
  session().close();
  EXPECT_EQ(server.session_count(), 1U);
  timers.advance(ms(5001));
  EXPECT_EQ(server.session_count(), 0U);
}

TEST_F(engine_session_test, a_close_by_post_ends_the_poll_with_a_noop_in_either_order) {
  const auto query = open_polling("4");
  const auto poll = client.get(query);
  EXPECT_EQ(client.post(query, "1")->body(), "ok");
  EXPECT_EQ(poll->body(), "6");
  EXPECT_EQ(client.get(query)->status(), 400U);
  const auto other = open_polling("4");
  client.post(other, "1");
  EXPECT_EQ(client.get(other)->body(), "6");
  EXPECT_EQ(client.get(other)->status(), 400U);
}

TEST_F(engine_session_test, a_client_without_binary_frames_gets_base64) {
  const auto ws = open_websocket("3", "&b64=1");
  session().send(make_binary_message(eio_version::v3, "\x01"));
  EXPECT_EQ(ws->connection->take(), strings{"b4AQ=="});
  ws->text("b4AQ==");
  EXPECT_EQ(receiver().got, strings{"bin:\x01"});
}

TEST_F(engine_session_test, a_body_over_the_limit_is_refused_alone) {
  const auto query = open_polling("4");
  EXPECT_EQ(client.post(query, "4" + std::string(1'000'000, 'x'))->status(), 413U);
  EXPECT_TRUE(session().is_open());
  EXPECT_EQ(count(bad_input::too_large), 1U);
}

}  // namespace
}  // namespace roombus::socketio
