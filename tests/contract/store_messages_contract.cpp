// Messages: ids, history, gaps, tokens, order.

#include <deque>

#include "tests/contract/store_contract.hpp"

namespace roombus::test {

TEST_P(store_contract, ids_grow_by_one_from_one) {
  ASSERT_EQ(add_room("den"), "ok");
  ASSERT_EQ(add_room("other"), "ok");
  append_many("den", 1, 5);
  EXPECT_EQ(append("other", "", "x"), "1");
  EXPECT_EQ(append("gone", "", "x"), R"(noRoom["gone"])");
  EXPECT_EQ(append("den", "", "x"), "6");
}

TEST_P(store_contract, only_who_is_joined_may_send) {
  room_settings settings;
  settings.owner = user_name("olga");
  ASSERT_EQ(add_room("den", settings), "ok");
  EXPECT_EQ(append("den", "olga", "x"), R"(notJoined["den"])");
  enter("den", "olga", "o");
  EXPECT_EQ(append("den", "olga", "x"), "1");
  ASSERT_TRUE(leave("den", "olga", "o").has_value());
  EXPECT_EQ(append("den", "olga", "x"), R"(notJoined["den"])");
}

TEST_P(store_contract, the_whole_message_is_kept) {
  ASSERT_EQ(add_room("den"), "ok");
  value_map message = body("text");
  message.set("bytes", value(byte_string{std::string("\0\xff", 2)}));
  message.set("big", value(std::uint64_t{18446744073709551615ULL}));
  message.set("list", value(value_list{value(1.5), value(), value(true), value(value_map{{"a", value(-1)}})}));
  const append_options plain;
  ASSERT_TRUE(run(data().append(append_of("den", "", message, plain))).has_value());
  auto page = run(data().read_history(room_name("den"), as(""), recent(1)));
  ASSERT_TRUE(page.has_value());
  ASSERT_EQ(page->messages.size(), 1u);
  message.set("id", value(1));
  EXPECT_EQ(cbor::materialize(page->messages[0]), value(message));
  if (const auto* encoded = page->messages[0].if_encoded()) {
    EXPECT_TRUE((*encoded)->has_bytes());
  }
}

TEST_P(store_contract, history_is_read_after_an_id_or_from_the_end) {
  ASSERT_EQ(add_room("den"), "ok");
  append_many("den", 1, 5);
  EXPECT_EQ(history("den", "", after(0, 2)), "2=m2 1=m1 [1,5]");
  EXPECT_EQ(history("den", "", after(2, 2)), "4=m4 3=m3 [1,5]");
  EXPECT_EQ(history("den", "", after(4, 2)), "5=m5 [1,5]");
  EXPECT_EQ(history("den", "", after(5, 2)), "[1,5]");
  EXPECT_EQ(history("den", "", after(6, 2)), "[1,5] gap");
  EXPECT_EQ(history("den", "", recent(2)), "5=m5 4=m4 [1,5]");
  EXPECT_EQ(history("den", "", recent(9)), "5=m5 4=m4 3=m3 2=m2 1=m1 [1,5]");
  EXPECT_EQ(history("den", "", position_only()), "[1,5]");
}

TEST_P(store_contract, a_gap_is_told) {
  room_settings settings;
  settings.history_max_size = 3;
  settings.epoch = "e1";
  ASSERT_EQ(add_room("den", settings), "ok");
  append_many("den", 1, 10);
  EXPECT_EQ(history("den", "", recent(9)), "10=m10 9=m9 8=m8 [8,10]");
  EXPECT_EQ(history("den", "", after(7, 9)), "10=m10 9=m9 8=m8 [8,10]");
  EXPECT_EQ(history("den", "", after(6, 9)), "10=m10 9=m9 8=m8 [8,10] gap");
  EXPECT_EQ(history("den", "", after(0, 2)), "9=m9 8=m8 [8,10] gap");
  history_request same = after(9, 9);
  same.epoch = "e1";
  EXPECT_EQ(history("den", "", same), "10=m10 [8,10]");
  history_request other = after(9, 9);
  other.epoch = "e2";
  EXPECT_EQ(history("den", "", other), "10=m10 [8,10] gap");
  history_request only = position_only();
  only.epoch = "e2";
  EXPECT_EQ(history("den", "", only), "[8,10] gap");
}

TEST_P(store_contract, a_history_of_size_0_keeps_ids_growing) {
  room_settings settings;
  settings.history_max_size = 0;
  settings.epoch = "e";
  ASSERT_EQ(add_room("den", settings), "ok");
  append_many("den", 1, 3);
  EXPECT_EQ(history("den", "", recent(9)), "[4,3]");
  EXPECT_EQ(history("den", "", after(3, 9)), "[4,3]");
  EXPECT_EQ(history("den", "", after(2, 9)), "[4,3] gap");
  EXPECT_EQ(read("den", "", room_field::history_info),
            R"({"historyMaxSize":0,"historySize":0,"lastMessageId":3,"epoch":"e","firstMessageId":4})");
  EXPECT_EQ(append("den", "", "keyed", append_options("k")), "4");
  EXPECT_EQ(append("den", "", "keyed", append_options("k")), "4 again");
}

TEST_P(store_contract, shrinking_a_history_trims_at_once_and_growing_brings_nothing_back) {
  ASSERT_EQ(add_room("den"), "ok");
  append_many("den", 1, 6);
  const auto resize = [&](std::uint64_t size) {
    room_change to;
    to.history_max_size = size;
    return change("den", to);
  };
  EXPECT_EQ(resize(2), ";");
  EXPECT_EQ(history("den", "", recent(9)), "6=m6 5=m5 [5,6]");
  EXPECT_EQ(resize(4), ";");
  EXPECT_EQ(history("den", "", recent(9)), "6=m6 5=m5 [5,6]");
  append_many("den", 7, 9);
  EXPECT_EQ(history("den", "", recent(9)), "9=m9 8=m8 7=m7 6=m6 [6,9]");
  EXPECT_EQ(resize(0), ";");
  EXPECT_EQ(history("den", "", recent(9)), "[10,9]");
  EXPECT_EQ(resize(5), ";");
  append_many("den", 10, 11);
  EXPECT_EQ(history("den", "", after(0, 9)), "11=m11 10=m10 [10,11] gap");
}

TEST_P(store_contract, a_long_history_is_read_in_pages_from_both_ends) {
  room_settings settings;
  settings.history_max_size = 700;
  ASSERT_EQ(add_room("den", settings), "ok");
  append_many("den", 1, 1000);
  std::uint64_t next = 301;
  std::uint64_t reader = 0;
  while (next <= 1000) {
    auto page = run(data().read_history(room_name("den"), as(""), after(reader, 90)));
    ASSERT_TRUE(page.has_value());
    ASSERT_FALSE(page->messages.empty());
    EXPECT_EQ(page->gap, reader == 0);
    for (auto it = page->messages.rbegin(); it != page->messages.rend(); ++it, ++next) {
      const value decoded = cbor::materialize(*it);
      ASSERT_EQ(*decoded.if_map()->find("id")->floor_to_uint(), next);
      ASSERT_EQ(*decoded.if_map()->find("textMessage")->if_text(), "m" + std::to_string(next));
    }
    reader = next - 1;
  }
  EXPECT_EQ(history("den", "", recent(2)), "1000=m1000 999=m999 [301,1000]");
  EXPECT_EQ(history("den", "", after(300, 2)), "302=m302 301=m301 [301,1000]");
}

TEST_P(store_contract, a_token_answers_its_first_id_within_its_window) {
  ASSERT_EQ(add_room("den"), "ok");
  ASSERT_EQ(add_room("other"), "ok");
  append_options with("k1");
  EXPECT_EQ(append("den", "", "a", with), "1");
  EXPECT_EQ(append("den", "", "something else", with), "1 again");
  EXPECT_EQ(append("other", "", "a", with), "1");
  EXPECT_EQ(append("den", "", "b"), "2");
  with.now_ms = 1999;
  EXPECT_EQ(append("den", "", "a", with), "1 again");
  with.now_ms = 2000;
  EXPECT_EQ(append("den", "", "a", with), "3");
  EXPECT_EQ(history("den", "", recent(9)), "3=a 2=b 1=a [1,3]");
}

TEST_P(store_contract, the_oldest_tokens_go_beyond_their_number) {
  ASSERT_EQ(add_room("den"), "ok");
  append_options with;
  with.max_tokens = 2;
  for (int i = 1; i <= 3; ++i) {
    with.token = "k" + std::to_string(i);
    ASSERT_EQ(append("den", "", "x", with), std::to_string(i));
  }
  with.token = "k2";
  EXPECT_EQ(append("den", "", "x", with), "2 again");
  with.token = "k3";
  EXPECT_EQ(append("den", "", "x", with), "3 again");
  with.token = "k1";
  EXPECT_EQ(append("den", "", "x", with), "4");
}

TEST_P(store_contract, a_token_is_looked_up_only_for_who_may_send) {
  ASSERT_EQ(add_room("den"), "ok");
  enter("den", "mia", "m");
  const append_options with("k");
  ASSERT_EQ(append("den", "mia", "x", with), "1");
  ASSERT_TRUE(leave("den", "mia", "m").has_value());
  EXPECT_EQ(append("den", "mia", "x", with), R"(notJoined["den"])");
}

// Nobody waits for another here: the store gets all at once and must keep their order.

TEST_P(store_contract, appends_at_once_complete_in_the_order_of_their_ids) {
  ASSERT_EQ(add_room("den"), "ok");
  const value_map message = body("x");
  const append_options plain;
  std::vector<std::uint64_t> order;
  struct note {
    static task<void> when_done(task<result<appended>> pending, std::vector<std::uint64_t>& order) {
      auto done = co_await pending;
      order.push_back(done ? done->id : 0);
    }
  };
  std::deque<task<void>> all;
  for (int i = 0; i < 500; ++i) {
    auto pending = data().append(append_of("den", "", message, plain));
    all.push_back(note::when_done(std::move(pending), order));
  }
  ASSERT_TRUE(run_until([&] { return order.size() == 500; }));
  for (std::uint64_t i = 0; i < order.size(); ++i)
    ASSERT_EQ(order[i], i + 1);
  EXPECT_EQ(history("den", "", position_only()), "[1,500]");
}

TEST_P(store_contract, a_token_that_comes_twice_at_once_is_stored_once) {
  ASSERT_EQ(add_room("den"), "ok");
  const value_map message = body("x");
  const append_options with("k");
  auto first = data().append(append_of("den", "", message, with));
  auto second = data().append(append_of("den", "", message, with));
  const auto a = run(std::move(first));
  const auto b = run(std::move(second));
  ASSERT_TRUE(a.has_value());
  ASSERT_TRUE(b.has_value());
  EXPECT_EQ(a->id, 1u);
  EXPECT_EQ(b->id, 1u);
  EXPECT_FALSE(a->repeated);
  EXPECT_TRUE(b->repeated);
  EXPECT_EQ(history("den", "", recent(9)), "1=x [1,1]");
}

TEST_P(store_contract, what_was_asked_for_earlier_is_seen_by_what_is_asked_for_later) {
  ASSERT_EQ(add_room("den"), "ok");
  connect("mia", "m");
  const value_map message = body("x");
  const append_options plain;
  auto joining = data().confirm_join(join_of("den", "mia", "m"), position_only());
  auto sending = data().append(append_of("den", "mia", message, plain));
  auto reading = data().read_history(room_name("den"), as("mia"), recent(5));
  auto leaving = data().leave(join_of("den", "mia", "m"));
  auto sending_late = data().append(append_of("den", "mia", message, plain));
  EXPECT_EQ(outcome(run(std::move(joining))), "ok");
  auto sent = run(std::move(sending));
  ASSERT_EQ(outcome(sent), "ok");
  EXPECT_EQ(sent->id, 1u);
  auto page = run(std::move(reading));
  ASSERT_EQ(outcome(page), "ok");
  EXPECT_EQ(page_text(*page), "1=x [1,1]");
  EXPECT_TRUE(run(std::move(leaving))->user_left);
  EXPECT_EQ(outcome(run(std::move(sending_late))), R"(notJoined["den"])");
}

TEST_P(store_contract, an_edit_stands_between_what_comes_before_and_after) {
  ASSERT_EQ(add_room("den"), "ok");
  enter("den", "mia", "m");
  const value_map message = body("x");
  const append_options plain;
  auto before = data().append(append_of("den", "mia", message, plain));
  auto shut_out = data().edit_list(room_name("den"), as(""), "blacklist", true, names({"mia"}), 10);
  auto after_it = data().append(append_of("den", "mia", message, plain));
  auto again = data().confirm_join(join_of("den", "mia", "m"), position_only());
  EXPECT_EQ(outcome(run(std::move(before))), "ok");
  EXPECT_EQ(change_text(run(std::move(shut_out))), "mia; mia:m");
  EXPECT_EQ(outcome(run(std::move(after_it))), R"(notJoined["den"])");
  EXPECT_EQ(outcome(run(std::move(again))), "notAllowed[]");
  EXPECT_EQ(history("den", "", position_only()), "[1,1]");
}

}  // namespace roombus::test
