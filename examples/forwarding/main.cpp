// A content filter: what is too hot in one of the machine rooms is forwarded to the room "alarms", once.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include <roombus/roombus.hpp>

namespace {

using roombus::value;
using roombus::value_list;
using roombus::value_map;

constexpr std::array sources{"machine-1", "machine-2"};
constexpr const char* target = "alarms";
constexpr const char* forwarder = "watchman";
constexpr double too_hot = 90;

/// The source's place in the list, or -1: `target` is none, so nothing goes round in circles.
int source_index(const value& room) {
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (room == value(sources[i])) return static_cast<int>(i);
  }
  return -1;
}

bool is_alarming(const value& message) {
  const value_map* fields = message.if_map();
  const value* temperature = fields != nullptr ? fields->find("temperature") : nullptr;
  return temperature != nullptr && temperature->is_number() && temperature->as_double() > too_hot;
}

/// What the server API is asked for: roomMessage in `target`, by the forwarder, who need not have joined.
value_map forward_call(int source, const value& id, const value& author, const value& message) {
  value_map forwarded = *message.if_map();
  forwarded.set("from", value(sources[static_cast<std::size_t>(source)]));
  forwarded.set("originalId", id);
  forwarded.set("originalAuthor", author);
  // a sender who repeats a message with an idempotency key gets the first id again: so nothing is forwarded twice
  const std::string key = std::to_string(source) + ':' + std::to_string(*id.floor_to_uint());
  value_map once{{"idempotencyKey", value(key)}};
  value_list args{value(target), value(std::move(forwarded)), value(std::move(once))};
  return value_map{{"userName", value(forwarder)},
                   {"bypassPermissions", value(true)},
                   {"bypassHooks", value(true)},
                   {"command", value("roomMessage")},
                   {"args", value(std::move(args))}};
}

/// After a room message. The sender's answer waits for it; `detach` the call where it should not.
roombus::task<roombus::hook_answer> forward(roombus::embedded_server& server, const roombus::hook_context& context) {
  roombus::hook_answer unchanged;
  const int source = source_index(context.args[0]);
  if (source < 0 || !context.results || !is_alarming(context.args[1])) co_return unchanged;
  value named(forward_call(source, context.results->front(), value(context.user.str()), context.args[1]));
  roombus::reply done = co_await server.chat().call_api("execUserCommand", std::move(named));
  if (!done) {
    server.environment().log.write(roombus::log_level::error, "not_forwarded", roombus::error_text(done.error()));
  }
  co_return unchanged;
}

/// The rooms, and the user in whose name messages are forwarded.
roombus::task<roombus::result<void>> prepare(roombus::service& chat) {
  value_list names{value(target), value(sources[0]), value(sources[1])};
  for (value& name : names) {
    value_list args{std::move(name)};
    roombus::reply added = co_await chat.call_api("addRoom", value(std::move(args)));
    if (!added) co_return added.error();
  }
  value_list args{value(forwarder)};
  roombus::reply added = co_await chat.call_api("addUser", value(std::move(args)));
  if (!added) co_return added.error();
  co_return roombus::result<void>{};
}

/// Anybody may be anybody here: this example is about something else.
roombus::task<roombus::result<roombus::login>> log_in(roombus::handshake shown) {
  const value* user = shown.query.find("user");
  if (user == nullptr || user->if_text() == nullptr) co_return roombus::chat_error(roombus::errc::no_login);
  if (*user == value(forwarder)) co_return roombus::chat_error(roombus::errc::not_allowed);
  roombus::login who;
  who.user = roombus::user_name(*user->if_text());
  co_return who;
}

}  // namespace

int main(int argc, char** argv) {
  roombus::embedded_options options;
  options.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  roombus::embedded_server server(std::move(options));

  if (argc > 2) {  // machines may be devices of an MQTT broker, tcp://host:port
    roombus::mqtt::paho_options broker;
    broker.uri = argv[2];
    roombus::mqtt::bridge_options devices;
    devices.profile = roombus::mqtt::broker_profile::mosquitto;
    server.add_mqtt(std::move(broker), std::move(devices));
  }

  roombus::service_hooks hooks;
  hooks.on_start = [&server](value_map /*info*/) { return prepare(server.chat()); };
  hooks.on_connect = [](roombus::connection_id /*id*/, roombus::handshake shown) { return log_in(std::move(shown)); };
  hooks.after[roombus::command::room_message] = [&server](const roombus::hook_context& context) {
    return forward(server, context);
  };
  server.chat().set_hooks(std::move(hooks));

  const roombus::result<void> ended = server.run([&server] {
    std::printf("listening on http://127.0.0.1:%u\n", unsigned{server.port()});
    std::fflush(stdout);
  });
  if (ended) return EXIT_SUCCESS;
  std::fprintf(stderr, "%s\n", roombus::error_text(ended.error()).c_str());
  return EXIT_FAILURE;
}
