#pragma once

#include <string>

#include "core/ports/authenticator.hpp"
#include "core/ports/environment.hpp"
#include "core/service.hpp"

namespace roombus {

/// What a device shows in its MQTT CONNECT.
struct device_credentials {
  device_credentials() = default;
  std::string user;
  std::string client;
  std::string password;
  std::string address;  ///< its IP address, or the broker's where nothing better is known
};

/// Asks the onConnect hook about a device, which it sees as a browser that logs in by password: id "mqtt#user/client",
/// transport "mqtt", `user` and `password` in the handshake's `auth`. Its topics carry its name, so the hook can only
/// say yes to the user that the device says it is.
/// Errors: no_login (no such hook, no password shown, or the hook knows nobody), not_allowed (another user, or a
/// password that is no text), those of the hook. `chat` and `log` outlive the task.
task<result<login>> ask_about_device(service& chat, log_sink& log, device_credentials shown);

}  // namespace roombus
