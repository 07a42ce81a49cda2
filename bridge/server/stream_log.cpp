#include "bridge/server/stream_log.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>

#include "bridge/server/config.hpp"
#include "core/utf8.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::server {

namespace {

std::string_view name_of(roombus::log_level level) {
  switch (level) {
    case roombus::log_level::debug:
      return "debug";
    case roombus::log_level::info:
      return "info";
    case roombus::log_level::warning:
      return "warning";
    case roombus::log_level::error:
      return "error";
  }
  return "";
}

/// ISO 8601 in UTC with milliseconds.
std::string timestamp() {
  using namespace std::chrono;
  const auto now = time_point_cast<milliseconds>(std::chrono::system_clock::now());
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char date[32];
  const std::size_t length = std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(now.time_since_epoch().count() % 1000));
  return std::string(date, length) + fraction;
}

void append_escaped(std::string& out, std::string_view text) {
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
      continue;
    }
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\x%02x", byte);
    out += escape;
  }
}

}  // namespace

stream_log::stream_log(std::ostream& out, log_format format, roombus::log_level least)
    : out_(out), format_(format), least_(least) {}

void stream_log::write(roombus::log_level level, std::string_view event, std::string_view text) {
  if (level < least_) return;
  std::string line;
  if (format_ == log_format::json) {
    const std::string_view shown = is_valid_utf8(text) ? text : std::string_view("(text is no UTF-8)");
    json::write(line, value_map{{"time", value(timestamp())},
                                {"level", value(name_of(level))},
                                {"event", value(event)},
                                {"text", value(shown)}});
  } else {
    line = timestamp() + ' ' + std::string(name_of(level)) + ' ' + std::string(event) + ' ';
    append_escaped(line, text);
  }
  line += '\n';
  const std::lock_guard lock(mutex_);
  out_.write(line.data(), static_cast<std::streamsize>(line.size()));
  out_.flush();
}

}  // namespace roombus::server
