// A room that everybody may listen to: reporters log in at /chat-service, the public comes to /public without a login.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include <roombus/roombus.hpp>

#include "public_namespace.hpp"

namespace {

using roombus::value;

constexpr const char* room = "ticker";

roombus::task<roombus::result<void>> create_room(roombus::service& chat) {
  roombus::room_settings settings = chat.default_room_settings();
  settings.whitelist_only = true;  // only reporters join
  settings.whitelist.emplace_back("reporter");
  roombus::room_name name(room);
  roombus::result<void> added = co_await chat.add_room(std::move(name), std::move(settings));
  co_return added;
}

/// Anybody may be anybody here: see ../token_login for how it is done.
roombus::task<roombus::result<roombus::login>> log_in(roombus::handshake shown) {
  const value* user = shown.query.find("user");
  if (user == nullptr || user->if_text() == nullptr) co_return roombus::chat_error(roombus::errc::no_login);
  roombus::login who;
  who.user = roombus::user_name(*user->if_text());
  co_return who;
}

}  // namespace

int main(int argc, char** argv) {
  roombus::embedded_options options;
  options.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  roombus::embedded_server server(std::move(options));

  roombus::service_hooks hooks;
  hooks.on_start = [&server](roombus::value_map /*info*/) { return create_room(server.chat()); };
  hooks.on_connect = [](roombus::connection_id /*id*/, roombus::handshake shown) { return log_in(std::move(shown)); };
  server.chat().set_hooks(std::move(hooks));
  server.add_namespace("/public", std::make_unique<example::public_namespace>(server.chat(), server.environment().time,
                                                                              roombus::room_name(room)));

  const roombus::result<void> ended = server.run([&server] {
    std::printf("listening on http://127.0.0.1:%u\n", unsigned{server.port()});
    std::fflush(stdout);
  });
  if (ended) return EXIT_SUCCESS;
  std::fprintf(stderr, "%s\n", roombus::error_text(ended.error()).c_str());
  return EXIT_FAILURE;
}
