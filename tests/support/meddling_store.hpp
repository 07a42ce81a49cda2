#pragma once

// A store that does what another one does, except where a test makes it wait or fail.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ports/store.hpp"

namespace roombus::test {

class meddling_store final : public store {
 public:
  explicit meddling_store(store& real) : real_(real) {}

  /// Called with the operation's name before it; may wait. An error is answered, and nothing is done.
  std::function<task<result<void>>(std::string operation)> before;
  /// Called after it. An error is answered, though all was done.
  std::function<result<void>(std::string operation)> after;

  /// What is answered has more than what the other store knows.
  std::function<void(begun_join& begun)> amend_begun;
  std::function<void(joined& outcome)> amend_joined;
  std::function<void(const join_request& request)> on_confirm;
  std::function<void(access_change& change)> amend_change;  ///< of edits, modes, and the end of a room

  task<result<void>> add_room(room_name room, room_settings settings) override {
    if (before) {
      result<void> allowed = co_await before("add_room");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.add_room(std::move(room), std::move(settings));
    if (after) {
      result<void> told = after("add_room");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<access_change>> remove_room(room_name room, actor by) override {
    if (before) {
      result<void> allowed = co_await before("remove_room");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.remove_room(std::move(room), std::move(by));
    if (outcome && amend_change) amend_change(*outcome);
    if (after) {
      result<void> told = after("remove_room");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<void>> find_room(room_name room) override {
    if (before) {
      result<void> allowed = co_await before("find_room");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.find_room(std::move(room));
    if (after) {
      result<void> told = after("find_room");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<value>> read_room(room_name room, actor by, room_query query) override {
    if (before) {
      result<void> allowed = co_await before("read_room");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.read_room(std::move(room), std::move(by), std::move(query));
    if (after) {
      result<void> told = after("read_room");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<history_page>> read_history(room_name room, actor by, history_request request) override {
    if (before) {
      result<void> allowed = co_await before("read_history");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.read_history(std::move(room), std::move(by), std::move(request));
    if (after) {
      result<void> told = after("read_history");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<appended>> append(append_request request) override {
    if (before) {
      result<void> allowed = co_await before("append");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.append(std::move(request));
    if (after) {
      result<void> told = after("append");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<access_change>> edit_list(room_name room, actor by, std::string list, bool add,
                                        std::vector<user_name> names, std::size_t limit) override {
    if (before) {
      result<void> allowed = co_await before("edit_list");
      if (!allowed) co_return allowed.error();
    }
    auto outcome =
        co_await real_.edit_list(std::move(room), std::move(by), std::move(list), add, std::move(names), limit);
    if (outcome && amend_change) amend_change(*outcome);
    if (after) {
      result<void> told = after("edit_list");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<access_change>> set_whitelist_mode(room_name room, actor by, bool on) override {
    if (before) {
      result<void> allowed = co_await before("set_whitelist_mode");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.set_whitelist_mode(std::move(room), std::move(by), on);
    if (outcome && amend_change) amend_change(*outcome);
    if (after) {
      result<void> told = after("set_whitelist_mode");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<access_change>> change_room(room_name room, room_change change) override {
    if (before) {
      result<void> allowed = co_await before("change_room");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.change_room(std::move(room), std::move(change));
    if (outcome && amend_change) amend_change(*outcome);
    if (after) {
      result<void> told = after("change_room");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<value>> list_rooms(std::string after_name, std::size_t limit) override {
    if (before) {
      result<void> allowed = co_await before("list_rooms");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.list_rooms(std::move(after_name), limit);
    if (after) {
      result<void> told = after("list_rooms");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<begun_join>> begin_join(join_request request) override {
    if (before) {
      result<void> allowed = co_await before("begin_join");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.begin_join(std::move(request));
    if (outcome && amend_begun) amend_begun(*outcome);
    if (after) {
      result<void> told = after("begin_join");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<joined>> confirm_join(join_request request, history_request history) override {
    if (before) {
      result<void> allowed = co_await before("confirm_join");
      if (!allowed) co_return allowed.error();
    }
    if (on_confirm) on_confirm(request);
    auto outcome = co_await real_.confirm_join(std::move(request), std::move(history));
    if (outcome && amend_joined) amend_joined(*outcome);
    if (after) {
      result<void> told = after("confirm_join");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<void>> cancel_join(join_request request) override {
    if (before) {
      result<void> allowed = co_await before("cancel_join");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.cancel_join(std::move(request));
    if (after) {
      result<void> told = after("cancel_join");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<left_room>> leave(join_request request) override {
    if (before) {
      result<void> allowed = co_await before("leave");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.leave(std::move(request));
    if (after) {
      result<void> told = after("leave");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<void>> add_user(user_name user, direct_settings settings) override {
    if (before) {
      result<void> allowed = co_await before("add_user");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.add_user(std::move(user), std::move(settings));
    if (after) {
      result<void> told = after("add_user");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<void>> remove_user(user_name user) override {
    if (before) {
      result<void> allowed = co_await before("remove_user");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.remove_user(std::move(user));
    if (after) {
      result<void> told = after("remove_user");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<bool>> has_user(user_name user) override {
    if (before) {
      result<void> allowed = co_await before("has_user");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.has_user(std::move(user));
    if (after) {
      result<void> told = after("has_user");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<std::uint64_t>> connect(connection_record record, std::size_t limit) override {
    if (before) {
      result<void> allowed = co_await before("connect");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.connect(std::move(record), limit);
    if (after) {
      result<void> told = after("connect");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<disconnected>> disconnect(user_name user, connection_id id, std::int64_t now_ms) override {
    if (before) {
      result<void> allowed = co_await before("disconnect");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.disconnect(std::move(user), std::move(id), now_ms);
    if (after) {
      result<void> told = after("disconnect");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<value>> connections(user_name user) override {
    if (before) {
      result<void> allowed = co_await before("connections");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.connections(std::move(user));
    if (after) {
      result<void> told = after("connections");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<std::vector<connection_record>>> connection_records(user_name user) override {
    if (before) {
      result<void> allowed = co_await before("connection_records");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.connection_records(std::move(user));
    if (after) {
      result<void> told = after("connection_records");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<value>> list_users(std::string after_name, std::size_t limit) override {
    if (before) {
      result<void> allowed = co_await before("list_users");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.list_users(std::move(after_name), limit);
    if (after) {
      result<void> told = after("list_users");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<bool>> has_in_direct_list(user_name user, std::string list, user_name item) override {
    if (before) {
      result<void> allowed = co_await before("has_in_direct_list");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.has_in_direct_list(std::move(user), std::move(list), std::move(item));
    if (after) {
      result<void> told = after("has_in_direct_list");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<direct_access>> check_direct(user_name recipient, user_name sender) override {
    if (before) {
      result<void> allowed = co_await before("check_direct");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.check_direct(std::move(recipient), std::move(sender));
    if (after) {
      result<void> told = after("check_direct");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<void>> edit_direct_list(user_name user, std::string list, bool add, std::vector<user_name> names,
                                      std::size_t limit) override {
    if (before) {
      result<void> allowed = co_await before("edit_direct_list");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.edit_direct_list(std::move(user), std::move(list), add, std::move(names), limit);
    if (after) {
      result<void> told = after("edit_direct_list");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<value>> direct_list(user_name user, std::string list) override {
    if (before) {
      result<void> allowed = co_await before("direct_list");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.direct_list(std::move(user), std::move(list));
    if (after) {
      result<void> told = after("direct_list");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<void>> set_direct_whitelist_mode(user_name user, bool on) override {
    if (before) {
      result<void> allowed = co_await before("set_direct_whitelist_mode");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.set_direct_whitelist_mode(std::move(user), on);
    if (after) {
      result<void> told = after("set_direct_whitelist_mode");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<bool>> direct_whitelist_mode(user_name user) override {
    if (before) {
      result<void> allowed = co_await before("direct_whitelist_mode");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.direct_whitelist_mode(std::move(user));
    if (after) {
      result<void> told = after("direct_whitelist_mode");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<void>> heartbeat(std::string instance, std::int64_t now_ms) override {
    if (before) {
      result<void> allowed = co_await before("heartbeat");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.heartbeat(std::move(instance), now_ms);
    if (after) {
      result<void> told = after("heartbeat");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<std::optional<std::int64_t>>> last_heartbeat(std::string instance) override {
    if (before) {
      result<void> allowed = co_await before("last_heartbeat");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.last_heartbeat(std::move(instance));
    if (after) {
      result<void> told = after("last_heartbeat");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<std::vector<std::string>>> instances() override {
    if (before) {
      result<void> allowed = co_await before("instances");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.instances();
    if (after) {
      result<void> told = after("instances");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<void>> forget_instance(std::string instance) override {
    if (before) {
      result<void> allowed = co_await before("forget_instance");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.forget_instance(std::move(instance));
    if (after) {
      result<void> told = after("forget_instance");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<std::vector<connection_record>>> instance_connections(std::string instance) override {
    if (before) {
      result<void> allowed = co_await before("instance_connections");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.instance_connections(std::move(instance));
    if (after) {
      result<void> told = after("instance_connections");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }
  task<result<std::vector<repaired_member>>> repair_room(room_name room, std::int64_t now_ms) override {
    if (before) {
      result<void> allowed = co_await before("repair_room");
      if (!allowed) co_return allowed.error();
    }
    auto outcome = co_await real_.repair_room(std::move(room), now_ms);
    if (after) {
      result<void> told = after("repair_room");
      if (!told) co_return told.error();
    }
    co_return outcome;
  }

 private:
  store& real_;
};

}  // namespace roombus::test
