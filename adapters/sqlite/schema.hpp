#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "adapters/sqlite/database.hpp"
#include "adapters/sqlite/sqlite_store.hpp"

namespace roombus::sqlite {

/// Layout of the file that this version writes; kept in the file as `user_version`.
inline constexpr std::int64_t schema_version = 1;

struct opened_database {
  std::unique_ptr<database> db;
  std::string error;  ///< empty when `db` is set
};

/// Opens the file for this process alone, checks it, brings it to `schema_version`, and notes at `now_ms` that
/// everybody who was joined when the file was last in use has left. The error says what is wrong with the file.
[[nodiscard]] opened_database open_database(const sqlite_options& options, std::int64_t now_ms);

}  // namespace roombus::sqlite
