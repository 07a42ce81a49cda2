// A store of one's own around another, and a program whose other threads talk to the service.

#include "logging_store.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <roombus/roombus.hpp>

namespace {

using roombus::value;
using roombus::value_list;
using roombus::value_map;

class stdout_log final : public roombus::log_sink {
 public:
  void write(roombus::log_level /*level*/, std::string_view event, std::string_view text) override {
    std::printf("%.*s: %.*s\n", static_cast<int>(event.size()), event.data(), static_cast<int>(text.size()),
                text.data());
  }
};

/// Adds a room and says something in it, as the service itself.
roombus::task<void> report(roombus::embedded_server& server, double reading) {
  value_list room_args{value("readings")};
  roombus::reply added = co_await server.chat().call_api("addRoom", value(std::move(room_args)));
  if (!added && added.error().code() != roombus::errc::room_exists) co_return server.stop();
  value_map message{{"temperature", value(reading)}};
  value_list args{value("readings"), value(std::move(message))};
  value_map named{
      {"bypassPermissions", value(true)}, {"command", value("roomMessage")}, {"args", value(std::move(args))}};
  roombus::reply sent = co_await server.chat().call_api("execUserCommand", value(std::move(named)));
  if (sent) std::printf("accepted as %llu\n", static_cast<unsigned long long>(*sent->front().floor_to_uint()));
  server.stop();
}

}  // namespace

int main() {
  roombus::embedded_options options;
  options.listen = false;
  options.log = std::make_shared<stdout_log>();
  options.make_store = [](roombus::embedded_environment env) -> std::unique_ptr<roombus::store> {
    return std::make_unique<example::logging_store>(roombus::make_memory_store(env.time), env.log);
  };
  roombus::embedded_server server(std::move(options));

  std::thread sensor;
  const roombus::result<void> ended = server.run([&server, &sensor] {
    // another thread never touches the service: it hands a function to the server's thread
    sensor = std::thread([&server] { server.post([&server] { report(server, 21.5).detach(); }); });
  });
  if (sensor.joinable()) sensor.join();
  if (ended) return EXIT_SUCCESS;
  std::fprintf(stderr, "%s\n", roombus::error_text(ended.error()).c_str());
  return EXIT_FAILURE;
}
