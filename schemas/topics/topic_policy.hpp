#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace roombus::topics {

/// Who a connection is allowed to be.
enum class role : std::uint8_t {
  device,      ///< an ordinary account: its own tree, and rooms it has a grant for
  worker,      ///< a device that also serves hook calls
  admin,       ///< a device that also may call the server API (a key is needed all the same) and read operator events
  privileged,  ///< both
  bridge       ///< roombus itself: everything
};

/// What an access check says. `needs_grant`: allowed if the connection holds a grant for the room.
enum class verdict : std::uint8_t { denied, allowed, needs_grant };

struct decision {
  verdict outcome = verdict::denied;
  std::string_view room_level;  ///< of `needs_grant`, still encoded; a view into the topic
};

/// True for what a user or client level of a topic may be: 1 to 128 of `A–Z a–z 0–9 _ ~ - . @`. Other names are refused
/// at login, so no name can pretend to be two levels or a wildcard. Source: design §3, "Levels".
[[nodiscard]] bool is_name_level(std::string_view level);

inline constexpr std::size_t max_status_bytes = 16;

/// The table of topics as access rights. Pure: no state but the configuration. Source: design §3.
class topic_policy {
 public:
  /// `any_client`: any client id may act for its user name (`--dev`).
  topic_policy(std::string prefix, bool any_client);

  /// May a message on `topic` be handed to this account? Asked at every delivery.
  [[nodiscard]] decision read(role who, std::string_view user, std::string_view client, std::string_view topic) const;
  /// May this account publish `size` bytes (0 where the broker does not tell) to `topic`? A status is one short word,
  /// since the broker keeps it for each client id that anybody thinks of: at most `max_status_bytes`.
  [[nodiscard]] bool write(role who, std::string_view user, std::string_view client, std::string_view topic,
                           bool retain, std::size_t size = 0) const;
  /// May this account subscribe with `filter`? Generous for rooms, since each delivery is checked again.
  [[nodiscard]] bool subscribe(role who, std::string_view user, std::string_view client, std::string_view filter) const;

  [[nodiscard]] const std::string& prefix() const { return prefix_; }

 private:
  [[nodiscard]] bool is_own(std::string_view& rest, std::string_view user, std::string_view client, bool filter) const;

  std::string prefix_;
  bool any_client_;
};

}  // namespace roombus::topics
