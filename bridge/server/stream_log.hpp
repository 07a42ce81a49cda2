#pragma once

#include <cstdint>
#include <mutex>
#include <ostream>

#include "core/ports/environment.hpp"

namespace roombus::server {

enum class log_format : std::uint8_t;

/// Writes one line per entry: `2026-01-02T03:04:05.678Z info mqtt_connected text`, or an object with `time`, `level`,
/// `event` and `text`. Control characters in texts are escaped, so that a client's name never starts a line of its own.
class stream_log final : public log_sink {
 public:
  /// Entries below `least` are left out. `out` outlives the log.
  stream_log(std::ostream& out, log_format format, roombus::log_level least);
  void write(roombus::log_level level, std::string_view event, std::string_view text) override;

 private:
  std::ostream& out_;
  log_format format_;
  roombus::log_level least_;
  std::mutex mutex_;  // other threads log, too
};

}  // namespace roombus::server
