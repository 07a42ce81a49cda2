#include "bridge/server/instance.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "adapters/admin/admin_api.hpp"
#include "adapters/broker_auth/broker_auth.hpp"
#include "adapters/console/console_site.hpp"
#include "adapters/http/http_server.hpp"
#include "adapters/http/static_site.hpp"
#include "adapters/http/status_handler.hpp"
#include "adapters/loop/event_loop.hpp"
#include "adapters/socketio/chat_namespace.hpp"
#include "adapters/socketio/socketio_server.hpp"
#include "bridge/server/cluster_side.hpp"
#include "bridge/server/hook_side.hpp"
#include "bridge/server/login_methods.hpp"
#include "bridge/server/mqtt_side.hpp"
#include "bridge/server/store_side.hpp"
#include "bridge/server/store_watch.hpp"
#include "core/device_login.hpp"
#include "core/service.hpp"
#include "schemas/codec/error_codec.hpp"

namespace roombus::server {

namespace {

constexpr const char* socketio_path = "/socket.io/";
constexpr const char* broker_login = "brokerLogin";  ///< event between instances: user, client, end of the login
constexpr const char* status_paths[] = {"/healthz", "/readyz", "/metrics"};

http::server_options listener_options(const config& settings, std::string name, const endpoint& where,
                                      std::size_t config::listener_bounds::*bound) {
  http::server_options options;
  options.name = std::move(name);
  options.address = where.host;
  options.port = where.port;
  options.bounds.max_body = settings.http.max_http_buffer;
  options.bounds.max_ws_message = settings.http.max_http_buffer;
  options.bounds.max_header = settings.http.max_header;
  options.bounds.max_connections = settings.http.max_connections;
  if (settings.within_descriptors) {
    options.bounds.max_connections = std::min(options.bounds.max_connections, (*settings.within_descriptors).*bound);
  }
  options.bounds.max_connections_per_address = settings.http.max_connections_per_address;
  options.bounds.max_queue = settings.http.max_queue;
  options.bounds.request_timeout_ms = settings.http.request_timeout_ms;
  options.bounds.idle_timeout_ms = settings.http.idle_timeout_ms;
  options.bounds.compression = settings.http.compression;
  return options;
}

admin::admin_options api_options(const config& settings) {
  admin::admin_options options;
  options.payload = settings.payload;
  options.payload.max_bytes = settings.http.max_http_buffer;
  return options;
}

broker_auth::broker_auth_options broker_auth_options_of(const config& settings) {
  broker_auth::broker_auth_options options;
  options.key = settings.mqtt.auth_key;
  options.access.prefix = settings.mqtt.prefix;
  options.access.bridge_user = settings.mqtt.username;
  options.access.ids = settings.mqtt.auth_client_ids;
  if (settings.mqtt.admin) options.access.admins = settings.mqtt.admins;
  options.access.workers = settings.hooks.mqtt.workers;
  options.bridge_password = settings.mqtt.password;
  return options;
}

socketio::socketio_options socketio_options_of(const config& settings) {
  using ms = std::chrono::milliseconds;
  socketio::socketio_options options;
  options.engine.eio4 = {ms(settings.socketio.ping_interval_ms), ms(settings.socketio.ping_timeout_ms)};
  options.engine.eio3 = {ms(settings.socketio.ping_interval_ms), ms(settings.socketio.eio3_ping_timeout_ms)};
  options.engine.upgrade_timeout = ms(settings.socketio.upgrade_timeout_ms);
  options.engine.max_payload = settings.http.max_http_buffer;
  options.engine.max_pending = settings.http.max_queue;
  options.engine.max_sessions = settings.http.max_connections;
  options.engine.max_sessions_per_address = settings.http.max_connections_per_address;
  options.engine.cors.origins = settings.http.cors_origins;
  options.connect_timeout = ms(settings.socketio.connect_timeout_ms);
  options.packets.max_attachments = settings.socketio.max_attachments;
  options.packets.max_attachment_bytes = settings.http.max_http_buffer;
  options.packets.json = settings.payload;
  return options;
}

socketio::chat_namespace_options chat_options_of(const config& settings) {
  socketio::chat_namespace_options options;
  options.logins = settings.logins;
  return options;
}

std::vector<http::static_file> page_files() {
  std::vector<http::static_file> files;
  for (const console::site_file& file : console::console_files()) {
    http::static_file out;
    out.path = file.path;
    out.content_type = file.content_type;
    out.bytes = std::make_shared<const std::string>(file.bytes);
    out.gzip = std::make_shared<const std::string>(file.gzip_bytes);
    out.etag = file.etag;
    files.push_back(std::move(out));
  }
  return files;
}

}  // namespace

struct instance::parts {
  parts(config given, event_loop& l, log_sink& s)
      : settings(std::move(given)),
        loop(l),
        log(s),
        id(settings.instance.id.empty() ? random_hex(random, 8) : settings.instance.id),
        data(settings.store, id, store_side::environment{time, loop, random, log, metrics}),
        watch(*data.data, data.remote, id, loop, time),
        chat(settings.chat, settings.limits, id, service::environment{*data.data, time, random, loop, log, metrics}),
        logins(settings, login_methods::environment{chat, time, loop, log, metrics}),
        public_listener(loop, listener_options(settings, "http", settings.http.listen, &config::listener_bounds::http),
                        metrics, log),
        admin_listener(loop,
                       listener_options(settings, "admin", settings.admin.listen, &config::listener_bounds::admin),
                       metrics, log),
        sockets(socketio_options_of(settings), socketio::engine_environment{loop, time, random, metrics}),
        browsers(socketio::chat_environment{chat, logins.authenticator(), metrics, log, loop, time},
                 chat_options_of(settings)),
        page(page_files(), std::string(console::content_security_policy)),
        status(metrics, [this] { return trouble(); }),
        api(api_options(settings), admin::admin_api::environment{chat, settings.admin.keys, loop, time, log, metrics}) {
    if (settings.admin.keys.empty()) {
      log.write(roombus::log_level::warning, "no_api_key",
                "no key is configured for the server API (admin.key): it answers 401 to everybody");
    }
    admin_listener.route("/api/", api);
    if (!settings.mqtt.auth_key.empty()) {
      broker_questions = std::make_unique<broker_auth::broker_auth>(
          broker_auth_options_of(settings),
          broker_auth::broker_auth::environment{
              logins.checker(), time, loop, log, metrics,
              settings.hooks.decide_logins() ? [this](device_credentials shown) { return ask_hook(std::move(shown)); }
                                             : std::function<task<result<login>>(device_credentials)>(),
              [this](const std::string& user, const std::string& client) {
                chat.close_connection(connection_id("mqtt#" + user + "/" + client), close_reason::disconnected);
              },
              settings.is_shared() ? [this](const std::string& user, const std::string& client,
                                            std::optional<std::int64_t> end) { tell_login(user, client, end).detach(); }
                                   : broker_auth::broker_auth::login_handler()});
      admin_listener.route("/broker/", *broker_questions);
      if (settings.is_shared()) chat.events().add([this](const operator_event& e) { hear_login(e); });
    }
    sockets.add_namespace(settings.http.nsp, browsers);
    public_listener.route(socketio_path, sockets.requests());
    if (settings.http.page) public_listener.route("/", page);
    for (const char* path : status_paths) {
      public_listener.route(path, status);
      admin_listener.route(path, status);
    }
    if (settings.mqtt.broker.kind != broker_kind::none) {
      devices =
          std::make_unique<mqtt_side>(settings, id, mqtt_side::environment{chat, loop, time, random, log, metrics});
    }
    if (settings.is_shared() && data.shared != nullptr) {
      others = std::make_unique<cluster_side>(settings, *data.shared, *devices,
                                              cluster_side::environment{chat, loop, time, random, log, metrics});
    }
    hooks = std::make_unique<hook_side>(settings.hooks, id, settings.payload, devices ? devices->hooks() : nullptr,
                                        hook_side::environment{loop, time, log, metrics});
    chat.set_hooks(hooks->hooks());
  }

