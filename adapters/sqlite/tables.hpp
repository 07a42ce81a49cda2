#pragma once

// The rows of the file, as the store changes and reads them. Used on the writer's thread only.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/sqlite/database.hpp"
#include "core/ports/store.hpp"

namespace roombus::sqlite {

/// Numbers of the lists in the file.
enum class list_kind : std::uint8_t { adminlist = 0, whitelist = 1, blacklist = 2 };
/// Nothing for a name that is no list.
[[nodiscard]] std::optional<list_kind> list_kind_of(std::string_view name);

struct token_row {
  std::string token;
  std::uint64_t id = 0;  ///< of the message that it got
  std::int64_t until_ms = 0;
};

/// A user's last change in a room.
struct seen_row {
  std::int64_t room = 0;
  std::string user;
  std::int64_t at_ms = 0;
  bool joined = false;
};

struct message_row {
  std::int64_t room = 0;
  std::uint64_t id = 0;
  std::shared_ptr<const encoded_map> body;  ///< null: the room keeps no messages
  std::optional<token_row> token;
  std::uint64_t trim_to = 0;           ///< this message and all before it go; 0: none
  std::uint64_t forget_tokens_to = 0;  ///< the same for tokens
};

struct room_row {
  std::int64_t id = 0;
  room_settings settings;
  std::uint64_t first_message_id = 1;
  std::uint64_t last_message_id = 0;
  std::vector<token_row> tokens;  ///< oldest first
};

struct user_row {
  std::int64_t id = 0;
  direct_settings settings;
};

class tables {
 public:
  explicit tables(std::unique_ptr<database> db);
  ~tables();

  /// A transaction around changes. All members throw database_error.
  void begin();
  void commit();
  void roll_back() noexcept;
  /// Writes a page without changing anything, to see whether it can be written.
  void touch();

  void insert_room(const std::string& name, const room_row& room);
  void delete_room(std::int64_t room);
  void edit_room_list(std::int64_t room, list_kind list, bool add, const std::vector<user_name>& names);
  void set_whitelist_only(std::int64_t room, bool on);
  /// Messages below `first_message_id` go.
  void change_room(std::int64_t room, const room_change& change, std::uint64_t first_message_id);
  void append(const message_row& message);
  void set_seen(const seen_row& seen);
  void insert_user(const std::string& name, const user_row& user);
  void delete_user(std::int64_t user);
  void edit_user_list(std::int64_t user, list_kind list, bool add, const std::vector<user_name>& names);
  void set_user_whitelist_only(std::int64_t user, bool on);

  [[nodiscard]] std::optional<room_row> load_room(const std::string& name, std::int64_t now_ms);
  [[nodiscard]] std::optional<user_row> load_user(const std::string& name);
  /// Messages with ids from…to, oldest first, with their ids.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::shared_ptr<const encoded_map>>> messages(std::int64_t room,
                                                                                                   std::uint64_t from,
                                                                                                   std::uint64_t to);
  [[nodiscard]] std::optional<std::int64_t> seen_at(std::int64_t room, const std::string& user);
  [[nodiscard]] value_list room_names(const std::string& after, std::size_t limit);
  [[nodiscard]] value_list user_names(const std::string& after, std::size_t limit);
  /// Highest numbers in use.
  [[nodiscard]] std::int64_t last_room();
  [[nodiscard]] std::int64_t last_user();

 private:
  struct statements;

  std::unique_ptr<database> db_;
  std::unique_ptr<statements> s_;
  std::map<std::int64_t, std::uint64_t> last_ids_;  // of this transaction; written once per room at its end
};

}  // namespace roombus::sqlite
