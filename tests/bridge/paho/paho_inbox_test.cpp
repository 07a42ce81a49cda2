#include "bridge/paho/paho_inbox.hpp"

#include <gtest/gtest.h>

#include "tests/support/fakes.hpp"

namespace roombus::mqtt {

namespace {

paho_event message_of(std::size_t bytes) {
  paho_event event(paho_event::kind::message, 1);
  event.message.payload.assign(bytes, 'x');
  return event;
}

}  // namespace

TEST(PahoInbox, wakes_the_core_once_per_batch) {
  test::fake_scheduler loop;
  int woken = 0;
  const auto inbox = std::make_shared<paho_inbox>(
      loop, [&] { ++woken; }, 1U << 20U);
  inbox->push(message_of(1));
  inbox->push(paho_completion{1, publish_outcome::done});
  loop.run_posted();
  EXPECT_EQ(woken, 1);
  paho_inbox::batch batch;
  inbox->take(batch);
  EXPECT_EQ(batch.events.size(), 1U);
  EXPECT_EQ(batch.completions.size(), 1U);
  inbox->push(message_of(1));
  loop.run_posted();
  EXPECT_EQ(woken, 2);
}

TEST(PahoInbox, drops_messages_above_its_bytes_and_counts_them) {
  test::fake_scheduler loop;
  const auto inbox = std::make_shared<paho_inbox>(
      loop, [] {}, 10000);
  for (int i = 0; i < 5; ++i)
    inbox->push(message_of(4000));
  inbox->push(paho_event(paho_event::kind::lost, 1));
  paho_inbox::batch batch;
  inbox->take(batch);
  EXPECT_EQ(batch.dropped, 3U);
  ASSERT_EQ(batch.events.size(), 3U);
  EXPECT_EQ(batch.events[2].what, paho_event::kind::lost);
  inbox->push(message_of(4000));
  inbox->take(batch);
  EXPECT_EQ(batch.dropped, 0U);
  EXPECT_EQ(batch.events.size(), 1U);
}

TEST(PahoInbox, says_nothing_once_closed) {
  test::fake_scheduler loop;
  int woken = 0;
  const auto inbox = std::make_shared<paho_inbox>(
      loop, [&] { ++woken; }, 10000);
  inbox->push(message_of(1));
  inbox->close();
  inbox->push(message_of(1));
  loop.run_posted();
  EXPECT_EQ(woken, 0);
}

}  // namespace roombus::mqtt
