#pragma once

// The broker's live connections. Each is one login: Mosquitto has no event for a connect, so a successful
// authentication is one, and on a takeover the old connection's end comes after it (design §7). The key is whatever
// tells connections apart (Mosquitto's own object).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "adapters/mosquitto/plugin/grant_table.hpp"
#include "adapters/mosquitto/plugin/keyed_proof.hpp"
#include "adapters/mosquitto/plugin/topic_policy.hpp"
#include "schemas/codec/login_codec.hpp"

namespace roombus::plugin {

struct live_connection {
  std::uint64_t generation = 0;
  role who = role::device;
  bool superseded = false;  ///< another connection took its client id and this one is about to end
  std::string user;
  std::string client;
  payload::login_limits limits;      ///< of its login
  std::optional<keyed_proof> asked;  ///< of what it showed, if a bridge was asked about it
};

class connection_registry {
 public:
  using key = const void*;

  explicit connection_registry(std::size_t max_connections) : max_connections_(max_connections) {}

  /// Why a login is refused by the state of the registry.
  enum class refusal : std::uint8_t { none, full, client_id_taken };
  /// The limit is for devices: they must not keep out the bridge that serves them, nor who has to help.
  [[nodiscard]] refusal check(key k, role who, std::string_view user, std::string_view client) const;

  struct change {
    const live_connection* connected = nullptr;  ///< null: it was there already (Mosquitto asks again at a reload)
    std::vector<std::uint64_t> superseded;       ///< generations that it takes over
  };
  change add(key k, role who, std::string_view user, std::string_view client, payload::login_limits limits = {},
             const std::optional<keyed_proof>& asked = std::nullopt);

  struct ended {
    std::optional<live_connection> gone;       ///< nothing: unknown, or reported already
    const live_connection* revived = nullptr;  ///< the takeover failed: this one lives on, with a new generation
  };
  ended remove(key k);

  [[nodiscard]] const live_connection* find(key k) const {
    auto it = by_key_.find(k);
    return it == by_key_.end() ? nullptr : &it->second;
  }
  /// The one that uses the client id now.
  [[nodiscard]] const live_connection* current(std::string_view client) const;

  template <class Fn>
  void for_each(Fn fn) const {
    for (const auto& [k, connection] : by_key_)
      fn(connection);
  }
  [[nodiscard]] std::size_t size() const { return by_key_.size(); }

 private:
  std::size_t max_connections_;
  std::uint64_t last_generation_ = 0;
  std::unordered_map<key, live_connection> by_key_;
  std::unordered_map<std::string, std::vector<live_connection*>, text_hash, std::equal_to<>> by_client_;
};

}  // namespace roombus::plugin
