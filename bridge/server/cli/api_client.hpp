#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/value.hpp"

namespace roombus::server {

/// Ends a command of the command line; the text is for people.
class cli_failure : public std::runtime_error {
 public:
  cli_failure(int code, const std::string& text) : std::runtime_error(text), exit_code(code) {}
  int exit_code;
};

/// What the service answered to one call.
struct api_outcome {
  bool ok = false;
  value result;
  value_list extra;
  value_map error;   ///< name, code, args, text
  std::string body;  ///< as it came
};

/// Calls the server API of a running service over HTTP, waiting for each answer.
class api_client {
 public:
  /// `url`: http://host:port. Throws cli_failure for any other.
  api_client(const std::string& url, std::string key, std::chrono::milliseconds timeout);

  /// Throws cli_failure when the service cannot be reached, does not accept the key, or answers what is no answer.
  api_outcome call(std::string_view method, const value& args);
  /// Reads an event stream until it ends or `on_event` answers false. `path` is below /api/v1/, percent-encoded.
  /// Throws as `call`; an error answered instead of a stream is the outcome, else its `ok` is true.
  api_outcome stream(std::string_view path,
                     const std::function<bool(std::string_view name, std::string_view data)>& on_event);

 private:
  std::string host_;
  std::string port_;
  std::string authority_;
  std::string key_;
  std::chrono::milliseconds timeout_;
};

/// Every byte outside `A–Z a–z 0–9 _ - ~ .` as `%XX`.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace roombus::server
