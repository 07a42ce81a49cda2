// Connections, joins and leaves, users, direct messaging, instances.

#include "tests/contract/store_contract.hpp"

namespace roombus::test {

TEST_P(store_contract, a_user_exists_from_the_first_connection) {
  EXPECT_FALSE(*run(data().has_user(user_name("mia"))));
  EXPECT_EQ(shown(run(data().connections(user_name("mia")))), R"(noUser["mia"])");
  EXPECT_EQ(connect("mia", "m1"), "1");
  EXPECT_EQ(connect("mia", "m2"), "2");
  EXPECT_EQ(connect("mia", "m2"), "2");
  EXPECT_TRUE(*run(data().has_user(user_name("mia"))));
  EXPECT_EQ(shown(run(data().connections(user_name("mia")))), R"({"m1":[],"m2":[]})");
}

TEST_P(store_contract, connections_of_a_user_are_limited) {
  EXPECT_EQ(connect("mia", "m1", 2), "1");
  EXPECT_EQ(connect("mia", "m2", 2), "2");
  EXPECT_EQ(connect("mia", "m3", 2), "rateLimited[]");
  EXPECT_EQ(connect("mia", "m1", 2), "2");
  EXPECT_EQ(connect("bob", "b1", 2), "1");
}

TEST_P(store_contract, connections_at_once_are_all_counted) {
  std::vector<task<result<std::uint64_t>>> all;
  for (int i = 0; i < 20; ++i) {
    connection_record record;
    record.user = user_name("mia");
    record.id = connection_id("m" + std::to_string(i));
    record.instance = "i1";
    all.push_back(data().connect(std::move(record), 15));
  }
  std::uint64_t last = 0;
  int refused = 0;
  for (auto& one : all) {
    auto n = run(std::move(one));
    if (n) {
      EXPECT_EQ(*n, last + 1);
      last = *n;
    } else {
      ++refused;
    }
  }
  EXPECT_EQ(last, 15u);
  EXPECT_EQ(refused, 5);
}

TEST_P(store_contract, joining_counts_connections) {
  ASSERT_EQ(add_room("den"), "ok");
  connect("mia", "m1");
  connect("mia", "m2");
  auto first = join("den", "mia", "m1", 1000);
  ASSERT_TRUE(first.has_value());
  EXPECT_TRUE(first->newly);
  EXPECT_TRUE(first->user_newly);
  EXPECT_EQ(first->njoined, 1u);
  auto second = join("den", "mia", "m2", 2000);
  ASSERT_TRUE(second.has_value());
  EXPECT_TRUE(second->newly);
  EXPECT_FALSE(second->user_newly);
  EXPECT_EQ(second->njoined, 2u);
  auto again = join("den", "mia", "m2", 3000);
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE(again->newly);
  EXPECT_FALSE(again->user_newly);
  EXPECT_EQ(again->njoined, 2u);
  EXPECT_EQ(list("den", "userlist"), R"(["mia"])");
  EXPECT_EQ(read("den", "", room_field::user_seen, "mia"), R"({"joined":true,"timestamp":1000})");
  EXPECT_EQ(read("den", "", room_field::in_list, "userlist", "mia"), "true");
  EXPECT_EQ(shown(run(data().connections(user_name("mia")))), R"({"m1":["den"],"m2":["den"]})");
}

TEST_P(store_contract, leaving_tells_whether_the_user_left) {
  ASSERT_EQ(add_room("den"), "ok");
  enter("den", "mia", "m1");
  enter("den", "mia", "m2");
  auto one = leave("den", "mia", "m1", 4000);
  ASSERT_TRUE(one.has_value());
  EXPECT_TRUE(one->changed);
  EXPECT_FALSE(one->user_left);
  EXPECT_EQ(one->njoined, 1u);
  EXPECT_EQ(one->room.str(), "den");
  auto same = leave("den", "mia", "m1", 5000);
  ASSERT_TRUE(same.has_value());
  EXPECT_FALSE(same->changed);
  EXPECT_FALSE(same->user_left);
  EXPECT_EQ(same->njoined, 1u);
  auto last = leave("den", "mia", "m2", 6000);
  ASSERT_TRUE(last.has_value());
  EXPECT_TRUE(last->changed);
  EXPECT_TRUE(last->user_left);
  EXPECT_EQ(last->njoined, 0u);
  EXPECT_EQ(read("den", "", room_field::user_seen, "mia"), R"({"joined":false,"timestamp":6000})");
  EXPECT_EQ(shown(run(data().connections(user_name("mia")))), R"({"m1":[],"m2":[]})");
  EXPECT_EQ(outcome(leave("den", "stranger", "s")), "ok");
  EXPECT_EQ(outcome(leave("gone", "mia", "m2")), R"(noRoom["gone"])");
}

TEST_P(store_contract, leaves_of_both_connections_at_once_make_the_user_leave_once) {
  ASSERT_EQ(add_room("den"), "ok");
  enter("den", "mia", "m1");
  enter("den", "mia", "m2");
  auto a = data().leave(join_of("den", "mia", "m1", 5000));
  auto b = data().leave(join_of("den", "mia", "m2", 5000));
  const auto first = run(std::move(a));
  const auto second = run(std::move(b));
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(first->changed);
  EXPECT_TRUE(second->changed);
  EXPECT_NE(first->user_left, second->user_left);
  EXPECT_EQ(list("den", "userlist"), "[]");
  EXPECT_EQ(read("den", "", room_field::user_seen, "mia"), R"({"joined":false,"timestamp":5000})");
}

TEST_P(store_contract, joining_needs_a_connection_a_room_and_access) {
  room_settings settings;
  settings.whitelist_only = true;
  settings.whitelist = names({"will"});
  ASSERT_EQ(add_room("den", settings), "ok");
  connect("mia", "m");
  connect("will", "w");
  const auto begin = [&](const char* room, const char* user, const char* id) {
    return outcome(run(data().begin_join(join_of(room, user, id))));
  };
  for (const char* id : {"x", "m"}) {
    EXPECT_EQ(begin("gone", "mia", id), R"(noRoom["gone"])");
    EXPECT_EQ(outcome(join("gone", "mia", id)), R"(noRoom["gone"])");
  }
  EXPECT_EQ(begin("den", "will", "x"), R"(invalidSocket["x"])");
  EXPECT_EQ(outcome(join("den", "will", "x")), R"(invalidSocket["x"])");
  EXPECT_EQ(begin("den", "mia", "m"), "notAllowed[]");
  EXPECT_EQ(outcome(join("den", "mia", "m")), "notAllowed[]");
  EXPECT_EQ(begin("den", "will", "w"), "ok");
}

TEST_P(store_contract, a_join_that_has_begun_is_seen_by_nobody) {
  ASSERT_EQ(add_room("den"), "ok");
  enter("den", "mia", "m1");
  connect("mia", "m2");
  connect("bob", "b");
  auto second = run(data().begin_join(join_of("den", "mia", "m2")));
  ASSERT_TRUE(second.has_value());
  EXPECT_FALSE(second->already);
  EXPECT_EQ(second->njoined, 2u);
  auto again = run(data().begin_join(join_of("den", "mia", "m1")));
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->already);
  EXPECT_EQ(again->njoined, 1u);
  ASSERT_TRUE(run(data().begin_join(join_of("den", "bob", "b"))).has_value());
  EXPECT_EQ(list("den", "userlist"), R"(["mia"])");
  EXPECT_EQ(append("den", "bob", "x"), R"(notJoined["den"])");
  ASSERT_TRUE(run(data().cancel_join(join_of("den", "bob", "b"))).has_value());
  EXPECT_EQ(list("den", "userlist"), R"(["mia"])");
  EXPECT_EQ(outcome(join("den", "mia", "m2")), "ok");
  EXPECT_EQ(shown(run(data().connections(user_name("mia")))), R"({"m1":["den"],"m2":["den"]})");
}