  /// For a broker that asks; it may do so while the onStart hook runs, which everybody else waits for.
  task<result<login>> ask_hook(device_credentials shown) {
    if (http_port == 0 || stopping) co_return chat_error(errc::unavailable);
    result<login> who = co_await ask_about_device(chat, log, std::move(shown));
    co_return who;
  }

  /// A broker may ask any instance, and another one may serve the device: all are to know when a login ends.
  task<void> tell_login(std::string user, std::string client, std::optional<std::int64_t> ends_at_ms) {
    value_list about{value(std::move(user)), value(std::move(client))};
    if (ends_at_ms) about.emplace_back(*ends_at_ms);
    value_list args{value(broker_login), value(std::move(about))};
    task<reply> telling = chat.call_api("clusterBusEmit", value(std::move(args)));
    const reply told = co_await telling;
    if (!told) log.write(roombus::log_level::warning, "login_not_told", std::string(told.error().code_name()));
  }

  void hear_login(const operator_event& e) {
    if (e.name != "clusterBus") return;
    const value* event = e.data.find("event");
    const value* args = e.data.find("args");
    if (event == nullptr || args == nullptr || event->if_text() == nullptr || *event->if_text() != broker_login) return;
    const value_list* about = args->if_list();
    if (about == nullptr || about->size() < 2 || about->size() > 3) return;
    const std::string* user = (*about)[0].if_text();
    const std::string* client = (*about)[1].if_text();
    if (user == nullptr || client == nullptr) return;
    std::optional<std::int64_t> end;
    if (about->size() == 3) {
      const auto given = (*about)[2].floor_to_uint();
      if (!given || *given > INT64_MAX) return;
      end = static_cast<std::int64_t>(*given);
    }
    broker_questions->learn(*user, *client, end);
  }

