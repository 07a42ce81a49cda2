#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/command_table.hpp"

namespace roombus {

/// Options of the service (contract §9), with their defaults.
struct chat_options {
  using ms = std::chrono::milliseconds;

  bool enable_access_lists_updates = false;  ///< Default of new rooms: tell members of list and mode changes.
  bool enable_userlist_updates = false;      ///< Default of new rooms: tell members who comes and goes.
  bool enable_direct_messages = false;
  bool enable_rooms_management = false;          ///< Clients may use roomCreate and roomDelete.
  std::uint64_t history_max_get_messages = 100;  ///< Most messages in one answer.
  std::uint64_t history_max_size = 10000;        ///< Default of new rooms; 0 keeps none.
  std::size_t direct_list_size_limit = 1000;     ///< Names in one direct messaging list.
  std::size_t room_list_size_limit = 10000;      ///< Names in one list of a room.
  bool use_raw_error_objects = false;            ///< socket.io clients get errors as objects, not as text.
  message_format format = message_format::object;
  ms idempotency_window{300000};  ///< How long a repeated idempotency key answers the first id.
  ms close_timeout{15000};
  ms heartbeat_rate{10000};
  ms heartbeat_timeout{30000};
  ms bus_ack_timeout{5000};
  ms lock_ttl{10000};
};

/// Bounds on what a stranger can make the core keep.
struct chat_limits {
  std::size_t name_bytes = 256;             ///< Longest user or room name, in bytes of UTF-8.
  std::size_t idempotency_keys = 10000;     ///< Remembered keys per room; the oldest go first.
  std::size_t connections_per_user = 1000;  ///< More are refused with rateLimited.
  std::size_t rooms_per_connection = 1000;  ///< More joins are refused with rateLimited.
  std::size_t message_byte_strings = 10;  ///< In one message; more is payloadTooLarge. socket.io clients take no more.
  std::uint32_t requests_per_second = 10000;  ///< Of one connection, bursts up to as many; 0: no bound. rateLimited.
};

}  // namespace roombus
