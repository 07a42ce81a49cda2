#include "core/device_login.hpp"

#include <utility>

#include "core/utf8.hpp"

namespace roombus {

task<result<login>> ask_about_device(service& chat, log_sink& log, device_credentials shown) {
  if (!chat.hooks().on_connect || shown.password.empty()) co_return chat_error(errc::no_login);
  if (!is_valid_utf8(shown.user) || !is_valid_utf8(shown.password)) co_return chat_error(errc::not_allowed);
  connection_id id("mqtt#" + shown.user + "/" + shown.client);
  handshake as_shown;
  as_shown.transport = "mqtt";
  value_map auth;
  auth.set("user", value(shown.user));
  auth.set("password", value(std::move(shown.password)));
  as_shown.auth = value(std::move(auth));
  as_shown.address = std::move(shown.address);
  const std::string about = id.str();
  auto said = co_await chat.ask_who(std::move(id), std::move(as_shown));
  if (!said) co_return said.error();
  if (said->user.str() != shown.user) {
    log.write(log_level::warning, "hook_other_user",
              "onConnect gave " + about + " another user name, which a device cannot have");
    co_return chat_error(errc::not_allowed);
  }
  login who = std::move(*said);
  co_return who;
}

}  // namespace roombus