  /// Creates each [[room]] that is not there yet; answers what went wrong, or "".
  task<std::string> add_rooms() {
    for (const room_entry& room : settings.rooms) {
      const result<void> added = co_await chat.add_room(room.name, room.settings);
      if (!added && added.error().code() != errc::room_exists) {
        co_return "room " + room.name.str() + " cannot be created: " + std::string(added.error().code_name());
      }
    }
    co_return "";
  }

  /// The admin listener answers first: an onStart hook may want to call us.
  task<void> start_up(std::function<void()> up, std::function<void(const std::string&)> failed) {
    if (!data.error.empty()) co_return refuse(failed, data.error);
    std::string unreadable = logins.load();
    if (!unreadable.empty()) co_return refuse(failed, std::move(unreadable));
    const http::listen_result admin = admin_listener.listen();
    if (!admin) co_return refuse(failed, "admin.listen: " + admin.error);
    admin_port = admin.port;
    std::string problem = co_await watch.reach();
    if (!problem.empty()) co_return refuse(failed, std::move(problem));
    if (others && !stopping) {  // the service needs its bus
      devices->start([this] { broker_reached.complete(true); }, failed);
      co_await broker_reached;
    }
    if (stopping) co_return;
    problem = co_await add_rooms();
    if (!problem.empty()) co_return refuse(failed, with_cause(std::move(problem)));
    endpoint admin_address{settings.admin.listen.host, admin_port};
    value_map info{{"admin", value(admin_address.str())}};
    const result<void> started = co_await chat.start(std::move(info));
    if (!started) co_return refuse(failed, with_cause("the service did not start: " + error_text(started.error())));
    if (stopping) co_return;
    const http::listen_result clients = public_listener.listen();
    if (!clients) co_return refuse(failed, "http.listen: " + clients.error);
    http_port = clients.port;
    if (devices && !others) {
      devices->start(std::move(up), std::move(failed));
    } else {
      loop.post(std::move(up));
    }
  }