TEST_P(store_contract, a_join_brings_the_history_of_the_same_moment) {
  room_settings settings;
  settings.epoch = "e1";
  ASSERT_EQ(add_room("den", settings), "ok");
  append_many("den", 1, 4);
  connect("mia", "m");
  history_request since = after(1, 2);
  since.epoch = "e1";
  auto outcome_of_join = run(data().confirm_join(join_of("den", "mia", "m"), since));
  ASSERT_TRUE(outcome_of_join.has_value());
  EXPECT_EQ(page_text(outcome_of_join->history), "3=m3 2=m2 [1,4]");
  EXPECT_EQ(outcome_of_join->history.position.epoch, "e1");
  since.epoch = "e0";
  auto again = run(data().confirm_join(join_of("den", "mia", "m"), since));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(page_text(again->history), "3=m3 2=m2 [1,4] gap");
}

TEST_P(store_contract, a_closed_connection_leaves_all_its_rooms) {
  for (const char* room : {"a", "b", "c"})
    ASSERT_EQ(add_room(room), "ok");
  connect("mia", "m1");
  connect("mia", "m2");
  ASSERT_TRUE(join("a", "mia", "m1").has_value());
  ASSERT_TRUE(join("b", "mia", "m1").has_value());
  ASSERT_TRUE(join("b", "mia", "m2").has_value());
  ASSERT_TRUE(join("c", "mia", "m2").has_value());
  auto ended = run(data().disconnect(user_name("mia"), connection_id("m1"), 8000));
  ASSERT_TRUE(ended.has_value());
  EXPECT_TRUE(ended->was_connected);
  EXPECT_EQ(ended->nconnected, 1u);
  ASSERT_EQ(ended->rooms.size(), 2u);
  for (const left_room& left : ended->rooms) {
    EXPECT_TRUE(left.changed);
    EXPECT_EQ(left.user_left, left.room.str() == "a");
    EXPECT_EQ(left.njoined, left.room.str() == "a" ? 0u : 1u);
  }
  EXPECT_EQ(list("a", "userlist"), "[]");
  EXPECT_EQ(read("a", "", room_field::user_seen, "mia"), R"({"joined":false,"timestamp":8000})");
  EXPECT_EQ(read("b", "", room_field::user_seen, "mia"), R"({"joined":true,"timestamp":1000})");
  EXPECT_EQ(shown(run(data().connections(user_name("mia")))), R"({"m2":["b","c"]})");

  auto again = run(data().disconnect(user_name("mia"), connection_id("m1"), 9000));
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE(again->was_connected);
  EXPECT_TRUE(again->rooms.empty());
  auto stranger = run(data().disconnect(user_name("nobody"), connection_id("n"), 9000));
  ASSERT_TRUE(stranger.has_value());
  EXPECT_FALSE(stranger->was_connected);
  EXPECT_EQ(outcome(join("a", "mia", "m1")), R"(invalidSocket["m1"])");
}

