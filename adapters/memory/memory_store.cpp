#include "adapters/memory/memory_store.hpp"

#include <map>
#include <utility>

#include "adapters/memory/message_log.hpp"
#include "core/room_state.hpp"
#include "core/user_state.hpp"

namespace roombus {

namespace {

struct room_entry {
  room_state state;
  message_log log;
};

chat_error no_user(const user_name& user) {
  return {errc::no_user, {value(user.str())}};
}

class memory_store final : public store {
 public:
  explicit memory_store(clock& time) : time_(time) {}

  task<result<void>> add_room(room_name room, room_settings settings) override {
    if (rooms_.contains(room)) co_return chat_error(errc::room_exists, {value(room.str())});
    message_log log(settings.epoch, settings.history_max_size);
    room_state state(room, std::move(settings));
    rooms_.emplace(std::move(room), room_entry{std::move(state), std::move(log)});
    co_return result<void>{};
  }

  task<result<access_change>> remove_room(room_name room, actor by) override {
    auto it = rooms_.find(room);
    if (it == rooms_.end()) co_return no_room(room.str());
    auto allowed = it->second.state.check_delete(by);
    if (!allowed) co_return allowed.error();
    access_change change;
    change.removed = it->second.state.remove_all();
    forget_memberships(room, change.removed);
    rooms_.erase(it);
    co_return change;
  }

  task<result<void>> find_room(room_name room) override {
    if (!rooms_.contains(room)) co_return no_room(room.str());
    co_return result<void>{};
  }

  task<result<value>> read_room(room_name room, actor by, room_query query) override {
    const room_entry* entry = find(room);
    if (entry == nullptr) co_return no_room(room.str());
    const room_state& state = entry->state;
    auto allowed = state.check_read(by);
    if (!allowed) co_return allowed.error();
    switch (query.field) {
      case room_field::owner:
        co_return state.owner() ? value(state.owner()->str()) : value();
      case room_field::whitelist_mode:
        co_return value(state.whitelist_only());
      case room_field::notifications:
        co_return switches_value(state.switches());
      case room_field::history_info:
        co_return history_info(*entry);
      case room_field::user_seen:
        co_return state.user_seen(user_name(query.argument));
      case room_field::list:
        co_return state.list(query.argument);
      case room_field::access:
        co_return value(state.has_access(user_name(query.argument)));
      case room_field::in_list: {
        auto has = state.has_in_list(query.argument, user_name(query.item));
        if (!has) co_return has.error();
        co_return value(*has);
      }
    }
    co_return value();
  }

  task<result<history_page>> read_history(room_name room, actor by, history_request request) override {
    const room_entry* entry = find(room);
    if (entry == nullptr) co_return no_room(room.str());
    auto allowed = entry->state.check_read(by);
    if (!allowed) co_return allowed.error();
    co_return entry->log.read(request);
  }

  task<result<appended>> append(append_request request) override {
    room_entry* entry = find(request.room);
    if (entry == nullptr) co_return no_room(request.room.str());
    auto allowed = entry->state.check_send(request.by);
    if (!allowed) co_return allowed.error();
    appended out;
    out.id = entry->log.repeated(request);
    out.repeated = out.id != 0;
    if (!out.repeated) out.id = entry->log.append(request);
    co_return out;
  }

  task<result<access_change>> edit_list(room_name room, actor by, std::string list, bool add,
                                        std::vector<user_name> names, std::size_t limit) override {
    room_entry* entry = find(room);
    if (entry == nullptr) co_return no_room(room.str());
    auto change = entry->state.edit_list(by, list, add, names, limit, time_.now_ms());
    if (change) forget_memberships(room, change->removed);
    co_return change;
  }

  task<result<access_change>> set_whitelist_mode(room_name room, actor by, bool whitelist_only) override {
    room_entry* entry = find(room);
    if (entry == nullptr) co_return no_room(room.str());
    auto change = entry->state.set_whitelist_mode(by, whitelist_only, time_.now_ms());
    if (change) forget_memberships(room, change->removed);
    co_return change;
  }

  task<result<access_change>> change_room(room_name room, room_change change) override {
    room_entry* entry = find(room);
    if (entry == nullptr) co_return no_room(room.str());
    access_change changed = entry->state.change(change, time_.now_ms());
    if (change.history_max_size) entry->log.set_max_size(*change.history_max_size);
    forget_memberships(room, changed.removed);
    co_return changed;
  }

  task<result<value>> list_rooms(std::string after, std::size_t limit) override {
    co_return names_after(rooms_, room_name(std::move(after)), limit);
  }