  /// A failed start names what the store has to say.
  [[nodiscard]] std::string with_cause(std::string problem) const {
    const std::string cause = watch.trouble().empty() ? "" : watch.explain();
    return cause.empty() ? problem : problem + "; " + cause;
  }

  /// Why requests cannot be served now, for anybody who asks; or "".
  [[nodiscard]] std::string trouble() const {
    if (stopping) return "stopping";
    std::string all = ready ? watch.trouble() : "starting";
    if ((http_port != 0 || others) && devices && !devices->is_up()) {
      all += all.empty() ? "" : ", ";
      all += "the broker is out of reach";
    }
    return all;
  }

  /// Later, when the caller has what it needs to stop us.
  void refuse(const std::function<void(const std::string&)>& failed, std::string reason) {
    loop.post([failed, reason = std::move(reason)] { failed(reason); });
  }

  /// Clients first, then what carried them; the embedded broker last.
  task<void> shut_down(std::function<void(bool clean)> stopped) {
    public_listener.stop_accepting();
    watch.stop();
    broker_reached.complete(false);
    const result<void> closed = co_await chat.close();
    if (!closed) log.write(roombus::log_level::error, "close_failed", error_text(closed.error()));
    sockets.close_all();  // those who have not logged in
    const auto limit = settings.chat.close_timeout;
    stops_pending = devices ? 3 : 2;
    stop_limit = loop.after(limit + std::chrono::seconds(3), [stopped] { stopped(false); });
    auto one_done = [this, stopped, clean = closed.has_value()] {
      if (--stops_pending > 0) return;
      stop_limit.cancel();
      stopped(clean);
    };
    public_listener.close(limit, one_done);
    admin_listener.close(limit, one_done);
    if (devices) devices->stop(limit, one_done);
  }

  config settings;
  event_loop& loop;
  log_sink& log;
  system_clock time;
  system_random random;
  metrics_registry metrics;
  std::string id;
  store_side data;
  store_watch watch;
  service chat;
  login_methods logins;
  http::server public_listener;
  http::server admin_listener;
  socketio::server sockets;
  socketio::chat_namespace browsers;
  http::static_site page;
  http::status_handler status;
  admin::admin_api api;
  std::unique_ptr<broker_auth::broker_auth> broker_questions;
  std::unique_ptr<mqtt_side> devices;
  std::unique_ptr<cluster_side> others;  // only where store and broker can be shared
  std::unique_ptr<hook_side> hooks;
  std::uint16_t http_port = 0;
  std::uint16_t admin_port = 0;
  completion<bool> broker_reached;
  bool ready = false;
  bool stopping = false;
  std::size_t stops_pending = 0;
  timer_handle stop_limit;
};

instance::instance(config settings, event_loop& loop, log_sink& log)
    : parts_(std::make_unique<parts>(std::move(settings), loop, log)) {}

instance::~instance() = default;

void instance::start(std::function<void()> ready, std::function<void(const std::string&)> failed) {
  parts& p = *parts_;
  auto up = [&p, ready = std::move(ready)] {
    if (p.ready || p.stopping) return;
    p.ready = true;
    ready();
  };
  p.start_up(std::move(up), std::move(failed)).detach();
}

void instance::stop(std::function<void(bool clean)> stopped) {
  if (std::exchange(parts_->stopping, true)) return;
  parts_->shut_down(std::move(stopped)).detach();
}

void instance::reload() {
  parts_->logins.reload();
  if (parts_->devices) parts_->devices->reload_logins();
}

const std::string& instance::id() const {
  return parts_->id;
}

endpoint instance::http_address() const {
  return {parts_->settings.http.listen.host, parts_->http_port};
}

endpoint instance::admin_address() const {
  return {parts_->settings.admin.listen.host, parts_->admin_port};
}

std::optional<endpoint> instance::mqtt_address() const {
  if (!parts_->devices) return std::nullopt;
  return parts_->devices->device_address();
}

}  // namespace roombus::server
