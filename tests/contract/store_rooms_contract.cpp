// Rooms: creation, reading, lists, modes, changes, deletion, repair.

#include "tests/contract/store_contract.hpp"

namespace roombus::test {

TEST_P(store_contract, a_room_exists_from_its_creation) {
  EXPECT_EQ(outcome(run(data().find_room(room_name("den")))), R"(noRoom["den"])");
  EXPECT_EQ(add_room("den"), "ok");
  EXPECT_EQ(outcome(run(data().find_room(room_name("den")))), "ok");
  EXPECT_EQ(add_room("den"), R"(roomExists["den"])");
}

TEST_P(store_contract, a_room_has_the_state_it_was_created_with) {
  room_settings settings;
  settings.owner = user_name("olga");
  settings.adminlist = names({"zoe", "adam"});
  settings.whitelist = names({"will"});
  settings.blacklist = names({"bob"});
  settings.whitelist_only = true;
  settings.history_max_size = 7;
  settings.enable_userlist_updates = true;
  settings.epoch = "e1";
  ASSERT_EQ(add_room("den", settings), "ok");
  EXPECT_EQ(read("den", "", room_field::owner), R"("olga")");
  EXPECT_EQ(list("den", "adminlist"), R"(["adam","zoe"])");
  EXPECT_EQ(list("den", "whitelist"), R"(["will"])");
  EXPECT_EQ(list("den", "blacklist"), R"(["bob"])");
  EXPECT_EQ(list("den", "userlist"), "[]");
  EXPECT_EQ(list("den", "friends"), R"(noList["friends"])");
  EXPECT_EQ(read("den", "", room_field::whitelist_mode), "true");
  EXPECT_EQ(read("den", "", room_field::notifications),
            R"({"enableUserlistUpdates":true,"enableAccessListsUpdates":false})");
  EXPECT_EQ(read("den", "", room_field::history_info),
            R"({"historyMaxSize":7,"historySize":0,"lastMessageId":0,"epoch":"e1","firstMessageId":1})");
  EXPECT_EQ(read("den", "", room_field::user_seen, "bob"), R"({"joined":false,"timestamp":null})");
}

TEST_P(store_contract, a_room_without_an_owner_has_null_as_its_owner) {
  ASSERT_EQ(add_room("den"), "ok");
  EXPECT_EQ(read("den", "", room_field::owner), "null");
}

TEST_P(store_contract, numbers_of_64_bits_are_kept_exactly) {
  room_settings settings;
  settings.history_max_size = 18446744073709551615ULL;
  settings.epoch = "e";
  ASSERT_EQ(add_room("den", settings), "ok");
  ASSERT_EQ(append("den", "", "one"), "1");
  EXPECT_EQ(
      read("den", "", room_field::history_info),
      R"({"historyMaxSize":18446744073709551615,"historySize":1,"lastMessageId":1,"epoch":"e","firstMessageId":1})");
  EXPECT_EQ(history("den", "", after(0, 18446744073709551615ULL)), "1=one [1,1]");
  EXPECT_EQ(history("den", "", recent(18446744073709551615ULL)), "1=one [1,1]");
  EXPECT_EQ(history("den", "", after(18446744073709551615ULL, 5)), "[1,1] gap");
  EXPECT_EQ(history("den", "", after(9223372036854775808ULL, 5)), "[1,1] gap");
  EXPECT_EQ(outcome(join("den", "u", "none", std::numeric_limits<std::int64_t>::max())), R"(invalidSocket["none"])");
  enter("den", "u", "c");
  ASSERT_TRUE(leave("den", "u", "c", 9007199254740993).has_value());
  EXPECT_EQ(read("den", "", room_field::user_seen, "u"), R"({"joined":false,"timestamp":9007199254740993})");
}

TEST_P(store_contract, names_are_any_bytes_and_compared_as_bytes) {
  const std::vector<std::string> odd = {
      "a", "A", "a ", "\xc3\xa4", "a\xcc\x88", "%_*?[x]", "'\"; --", "\xf0\x9f\x9a\xaa", "x/y#+$", "\\", "NULL", "0"};
  for (const std::string& name : odd)
    ASSERT_EQ(add_room(name), "ok") << name;
  for (const std::string& name : odd) {
    ASSERT_EQ(add_room(name), "roomExists" + json::write(value(value_list{value(name)})));
    enter(name, name, "c-" + name);
    ASSERT_EQ(append(name, name, "in " + name), "1");
    EXPECT_EQ(edit(name, "", "whitelist", true, {name}), name + ";");
    EXPECT_EQ(list(name, "whitelist"), json::write(value(value_list{value(name)})));
    EXPECT_EQ(list(name, "userlist"), json::write(value(value_list{value(name)})));
    EXPECT_EQ(history(name, name, recent(5)), "1=in " + name + " [1,1]");
    EXPECT_EQ(shown(run(data().connections(user_name(name)))),
              "{" + json::write(value("c-" + name)) + ":" + json::write(value(value_list{value(name)})) + "}");
  }
  std::vector<std::string> sorted = odd;
  std::sort(sorted.begin(), sorted.end());
  value_list expected(sorted.begin(), sorted.end());
  EXPECT_EQ(shown(run(data().list_rooms("", 100))), json::write(value(expected)));
  EXPECT_EQ(shown(run(data().list_users("", 100))), json::write(value(expected)));
}

TEST_P(store_contract, rooms_are_listed_page_by_page) {
  for (const char* name : {"b", "aa", "c", "a", "B"})
    ASSERT_EQ(add_room(name), "ok");
  EXPECT_EQ(shown(run(data().list_rooms("", 2))), R"(["B","a"])");
  EXPECT_EQ(shown(run(data().list_rooms("a", 2))), R"(["aa","b"])");
  EXPECT_EQ(shown(run(data().list_rooms("b", 2))), R"(["c"])");
  EXPECT_EQ(shown(run(data().list_rooms("c", 2))), "[]");
  EXPECT_EQ(shown(run(data().list_rooms("", 0))), "[]");
}

TEST_P(store_contract, reading_needs_membership_or_an_admin) {
  room_settings settings;
  settings.owner = user_name("olga");
  settings.adminlist = names({"adam"});
  ASSERT_EQ(add_room("den", settings), "ok");
  connect("mia", "m");
  for (const room_field field : {room_field::owner, room_field::whitelist_mode, room_field::notifications,
                                 room_field::history_info, room_field::user_seen, room_field::list}) {
    EXPECT_EQ(read("den", "mia", field, "whitelist"), R"(notJoined["den"])");
    EXPECT_EQ(read("gone", "mia", field, "whitelist"), R"(noRoom["gone"])");
    EXPECT_NE(read("den", "olga", field, "whitelist"), R"(notJoined["den"])");
    EXPECT_NE(read("den", "adam", field, "whitelist"), R"(notJoined["den"])");
  }
  EXPECT_EQ(history("den", "mia", recent(1)), R"(notJoined["den"])");
  EXPECT_EQ(history("gone", "mia", recent(1)), R"(noRoom["gone"])");
  EXPECT_EQ(history("den", "adam", recent(1)), "[1,0]");
  ASSERT_EQ(outcome(join("den", "mia", "m")), "ok");
  EXPECT_EQ(history("den", "mia", recent(1)), "[1,0]");
}

TEST_P(store_contract, lists_and_access_can_be_asked_for_one_name) {
  room_settings settings;
  settings.owner = user_name("olga");
  settings.whitelist = names({"will"});
  settings.blacklist = names({"bob", "will"});
  settings.whitelist_only = true;
  ASSERT_EQ(add_room("den", settings), "ok");
  EXPECT_EQ(read("den", "", room_field::in_list, "whitelist", "will"), "true");
  EXPECT_EQ(read("den", "", room_field::in_list, "whitelist", "bob"), "false");
  EXPECT_EQ(read("den", "", room_field::in_list, "userlist", "olga"), "false");
  EXPECT_EQ(read("den", "", room_field::in_list, "friends", "bob"), R"(noList["friends"])");
  EXPECT_EQ(read("den", "", room_field::access, "olga"), "true");
  EXPECT_EQ(read("den", "", room_field::access, "will"), "false");
  EXPECT_EQ(read("den", "", room_field::access, "eve"), "false");
}

TEST_P(store_contract, an_edit_tells_what_it_changed) {
  ASSERT_EQ(add_room("den"), "ok");
  EXPECT_EQ(edit("den", "", "blacklist", true, {"b", "a", "b"}), "a,b;");
  EXPECT_EQ(edit("den", "", "blacklist", true, {"a"}), ";");
  EXPECT_EQ(edit("den", "", "blacklist", true, {}), ";");
  EXPECT_EQ(edit("den", "", "blacklist", false, {"c"}), ";");
  EXPECT_EQ(edit("den", "", "blacklist", false, {"a", "c"}), "a;");
  EXPECT_EQ(list("den", "blacklist"), R"(["b"])");
}

TEST_P(store_contract, who_may_edit_which_list) {
  room_settings settings;
  settings.owner = user_name("olga");
  settings.adminlist = names({"adam"});
  ASSERT_EQ(add_room("den", settings), "ok");
  enter("den", "mia", "m");
  struct edit_case {
    const char* by;
    const char* list;
    const char* name;
    const char* outcome;
  };
  const edit_case cases[] = {{"olga", "adminlist", "x", "x;"},
                             {"adam", "adminlist", "y", "notAllowed[]"},
                             {"adam", "whitelist", "w", "w;"},
                             {"adam", "blacklist", "olga", "notAllowed[]"},
                             {"olga", "blacklist", "olga", "olga;"},
                             {"mia", "whitelist", "w2", "notAllowed[]"},
                             {"eve", "blacklist", "mia", "notAllowed[]"},
                             {"olga", "userlist", "x", "notAllowed[]"},
                             {"olga", "friends", "x", R"(noList["friends"])"},
                             {"", "userlist", "x", "notAllowed[]"}};
  for (const edit_case& c : cases)
    EXPECT_EQ(edit("den", c.by, c.list, true, {c.name}), c.outcome) << c.by << ' ' << c.list << ' ' << c.name;
  EXPECT_EQ(edit("gone", "olga", "friends", true, {}), R"(noRoom["gone"])");
  EXPECT_EQ(whitelist_mode("den", "mia", true), "notAllowed[]");
  EXPECT_EQ(whitelist_mode("gone", "mia", true), R"(noRoom["gone"])");
}

TEST_P(store_contract, a_list_over_its_limit_changes_nothing) {
  ASSERT_EQ(add_room("den"), "ok");
  EXPECT_EQ(edit("den", "", "whitelist", true, {"a", "b"}, 2), "a,b;");
  EXPECT_EQ(edit("den", "", "whitelist", true, {"b", "c"}, 2), R"(listLimitExceeded["whitelist"])");
  EXPECT_EQ(list("den", "whitelist"), R"(["a","b"])");
  EXPECT_EQ(edit("den", "", "whitelist", true, {"a", "b", "a"}, 2), ";");
  EXPECT_EQ(edit("den", "", "whitelist", false, {"a"}, 0), "a;");
  EXPECT_EQ(edit("den", "", "whitelist", true, {"c", "c"}, 2), "c;");
}

TEST_P(store_contract, who_loses_access_is_removed_by_the_edit) {
  room_settings settings;
  settings.owner = user_name("olga");
  settings.adminlist = names({"adam"});
  ASSERT_EQ(add_room("den", settings), "ok");
  enter("den", "mia", "m1");
  enter("den", "mia", "m2");
  enter("den", "adam", "a");
  enter("den", "olga", "o");
  driver->time.wall = 7000;
  EXPECT_EQ(edit("den", "", "blacklist", true, {"mia", "adam", "olga"}), "adam,mia,olga; mia:m1+m2");
  EXPECT_EQ(list("den", "userlist"), R"(["adam","olga"])");
  EXPECT_EQ(read("den", "", room_field::user_seen, "mia"), R"({"joined":false,"timestamp":7000})");
  EXPECT_EQ(shown(run(data().connections(user_name("mia")))), R"({"m1":[],"m2":[]})");
  EXPECT_EQ(append("den", "mia", "hello"), R"(notJoined["den"])");
  EXPECT_EQ(outcome(join("den", "mia", "m1")), "notAllowed[]");
  EXPECT_EQ(edit("den", "", "adminlist", false, {"adam"}), "adam; adam:a");
}

TEST_P(store_contract, whitelist_mode_removes_who_is_not_listed) {
  room_settings settings;
  settings.owner = user_name("olga");
  settings.whitelist = names({"will"});
  ASSERT_EQ(add_room("den", settings), "ok");
  enter("den", "mia", "m");
  enter("den", "will", "w");
  enter("den", "olga", "o");
  EXPECT_EQ(whitelist_mode("den", "olga", true), "; mia:m");
  EXPECT_EQ(whitelist_mode("den", "olga", true), ";");
  EXPECT_EQ(read("den", "", room_field::whitelist_mode), "true");
  EXPECT_EQ(edit("den", "olga", "whitelist", false, {"will"}), "will; will:w");
  EXPECT_EQ(list("den", "userlist"), R"(["olga"])");
  EXPECT_EQ(whitelist_mode("den", "olga", false), ";");
  EXPECT_EQ(outcome(join("den", "mia", "m")), "ok");
}

TEST_P(store_contract, a_new_owner_takes_the_place_of_the_former) {
  room_settings settings;
  settings.owner = user_name("olga");
  settings.whitelist_only = true;
  ASSERT_EQ(add_room("den", settings), "ok");
  enter("den", "olga", "o");
  room_change to;
  to.owner.emplace(user_name("nina"));
  EXPECT_EQ(change("den", to), "; olga:o");
  EXPECT_EQ(read("den", "", room_field::owner), R"("nina")");
  EXPECT_EQ(list("den", "userlist"), "[]");
  room_change nobody;
  nobody.owner.emplace(std::nullopt);
  EXPECT_EQ(change("den", nobody), ";");
  EXPECT_EQ(read("den", "", room_field::owner), "null");
  EXPECT_EQ(change("gone", nobody), R"(noRoom["gone"])");
}

TEST_P(store_contract, the_switches_of_a_room_can_be_changed_one_by_one) {
  ASSERT_EQ(add_room("den"), "ok");
  room_change to;
  to.userlist_updates = true;
  ASSERT_EQ(change("den", to), ";");
  EXPECT_EQ(read("den", "", room_field::notifications),
            R"({"enableUserlistUpdates":true,"enableAccessListsUpdates":false})");
  room_change other;
  other.access_lists_updates = true;
  ASSERT_EQ(change("den", other), ";");
  connect("mia", "m");
  auto outcome_of_join = join("den", "mia", "m");
  ASSERT_TRUE(outcome_of_join.has_value());
  EXPECT_TRUE(outcome_of_join->switches.userlist_updates);
  EXPECT_TRUE(outcome_of_join->switches.access_lists_updates);
}

TEST_P(store_contract, a_deleted_room_leaves_nothing_behind) {
  room_settings settings;
  settings.owner = user_name("olga");
  settings.adminlist = names({"adam"});
  settings.blacklist = names({"bob"});
  ASSERT_EQ(add_room("den", settings), "ok");
  enter("den", "mia", "m1");
  enter("den", "mia", "m2");
  enter("den", "olga", "o");
  append_many("den", 1, 3);
  ASSERT_EQ(append("den", "", "keyed", append_options("k")), "4");
  EXPECT_EQ(outcome(run(data().remove_room(room_name("den"), as("adam")))), "notAllowed[]");
  auto removed = run(data().remove_room(room_name("den"), as("olga")));
  ASSERT_TRUE(removed.has_value());
  ASSERT_EQ(removed->removed.size(), 2u);
  EXPECT_EQ(removed_text(removed->removed[0]), "mia:m1+m2");
  EXPECT_EQ(removed_text(removed->removed[1]), "olga:o");
  EXPECT_EQ(outcome(run(data().remove_room(room_name("den"), as("olga")))), R"(noRoom["den"])");
  EXPECT_EQ(append("den", "mia", "x"), R"(noRoom["den"])");
  EXPECT_EQ(outcome(join("den", "mia", "m1")), R"(noRoom["den"])");
  EXPECT_EQ(outcome(leave("den", "mia", "m1")), R"(noRoom["den"])");
  EXPECT_EQ(shown(run(data().connections(user_name("mia")))), R"({"m1":[],"m2":[]})");
  EXPECT_EQ(shown(run(data().list_rooms("", 10))), "[]");

  room_settings anew;
  anew.epoch = "second";
  ASSERT_EQ(add_room("den", anew), "ok");
  EXPECT_EQ(list("den", "blacklist"), "[]");
  EXPECT_EQ(history("den", "", recent(9)), "[1,0]");
  EXPECT_EQ(read("den", "", room_field::user_seen, "mia"), R"({"joined":false,"timestamp":null})");
  EXPECT_EQ(append("den", "", "keyed", append_options("k")), "1");
}

TEST_P(store_contract, a_repair_takes_out_only_who_does_not_belong) {
  ASSERT_EQ(add_room("den"), "ok");
  enter("den", "mia", "m");
  auto repaired = run(data().repair_room(room_name("den"), 9000));
  ASSERT_TRUE(repaired.has_value());
  EXPECT_TRUE(repaired->empty());
  EXPECT_EQ(list("den", "userlist"), R"(["mia"])");
  EXPECT_EQ(outcome(run(data().repair_room(room_name("gone"), 9000))), R"(noRoom["gone"])");
}

}  // namespace roombus::test