  task<result<begun_join>> begin_join(join_request request) override {
    const room_entry* entry = find(request.room);
    if (entry == nullptr) co_return no_room(request.room.str());
    if (rooms_of(request) == nullptr) co_return chat_error(errc::invalid_socket, {value(request.id.str())});
    auto allowed = entry->state.check_join(request.user);
    if (!allowed) co_return allowed.error();
    begun_join begun;
    begun.already = entry->state.is_joined(request.user, request.id);
    begun.njoined = entry->state.joined_count(request.user) + (begun.already ? 0 : 1);
    co_return begun;
  }

  task<result<joined>> confirm_join(join_request request, history_request history) override {
    room_entry* entry = find(request.room);
    if (entry == nullptr) co_return no_room(request.room.str());
    std::set<room_name>* rooms = rooms_of(request);
    if (rooms == nullptr) co_return chat_error(errc::invalid_socket, {value(request.id.str())});
    auto outcome = entry->state.join(request.user, request.id, request.now_ms);
    if (!outcome) co_return outcome.error();
    rooms->insert(request.room);
    outcome->history = entry->log.read(history);
    co_return outcome;
  }

  task<result<void>> cancel_join(join_request /*request*/) override { co_return result<void>{}; }

  task<result<left_room>> leave(join_request request) override {
    room_entry* entry = find(request.room);
    if (entry == nullptr) co_return no_room(request.room.str());
    if (std::set<room_name>* rooms = rooms_of(request)) rooms->erase(request.room);
    co_return entry->state.leave(request.user, request.id, request.now_ms);
  }

  task<result<void>> add_user(user_name user, direct_settings settings) override {
    if (users_.contains(user)) co_return chat_error(errc::user_exists, {value(user.str())});
    users_.emplace(user, user_state(user, std::move(settings)));
    co_return result<void>{};
  }

  task<result<void>> remove_user(user_name user) override {
    auto it = users_.find(user);
    if (it == users_.end()) co_return no_user(user);
    if (!it->second.connections.empty()) co_return chat_error(errc::user_online, {value(user.str())});
    users_.erase(it);
    co_return result<void>{};
  }

  task<result<bool>> has_user(user_name user) override { co_return users_.contains(user); }

  task<result<std::uint64_t>> connect(connection_record record, std::size_t limit) override {
    auto it = users_.find(record.user);
    if (it == users_.end()) it = users_.emplace(record.user, user_state(record.user, direct_settings())).first;
    auto& connections = it->second.connections;
    if (!connections.contains(record.id) && connections.size() >= limit) co_return chat_error(errc::rate_limited);
    connections[record.id].instance = record.instance;
    co_return std::uint64_t{connections.size()};
  }

  task<result<disconnected>> disconnect(user_name user, connection_id id, std::int64_t now_ms) override {
    disconnected out;
    auto it = users_.find(user);
    if (it == users_.end()) co_return out;
    auto connection = it->second.connections.extract(id);
    out.nconnected = it->second.connections.size();
    if (connection.empty()) co_return out;
    out.was_connected = true;
    for (const room_name& room : connection.mapped().rooms) {
      if (room_entry* entry = find(room)) out.rooms.push_back(entry->state.leave(user, id, now_ms));
    }
    co_return out;
  }

  task<result<value>> connections(user_name user) override {
    const user_state* state = find(user);
    if (state == nullptr) co_return no_user(user);
    co_return state->connections_value();
  }

  task<result<std::vector<connection_record>>> connection_records(user_name user) override {
    const user_state* state = find(user);
    if (state == nullptr) co_return no_user(user);
    std::vector<connection_record> out;
    for (const auto& [id, connection] : state->connections)
      out.push_back(record_of(user, id, connection));
    co_return out;
  }

  task<result<value>> list_users(std::string after, std::size_t limit) override {
    co_return names_after(users_, user_name(std::move(after)), limit);
  }

  task<result<bool>> has_in_direct_list(user_name user, std::string list, user_name item) override {
    const user_state* state = find(user);
    if (state == nullptr) co_return no_user(user);
    co_return state->has_in_list(list, item);
  }

  task<result<direct_access>> check_direct(user_name recipient, user_name sender) override {
    const user_state* state = find(recipient);
    if (state == nullptr) co_return no_user(recipient);
    co_return direct_access{state->allows(sender), !state->connections.empty()};
  }

  task<result<void>> edit_direct_list(user_name user, std::string list, bool add, std::vector<user_name> names,
                                      std::size_t limit) override {
    user_state* state = find(user);
    if (state == nullptr) co_return no_user(user);
    co_return state->edit_list(list, add, names, limit);
  }

  task<result<value>> direct_list(user_name user, std::string list) override {
    const user_state* state = find(user);
    if (state == nullptr) co_return no_user(user);
    co_return state->list(list);
  }