TEST_P(store_contract, a_connection_that_ends_while_it_joins_is_in_no_room) {
  ASSERT_EQ(add_room("den"), "ok");
  connect("mia", "m");
  auto joining = data().confirm_join(join_of("den", "mia", "m"), position_only());
  auto ending = data().disconnect(user_name("mia"), connection_id("m"), 3000);
  const bool was_in = run(std::move(joining)).has_value();
  auto ended = run(std::move(ending));
  ASSERT_TRUE(ended.has_value());
  EXPECT_TRUE(ended->was_connected);
  EXPECT_EQ(ended->rooms.size(), was_in ? 1u : 0u);
  EXPECT_EQ(list("den", "userlist"), "[]");
  EXPECT_EQ(shown(run(data().connections(user_name("mia")))), "{}");
}

TEST_P(store_contract, ends_of_both_connections_at_once_make_the_user_leave_once) {
  ASSERT_EQ(add_room("den"), "ok");
  enter("den", "mia", "m1");
  enter("den", "mia", "m2");
  auto a = data().disconnect(user_name("mia"), connection_id("m1"), 3000);
  auto b = data().disconnect(user_name("mia"), connection_id("m2"), 3000);
  auto twice = data().disconnect(user_name("mia"), connection_id("m2"), 3000);
  const auto first = run(std::move(a));
  const auto second = run(std::move(b));
  const auto third = run(std::move(twice));
  ASSERT_TRUE(first && second && third);
  int ends = 0;
  int left = 0;
  for (const auto* ended : {&*first, &*second, &*third}) {
    ends += ended->was_connected ? 1 : 0;
    for (const left_room& room : ended->rooms)
      left += room.user_left ? 1 : 0;
  }
  EXPECT_EQ(ends, 2);
  EXPECT_EQ(left, 1);
  EXPECT_EQ(list("den", "userlist"), "[]");
}

