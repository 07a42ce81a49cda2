// Users, their connections, and the rules of their direct messages.

#include "adapters/sqlite/store_impl.hpp"

namespace roombus::sqlite {

task<bool> sqlite_store::load_user(user_pointer entry) {
  auto row = std::make_shared<std::optional<user_row>>();
  const std::string name = entry->name.str();
  auto read = queue_.read([row, name](tables& rows) { *row = rows.load_user(name); });
  const bool good = co_await read;
  if (good && *row) set_user(*entry, std::move(**row));
  co_return good;
}

void sqlite_store::set_user(user_entry& entry, user_row row) {
  entry.row = row.id;
  entry.names = row.settings.whitelist.size() + row.settings.blacklist.size();
  entry.state.emplace(entry.name, std::move(row.settings));
}

task<result<void>> sqlite_store::add_user(user_name user, direct_settings settings) {
  user_pointer entry = co_await users_.enter(user.str());
  if (!entry) co_return unavailable();
  if (entry->state) co_return chat_error(errc::user_exists, {value(user.str())});
  user_row row;
  row.id = ++last_user_row_;
  row.settings = std::move(settings);
  const std::size_t bytes = job_bytes + bytes_of(row.settings.whitelist) + bytes_of(row.settings.blacklist);
  users_.lock(entry);
  auto write = queue_.write([name = user.str(), row](tables& rows) { rows.insert_user(name, row); }, bytes);
  const bool good = co_await write;
  users_.unlock(entry);
  if (!good) co_return unavailable();
  set_user(*entry, std::move(row));
  co_return result<void>{};
}

task<result<void>> sqlite_store::remove_user(user_name user) {
  user_pointer entry = co_await users_.enter(user.str());
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_user(user);
  if (!entry->state->connections.empty()) co_return chat_error(errc::user_online, {value(user.str())});
  users_.lock(entry);
  auto write = queue_.write([row = entry->row](tables& rows) { rows.delete_user(row); }, job_bytes);
  const bool good = co_await write;
  users_.unlock(entry);
  if (!good) co_return unavailable();
  entry->state.reset();
  entry->names = 0;
  co_return result<void>{};
}

task<result<bool>> sqlite_store::has_user(user_name user) {
  user_pointer entry = co_await users_.enter(user.str());
  if (!entry) co_return unavailable();
  co_return entry->state.has_value();
}

task<result<std::uint64_t>> sqlite_store::connect(connection_record record, std::size_t limit) {
  user_pointer entry = co_await users_.enter(record.user.str());
  if (!entry) co_return unavailable();
  if (!entry->state) {
    user_row row;
    row.id = ++last_user_row_;
    users_.lock(entry);
    auto write =
        queue_.write([name = record.user.str(), row](tables& rows) { rows.insert_user(name, row); }, job_bytes);
    const bool good = co_await write;
    users_.unlock(entry);
    if (!good) co_return unavailable();
    set_user(*entry, std::move(row));
  }
  auto& connections = entry->state->connections;
  if (!connections.contains(record.id) && connections.size() >= limit) co_return chat_error(errc::rate_limited);
  connections[record.id].instance = record.instance;
  co_return std::uint64_t{connections.size()};
}

task<result<value>> sqlite_store::connections(user_name user) {
  user_pointer entry = co_await users_.enter(user.str());
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_user(user);
  co_return entry->state->connections_value();
}

task<result<std::vector<connection_record>>> sqlite_store::connection_records(user_name user) {
  user_pointer entry = co_await users_.enter(user.str());
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_user(user);
  std::vector<connection_record> out;
  for (const auto& [id, connection] : entry->state->connections) {
    connection_record record;
    record.user = user;
    record.id = id;
    record.instance = connection.instance;
    out.push_back(std::move(record));
  }
  co_return out;
}

task<result<value>> sqlite_store::list_users(std::string after, std::size_t limit) {
  auto names = std::make_shared<value_list>();
  auto read = queue_.read([names, after, limit](tables& rows) { *names = rows.user_names(after, limit); });
  const bool good = co_await read;
  if (!good) co_return unavailable();
  co_return value(std::move(*names));
}

task<result<bool>> sqlite_store::has_in_direct_list(user_name user, std::string list, user_name item) {
  user_pointer entry = co_await users_.enter(user.str());
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_user(user);
  co_return entry->state->has_in_list(list, item);
}

task<result<direct_access>> sqlite_store::check_direct(user_name recipient, user_name sender) {
  user_pointer entry = co_await users_.enter(recipient.str());
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_user(recipient);
  direct_access out;
  out.allowed = entry->state->allows(sender);
  out.online = !entry->state->connections.empty();
  co_return out;
}

task<result<void>> sqlite_store::edit_direct_list(user_name user, std::string list, bool add,
                                                  std::vector<user_name> names, std::size_t limit) {
  user_pointer entry = co_await users_.enter(user.str());
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_user(user);
  user_state tried = *entry->state;
  auto expected = tried.edit_list(list, add, names, limit);
  if (!expected || names.empty()) co_return expected;
  users_.lock(entry);
  auto write = queue_.write([row = entry->row, kind = *list_kind_of(list), add,
                             names](tables& rows) { rows.edit_user_list(row, kind, add, names); },
                            job_bytes + bytes_of(names));
  const bool good = co_await write;
  users_.unlock(entry);
  if (!good) co_return unavailable();
  auto edited = entry->state->edit_list(list, add, names, limit);
  entry->names += add ? names.size() : 0;
  co_return edited;
}

task<result<value>> sqlite_store::direct_list(user_name user, std::string list) {
  user_pointer entry = co_await users_.enter(user.str());
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_user(user);
  co_return entry->state->list(list);
}

task<result<void>> sqlite_store::set_direct_whitelist_mode(user_name user, bool whitelist_only) {
  user_pointer entry = co_await users_.enter(user.str());
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_user(user);
  if (entry->state->whitelist_only() == whitelist_only) co_return result<void>{};
  users_.lock(entry);
  auto write = queue_.write(
      [row = entry->row, whitelist_only](tables& rows) { rows.set_user_whitelist_only(row, whitelist_only); },
      job_bytes);
  const bool good = co_await write;
  users_.unlock(entry);
  if (!good) co_return unavailable();
  entry->state->set_whitelist_only(whitelist_only);
  co_return result<void>{};
}

task<result<bool>> sqlite_store::direct_whitelist_mode(user_name user) {
  user_pointer entry = co_await users_.enter(user.str());
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_user(user);
  co_return entry->state->whitelist_only();
}

}  // namespace roombus::sqlite