  task<result<void>> set_direct_whitelist_mode(user_name user, bool whitelist_only) override {
    user_state* state = find(user);
    if (state == nullptr) co_return no_user(user);
    state->set_whitelist_only(whitelist_only);
    co_return result<void>{};
  }

  task<result<bool>> direct_whitelist_mode(user_name user) override {
    const user_state* state = find(user);
    if (state == nullptr) co_return no_user(user);
    co_return state->whitelist_only();
  }

  task<result<void>> heartbeat(std::string instance, std::int64_t now_ms) override {
    heartbeats_[std::move(instance)] = now_ms;
    co_return result<void>{};
  }

  task<result<std::optional<std::int64_t>>> last_heartbeat(std::string instance) override {
    std::optional<std::int64_t> last;
    if (auto it = heartbeats_.find(instance); it != heartbeats_.end()) last = it->second;
    co_return last;
  }

  task<result<std::vector<std::string>>> instances() override {
    std::vector<std::string> names;
    for (const auto& [instance, at] : heartbeats_)
      names.push_back(instance);
    co_return names;
  }

  task<result<void>> forget_instance(std::string instance) override {
    heartbeats_.erase(instance);
    co_return result<void>{};
  }

  task<result<std::vector<connection_record>>> instance_connections(std::string instance) override {
    std::vector<connection_record> out;
    for (const auto& [user, state] : users_) {
      for (const auto& [id, connection] : state.connections) {
        if (connection.instance == instance) out.push_back(record_of(user, id, connection));
      }
    }
    co_return out;
  }

  task<result<std::vector<repaired_member>>> repair_room(room_name room, std::int64_t now_ms) override {
    room_entry* entry = find(room);
    if (entry == nullptr) co_return no_room(room.str());
    std::vector<repaired_member> repaired;
    for (auto& [user, id] : entry->state.joined_connections()) {
      user_state* state = find(user);
      const bool connected = state != nullptr && state->connections.contains(id);
      if (connected && entry->state.has_access(user)) continue;
      if (connected) state->connections[id].rooms.erase(room);
      repaired.push_back({user, id, entry->state.leave(user, id, now_ms)});
    }
    co_return repaired;
  }

 private:
  room_entry* find(const room_name& room) {
    auto it = rooms_.find(room);
    return it == rooms_.end() ? nullptr : &it->second;
  }

  user_state* find(const user_name& user) {
    auto it = users_.find(user);
    return it == users_.end() ? nullptr : &it->second;
  }

  std::set<room_name>* rooms_of(const join_request& request) {
    user_state* user = find(request.user);
    if (user == nullptr) return nullptr;
    auto it = user->connections.find(request.id);
    return it == user->connections.end() ? nullptr : &it->second.rooms;
  }

  static connection_record record_of(const user_name& user, const connection_id& id,
                                     const user_state::connection& connection) {
    connection_record record;
    record.user = user;
    record.id = id;
    record.instance = connection.instance;
    return record;
  }

  template <class Map>
  static value names_after(const Map& map, const typename Map::key_type& after, std::size_t limit) {
    value_list names;
    for (auto it = map.upper_bound(after); it != map.end() && names.size() < limit; ++it) {
      names.emplace_back(it->first.str());
    }
    return names;
  }

  void forget_memberships(const room_name& room, const std::vector<removed_member>& removed) {
    for (const removed_member& member : removed) {
      user_state* user = find(member.user);
      if (user == nullptr) continue;
      for (const connection_id& id : member.connections) {
        auto it = user->connections.find(id);
        if (it != user->connections.end()) it->second.rooms.erase(room);
      }
    }
  }

  static value switches_value(const notification_switches& s) {
    return value_map{{"enableUserlistUpdates", value(s.userlist_updates)},
                     {"enableAccessListsUpdates", value(s.access_lists_updates)}};
  }

  static value history_info(const room_entry& entry) {
    const history_position position = entry.log.position();
    return value_map{{"historyMaxSize", value(entry.state.history_max_size())},
                     {"historySize", value(entry.log.size())},
                     {"lastMessageId", value(position.last_message_id)},
                     {"epoch", value(position.epoch)},
                     {"firstMessageId", value(position.first_message_id)}};
  }

  clock& time_;
  std::map<room_name, room_entry> rooms_;  // ordered, for paging
  std::map<user_name, user_state> users_;
  std::map<std::string, std::int64_t> heartbeats_;
};

}  // namespace

std::unique_ptr<store> make_memory_store(clock& time) {
  return std::make_unique<memory_store>(time);
}

}  // namespace roombus