TEST_P(store_contract, a_user_can_be_added_and_removed) {
  direct_settings settings;
  settings.whitelist = names({"w"});
  settings.blacklist = names({"b"});
  settings.whitelist_only = true;
  const user_name mia("mia");
  EXPECT_EQ(outcome(run(data().remove_user(mia))), R"(noUser["mia"])");
  EXPECT_EQ(outcome(run(data().add_user(mia, settings))), "ok");
  EXPECT_EQ(outcome(run(data().add_user(mia, settings))), R"(userExists["mia"])");
  EXPECT_EQ(shown(run(data().direct_list(mia, "whitelist"))), R"(["w"])");
  EXPECT_EQ(shown(run(data().direct_list(mia, "blacklist"))), R"(["b"])");
  EXPECT_TRUE(*run(data().direct_whitelist_mode(mia)));
  connect("mia", "m");
  EXPECT_EQ(outcome(run(data().remove_user(mia))), R"(userOnline["mia"])");
  ASSERT_TRUE(run(data().disconnect(mia, connection_id("m"), 1)).has_value());
  EXPECT_EQ(outcome(run(data().remove_user(mia))), "ok");
  EXPECT_FALSE(*run(data().has_user(mia)));
  EXPECT_EQ(shown(run(data().direct_list(mia, "whitelist"))), R"(noUser["mia"])");
  EXPECT_EQ(connect("mia", "m"), "1");
  EXPECT_EQ(shown(run(data().direct_list(mia, "whitelist"))), "[]");
  EXPECT_FALSE(*run(data().direct_whitelist_mode(mia)));
}

TEST_P(store_contract, users_are_listed_page_by_page) {
  for (const char* name : {"b", "aa", "c", "a"})
    connect(name, std::string("id of ") + name);
  EXPECT_EQ(shown(run(data().list_users("", 3))), R"(["a","aa","b"])");
  EXPECT_EQ(shown(run(data().list_users("b", 3))), R"(["c"])");
}

TEST_P(store_contract, direct_lists_are_edited_within_their_limit) {
  const user_name mia("mia");
  connect("mia", "m");
  const auto edit_direct = [&](const char* list_name, bool add, const std::vector<std::string>& who,
                               std::size_t limit = 10) {
    return outcome(run(data().edit_direct_list(mia, list_name, add, names(who), limit)));
  };
  EXPECT_EQ(edit_direct("whitelist", true, {"b", "a"}), "ok");
  EXPECT_EQ(edit_direct("whitelist", true, {"a", "c"}, 2), R"(listLimitExceeded["whitelist"])");
  EXPECT_EQ(edit_direct("whitelist", true, {"a", "b"}, 2), "ok");
  EXPECT_EQ(edit_direct("whitelist", true, {"c", "mia"}), "notAllowed[]");
  EXPECT_EQ(edit_direct("friends", true, {"c"}), R"(noList["friends"])");
  EXPECT_EQ(edit_direct("adminlist", true, {"c"}), R"(noList["adminlist"])");
  EXPECT_EQ(shown(run(data().direct_list(mia, "whitelist"))), R"(["a","b"])");
  EXPECT_EQ(edit_direct("whitelist", false, {"a", "x"}), "ok");
  EXPECT_EQ(shown(run(data().direct_list(mia, "whitelist"))), R"(["b"])");
  EXPECT_EQ(shown(run(data().direct_list(mia, "friends"))), R"(noList["friends"])");
  EXPECT_TRUE(*run(data().has_in_direct_list(mia, "whitelist", user_name("b"))));
  EXPECT_FALSE(*run(data().has_in_direct_list(mia, "blacklist", user_name("b"))));
  EXPECT_EQ(outcome(run(data().has_in_direct_list(mia, "friends", user_name("b")))), R"(noList["friends"])");
  EXPECT_EQ(outcome(run(data().has_in_direct_list(user_name("x"), "friends", user_name("b")))), R"(noUser["x"])");
  EXPECT_EQ(outcome(run(data().edit_direct_list(user_name("x"), "friends", true, {}, 1))), R"(noUser["x"])");
}

