// A server with the profile of the public protocol suites: `protocol_echo_server --port N` (0: a free port).
// /engine.io/ echoes every message; /socket.io/ has the namespaces `/` and `/custom` of the Socket.IO suite.
// Ping 300/200 ms, connect timeout 1000 ms, bodies up to 1000000 bytes, CORS `*`, EIO 3 and 4.

#include <charconv>
#include <cstdio>
#include <string_view>

#include "adapters/http/http_server.hpp"
#include "adapters/loop/event_loop.hpp"
#include "adapters/socketio/socketio_server.hpp"

namespace {

using namespace roombus;
using namespace roombus::socketio;
using std::chrono::milliseconds;

// The suites attach a listener per awaited message: what shares a segment with the one before would be missed.
constexpr milliseconds apart{5};

class quiet_log final : public log_sink {
 public:
  void write(log_level level, std::string_view event, std::string_view text) override {
    if (level < log_level::warning) return;
    std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(event.size()), event.data(), static_cast<int>(text.size()),
                 text.data());
  }
};

class echo final : public session_receiver {
 public:
  explicit echo(std::shared_ptr<engine_session> session) : session_(std::move(session)) {}
  void on_text(std::string_view data) override { session_->send(make_text_message(data)); }
  void on_binary(std::string_view data) override { session_->send(make_binary_message(session_->version(), data)); }
  void on_end(session_end) override {}

 private:
  std::shared_ptr<engine_session> session_;
};

/// Answers `message` and `message-with-ack`; tells a new client its auth payload.
class suite_socket final : public socket_handler {
 public:
  suite_socket(std::shared_ptr<nsp_socket> socket, scheduler& timers, value auth) : socket_(std::move(socket)) {
    greeting_ = timers.after(apart, [raw = socket_, auth = std::move(auth)] { raw->emit("auth", {auth}); });
  }
  void on_event(std::string name, value_list args, std::optional<std::uint64_t> ack) override {
    if (name == "message") socket_->emit("message-back", args);
    if (name == "message-with-ack" && ack) socket_->acknowledge(*ack, args);
  }
  void on_disconnect() override { greeting_.cancel(); }

 private:
  std::shared_ptr<nsp_socket> socket_;
  timer_handle greeting_;
};

class suite_namespace final : public nsp_handler {
 public:
  explicit suite_namespace(scheduler& timers) : timers_(timers) {}
  std::shared_ptr<socket_handler> on_connect(std::shared_ptr<nsp_socket> socket, handshake shown) override {
    value auth = shown.auth.is_null() ? value(value_map()) : std::move(shown.auth);
    return std::make_shared<suite_socket>(std::move(socket), timers_, std::move(auth));
  }

 private:
  scheduler& timers_;
};

engine_options suite_engine_options() {
  engine_options options;
  options.eio3 = {milliseconds(300), milliseconds(200)};
  options.eio4 = options.eio3;
  options.open_packet_delay = apart;
  options.cors.origins = {"*"};
  return options;
}

bool read_port(int argc, char** argv, std::uint16_t& port) {
  if (argc == 1) return true;
  if (argc != 3 || std::string_view(argv[1]) != "--port") return false;
  const std::string_view text = argv[2];
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

}  // namespace

int main(int argc, char** argv) {
  http::server_options listener;
  if (!read_port(argc, argv, listener.port)) {
    std::fputs("usage: protocol_echo_server [--port N]\n", stderr);
    return 2;
  }
  event_loop loop;
  system_clock time;
  system_random random;
  metrics_registry engine_registry;
  metrics_registry socketio_registry;
  quiet_log log;

  engine_server raw(suite_engine_options(), engine_environment{loop, time, random, engine_registry},
                    [](const std::shared_ptr<engine_session>& session) -> std::shared_ptr<session_receiver> {
                      session->set_established(true);
                      return std::make_shared<echo>(session);
                    });
  socketio_options options;
  options.engine = suite_engine_options();
  options.connect_timeout = milliseconds(1000);
  suite_namespace handler(loop);
  server suite(std::move(options), engine_environment{loop, time, random, socketio_registry});
  suite.add_namespace("/", handler);
  suite.add_namespace("/custom", handler);

  http::server front(loop, listener, engine_registry, log);
  front.route("/engine.io/", raw);
  front.route("/socket.io/", suite.requests());
  const auto bound = front.listen();
  if (!bound) {
    std::fprintf(stderr, "%s\n", bound.error.c_str());
    return 1;
  }
  std::printf("listening on %u\n", static_cast<unsigned>(bound.port));
  std::fflush(stdout);
  loop.on_signal([&loop](int) { loop.stop(); });
  loop.run();
  return 0;
}
