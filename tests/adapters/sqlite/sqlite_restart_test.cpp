// What is in the file when it is opened again.

#include "tests/adapters/sqlite/sqlite_driver.hpp"

namespace roombus::test {

namespace {

class sqlite_restart : public sqlite_test {};

TEST_F(sqlite_restart, rooms_keep_lists_modes_switches_owner_and_epoch) {
  room_settings settings;
  settings.owner = user_name("olga");
  settings.adminlist = names({"adam"});
  settings.epoch = "e1";
  settings.enable_access_lists_updates = true;
  ASSERT_EQ(add_room("den", settings), "ok");
  ASSERT_EQ(add_room("gone"), "ok");
  ASSERT_EQ(edit("den", "", "whitelist", true, {"a", "b"}), "a,b;");
  ASSERT_EQ(edit("den", "", "whitelist", false, {"a"}), "a;");
  ASSERT_EQ(edit("den", "", "blacklist", true, {"bob"}), "bob;");
  ASSERT_EQ(whitelist_mode("den", "", true), ";");
  room_change owner;
  owner.owner.emplace(user_name("nina"));
  ASSERT_EQ(change("den", owner), ";");
  room_change updates;
  updates.userlist_updates = true;
  ASSERT_EQ(change("den", updates), ";");
  ASSERT_TRUE(run(data().remove_room(room_name("gone"), as(""))).has_value());

  ASSERT_EQ(driver->reopen(), "");
  EXPECT_EQ(shown(run(data().list_rooms("", 9))), R"(["den"])");
  EXPECT_EQ(read("den", "", room_field::owner), R"("nina")");
  EXPECT_EQ(list("den", "adminlist"), R"(["adam"])");
  EXPECT_EQ(list("den", "whitelist"), R"(["b"])");
  EXPECT_EQ(list("den", "blacklist"), R"(["bob"])");
  EXPECT_EQ(read("den", "", room_field::whitelist_mode), "true");
  EXPECT_EQ(read("den", "", room_field::notifications),
            R"({"enableUserlistUpdates":true,"enableAccessListsUpdates":true})");
  EXPECT_EQ(history("den", "", position_only()), "[1,0]");
  EXPECT_EQ(add_room("den"), R"(roomExists["den"])");
}

TEST_F(sqlite_restart, history_and_ids_go_on) {
  room_settings settings;
  settings.history_max_size = 100;
  ASSERT_EQ(add_room("den", settings), "ok");
  settings.history_max_size = 0;
  ASSERT_EQ(add_room("silent", settings), "ok");
  append_many("den", 1, 250);
  append_many("silent", 1, 3);
  ASSERT_EQ(driver->reopen(), "");
  EXPECT_EQ(history("den", "", recent(2)), "250=m250 249=m249 [151,250]");
  EXPECT_EQ(history("den", "", after(150, 2)), "152=m152 151=m151 [151,250]");
  EXPECT_EQ(history("den", "", after(149, 1)), "151=m151 [151,250] gap");
  EXPECT_EQ(history("silent", "", recent(2)), "[4,3]");
  EXPECT_EQ(append("den", "", "next"), "251");
  EXPECT_EQ(append("silent", "", "next"), "4");
  EXPECT_EQ(history("den", "", after(249, 9)), "251=next 250=m250 [152,251]");
}

TEST_F(sqlite_restart, trimming_is_not_undone) {
  ASSERT_EQ(add_room("den"), "ok");
  append_many("den", 1, 9);
  room_change to;
  to.history_max_size = 2;
  ASSERT_EQ(change("den", to), ";");
  to.history_max_size = 100;
  ASSERT_EQ(change("den", to), ";");
  ASSERT_EQ(driver->reopen(), "");
  EXPECT_EQ(history("den", "", recent(9)), "9=m9 8=m8 [8,9]");
}

TEST_F(sqlite_restart, tokens_are_remembered_within_their_window) {
  ASSERT_EQ(add_room("den"), "ok");
  driver->time.wall = 1000;
  append_options with("short");
  ASSERT_EQ(append("den", "", "x", with), "1");
  with.token = "long";
  with.window_ms = 60000;
  ASSERT_EQ(append("den", "", "x", with), "2");
  driver->time.wall = 30000;
  ASSERT_EQ(driver->reopen(), "");
  with.now_ms = 30000;
  EXPECT_EQ(append("den", "", "x", with), "2 again");
  with.token = "short";
  EXPECT_EQ(append("den", "", "x", with), "3");
}

TEST_F(sqlite_restart, users_keep_their_direct_rules) {
  const user_name mia("mia");
  connect("mia", "m");
  ASSERT_TRUE(run(data().edit_direct_list(mia, "blacklist", true, names({"bob", "eve"}), 9)).has_value());
  ASSERT_TRUE(run(data().edit_direct_list(mia, "blacklist", false, names({"eve"}), 9)).has_value());
  ASSERT_TRUE(run(data().set_direct_whitelist_mode(mia, true)).has_value());
  ASSERT_EQ(driver->reopen(), "");
  EXPECT_TRUE(*run(data().has_user(mia)));
  EXPECT_EQ(shown(run(data().direct_list(mia, "blacklist"))), R"(["bob"])");
  EXPECT_TRUE(*run(data().direct_whitelist_mode(mia)));
  EXPECT_FALSE(run(data().check_direct(mia, user_name("bob")))->online);
}

TEST_F(sqlite_restart, who_was_connected_has_left) {
  ASSERT_EQ(add_room("den"), "ok");
  enter("den", "mia", "m");
  enter("den", "bob", "b");
  ASSERT_TRUE(leave("den", "bob", "b", 2000).has_value());
  ASSERT_TRUE(run(data().heartbeat("i1", 5)).has_value());
  driver->time.wall = 90000;
  ASSERT_EQ(driver->reopen(), "");
  EXPECT_EQ(list("den", "userlist"), "[]");
  EXPECT_EQ(read("den", "", room_field::user_seen, "mia"), R"({"joined":false,"timestamp":90000})");
  EXPECT_EQ(read("den", "", room_field::user_seen, "bob"), R"({"joined":false,"timestamp":2000})");
  EXPECT_EQ(shown(run(data().connections(user_name("mia")))), "{}");
  EXPECT_TRUE(run(data().instances())->empty());
  EXPECT_EQ(outcome(join("den", "mia", "m")), R"(invalidSocket["m"])");
  enter("den", "mia", "m");
}

}  // namespace

}  // namespace roombus::test
