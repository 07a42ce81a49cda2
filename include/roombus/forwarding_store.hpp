#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/store.hpp"

namespace roombus {

/// A store that hands every operation to another one: the base of stores that add something to some operations.
class forwarding_store : public store {
 public:
  explicit forwarding_store(std::unique_ptr<store> inner) : inner_(std::move(inner)) {}

  task<result<void>> add_room(room_name room, room_settings settings) override {
    return inner_->add_room(std::move(room), std::move(settings));
  }
  task<result<access_change>> remove_room(room_name room, actor by) override {
    return inner_->remove_room(std::move(room), std::move(by));
  }
  task<result<void>> find_room(room_name room) override { return inner_->find_room(std::move(room)); }
  task<result<value>> read_room(room_name room, actor by, room_query query) override {
    return inner_->read_room(std::move(room), std::move(by), std::move(query));
  }
  task<result<history_page>> read_history(room_name room, actor by, history_request request) override {
    return inner_->read_history(std::move(room), std::move(by), std::move(request));
  }
  task<result<appended>> append(append_request request) override { return inner_->append(std::move(request)); }
  task<result<access_change>> edit_list(room_name room, actor by, std::string list, bool add,
                                        std::vector<user_name> names, std::size_t limit) override {
    return inner_->edit_list(std::move(room), std::move(by), std::move(list), add, std::move(names), limit);
  }
  task<result<access_change>> set_whitelist_mode(room_name room, actor by, bool whitelist_only) override {
    return inner_->set_whitelist_mode(std::move(room), std::move(by), whitelist_only);
  }
  task<result<access_change>> change_room(room_name room, room_change change) override {
    return inner_->change_room(std::move(room), std::move(change));
  }
  task<result<value>> list_rooms(std::string after, std::size_t limit) override {
    return inner_->list_rooms(std::move(after), limit);
  }

  task<result<begun_join>> begin_join(join_request request) override { return inner_->begin_join(std::move(request)); }
  task<result<joined>> confirm_join(join_request request, history_request history) override {
    return inner_->confirm_join(std::move(request), std::move(history));
  }
  task<result<void>> cancel_join(join_request request) override { return inner_->cancel_join(std::move(request)); }
  task<result<left_room>> leave(join_request request) override { return inner_->leave(std::move(request)); }

  task<result<void>> add_user(user_name user, direct_settings settings) override {
    return inner_->add_user(std::move(user), std::move(settings));
  }
  task<result<void>> remove_user(user_name user) override { return inner_->remove_user(std::move(user)); }
  task<result<bool>> has_user(user_name user) override { return inner_->has_user(std::move(user)); }
  task<result<std::uint64_t>> connect(connection_record record, std::size_t limit) override {
    return inner_->connect(std::move(record), limit);
  }
  task<result<disconnected>> disconnect(user_name user, connection_id id, std::int64_t now_ms) override {
    return inner_->disconnect(std::move(user), std::move(id), now_ms);
  }
  task<result<value>> connections(user_name user) override { return inner_->connections(std::move(user)); }
  task<result<std::vector<connection_record>>> connection_records(user_name user) override {
    return inner_->connection_records(std::move(user));
  }
  task<result<value>> list_users(std::string after, std::size_t limit) override {
    return inner_->list_users(std::move(after), limit);
  }
  task<result<bool>> has_in_direct_list(user_name user, std::string list, user_name item) override {
    return inner_->has_in_direct_list(std::move(user), std::move(list), std::move(item));
  }
  task<result<direct_access>> check_direct(user_name recipient, user_name sender) override {
    return inner_->check_direct(std::move(recipient), std::move(sender));
  }
  task<result<void>> edit_direct_list(user_name user, std::string list, bool add, std::vector<user_name> names,
                                      std::size_t limit) override {
    return inner_->edit_direct_list(std::move(user), std::move(list), add, std::move(names), limit);
  }
  task<result<value>> direct_list(user_name user, std::string list) override {
    return inner_->direct_list(std::move(user), std::move(list));
  }
  task<result<void>> set_direct_whitelist_mode(user_name user, bool whitelist_only) override {
    return inner_->set_direct_whitelist_mode(std::move(user), whitelist_only);
  }
  task<result<bool>> direct_whitelist_mode(user_name user) override {
    return inner_->direct_whitelist_mode(std::move(user));
  }

  task<result<void>> heartbeat(std::string instance, std::int64_t now_ms) override {
    return inner_->heartbeat(std::move(instance), now_ms);
  }
  task<result<std::optional<std::int64_t>>> last_heartbeat(std::string instance) override {
    return inner_->last_heartbeat(std::move(instance));
  }
  task<result<std::vector<std::string>>> instances() override { return inner_->instances(); }
  task<result<void>> forget_instance(std::string instance) override {
    return inner_->forget_instance(std::move(instance));
  }
  task<result<std::vector<connection_record>>> instance_connections(std::string instance) override {
    return inner_->instance_connections(std::move(instance));
  }
  task<result<std::vector<repaired_member>>> repair_room(room_name room, std::int64_t now_ms) override {
    return inner_->repair_room(std::move(room), now_ms);
  }

 protected:
  [[nodiscard]] store& inner() { return *inner_; }

 private:
  std::unique_ptr<store> inner_;
};

}  // namespace roombus
