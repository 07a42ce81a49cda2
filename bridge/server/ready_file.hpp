#pragma once

#include <optional>
#include <string>

namespace roombus::server {

/// Where a running instance is met. Source: design §9, `--ready-file`.
struct ready_info {
  std::string http;                 ///< host:port
  std::string admin;                ///< host:port
  std::optional<std::string> mqtt;  ///< host:port of the broker; none without MQTT
  std::string instance;
};

/// One line of JSON: `{"http":…,"admin":…,"mqtt":…,"instance":…,"pid":…}`.
[[nodiscard]] std::string ready_line(const ready_info& info);

/// Writes the line to a temporary file beside `path` and moves it there. Answers what went wrong, or "".
[[nodiscard]] std::string write_ready_file(const std::string& path, const ready_info& info);

}  // namespace roombus::server