TEST_P(store_contract, direct_messages_follow_lists_and_mode) {
  const user_name mia("mia");
  const user_name bob("bob");
  EXPECT_EQ(outcome(run(data().check_direct(mia, bob))), R"(noUser["mia"])");
  ASSERT_TRUE(run(data().add_user(mia, direct_settings())).has_value());
  const auto check = [&] {
    const auto access = *run(data().check_direct(mia, bob));
    return std::string(access.allowed ? "allowed" : "refused") + (access.online ? " online" : "");
  };
  EXPECT_EQ(check(), "allowed");
  connect("mia", "m");
  EXPECT_EQ(check(), "allowed online");
  EXPECT_EQ(outcome(run(data().set_direct_whitelist_mode(mia, true))), "ok");
  EXPECT_EQ(check(), "refused online");
  EXPECT_EQ(outcome(run(data().edit_direct_list(mia, "whitelist", true, {bob}, 9))), "ok");
  EXPECT_EQ(check(), "allowed online");
  EXPECT_EQ(outcome(run(data().edit_direct_list(mia, "blacklist", true, {bob}, 9))), "ok");
  EXPECT_EQ(check(), "refused online");
  EXPECT_FALSE(run(data().check_direct(mia, mia))->allowed);
  EXPECT_EQ(outcome(run(data().set_direct_whitelist_mode(user_name("x"), true))), R"(noUser["x"])");
  EXPECT_EQ(outcome(run(data().direct_whitelist_mode(user_name("x")))), R"(noUser["x"])");
}

TEST_P(store_contract, connections_are_known_by_instance) {
  connect("mia", "m1", 10, "i1");
  connect("mia", "m2", 10, "i2");
  connect("bob", "b1", 10, "i1");
  const auto texts = [](const result<std::vector<connection_record>>& records) {
    std::vector<std::string> out;
    for (const connection_record& record : *records)
      out.push_back(record.user.str() + "/" + record.id.str() + "@" + record.instance);
    std::sort(out.begin(), out.end());
    return out;
  };
  using list_of = std::vector<std::string>;
  EXPECT_EQ(texts(run(data().instance_connections("i1"))), (list_of{"bob/b1@i1", "mia/m1@i1"}));
  EXPECT_EQ(texts(run(data().connection_records(user_name("mia")))), (list_of{"mia/m1@i1", "mia/m2@i2"}));
  EXPECT_EQ(outcome(run(data().connection_records(user_name("x")))), R"(noUser["x"])");
  EXPECT_EQ(texts(run(data().instance_connections("i3"))), list_of{});
  ASSERT_TRUE(run(data().disconnect(user_name("mia"), connection_id("m1"), 1)).has_value());
  EXPECT_EQ(texts(run(data().instance_connections("i1"))), list_of{"bob/b1@i1"});
}

TEST_P(store_contract, heartbeats_are_kept_until_an_instance_is_forgotten) {
  EXPECT_EQ(*run(data().last_heartbeat("i1")), std::nullopt);
  ASSERT_TRUE(run(data().heartbeat("i1", 100)).has_value());
  ASSERT_TRUE(run(data().heartbeat("i2", 150)).has_value());
  ASSERT_TRUE(run(data().heartbeat("i1", 200)).has_value());
  EXPECT_EQ(*run(data().last_heartbeat("i1")), 200);
  auto known = *run(data().instances());
  std::sort(known.begin(), known.end());
  EXPECT_EQ(known, (std::vector<std::string>{"i1", "i2"}));
  ASSERT_TRUE(run(data().forget_instance("i1")).has_value());
  ASSERT_TRUE(run(data().forget_instance("never")).has_value());
  EXPECT_EQ(*run(data().last_heartbeat("i1")), std::nullopt);
  EXPECT_EQ(*run(data().instances()), std::vector<std::string>{"i2"});
}

}  // namespace roombus::test
