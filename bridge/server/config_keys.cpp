// The table of all keys. docs/configuration.md and --help are written from it.

#include <algorithm>

#include "adapters/redis/redis_url.hpp"
#include "bridge/server/config_key.hpp"
#include "bridge/server/hook_keys.hpp"
#include "bridge/server/login_keys.hpp"
#include "core/utf8.hpp"

// a generic lambda: for the constant and the changing configuration
#define FIELD(place) ([](auto& c) -> auto& { return c.place; })

namespace roombus::server {

namespace {

using mqtt::broker_profile;
using key = config_key<config>;

constexpr std::int64_t max_count = 1'000'000'000;
constexpr std::int64_t max_bytes = 268'435'455;     // the longest MQTT payload
constexpr std::size_t max_name = 65'535;            // limits.name_bytes is checked when all is read
constexpr std::int64_t max_time = 7 * 86'400'000L;  // a week, in ms

template <class Field>
key boolean(const char* section, const char* name, Field field, const char* help) {
  return keys::boolean<config>(section, name, field, help);
}

template <class Field>
key integer(const char* section, const char* name, Field field, std::int64_t min, std::int64_t max, const char* help) {
  return keys::integer<config>(section, name, field, min, max, help);
}

template <class Field>
key address(const char* section, const char* name, Field field, const char* help) {
  return keys::parsed<config>(section, name, field, "an address such as \"127.0.0.1:8000\" or \"[::1]:8000\"", help);
}

template <class Field>
key text(const char* section, const char* name, Field field, const char* help) {
  return keys::text<config>(
      section, name, field, "a text without control characters",
      [](const std::string& s) {
        return is_valid_utf8(s) && std::none_of(s.begin(), s.end(), [](char c) {
                 const auto byte = static_cast<unsigned char>(c);
                 return byte < 0x20 || byte == 0x7f;
               });
      },
      help);
}

key secret(key k) {
  k.secret = true;
  return k;
}

bool is_topic_word(const std::string& s) {
  return !s.empty() && s.size() <= 128 && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '~';
  });
}

bool is_mqtt_user(const std::string& s) {
  return !s.empty() && s.size() <= 128 && std::all_of(s.begin(), s.end(), [](char c) {
    return is_topic_word(std::string(1, c)) || c == '.' || c == '@';
  });
}

bool is_namespace(const std::string& s) {
  return !s.empty() && s.size() <= 128 && s.front() == '/' && is_valid_utf8(s) &&
         s.find_first_of(",?# \t\r\n") == std::string::npos;
}

bool is_origin(const std::string& s) {
  if (s == "*") return true;
  const auto scheme = s.starts_with("http://") ? 7U : s.starts_with("https://") ? 8U : 0U;
  return scheme != 0 && s.size() > scheme && s.find_first_of("/?#*, \t\r\n", scheme) == std::string::npos;
}

void add_http(std::vector<key>& all) {
  all.push_back(
      address("http", "listen", FIELD(http.listen),
              "Where browsers connect: socket.io at /socket.io/, the web page at /. Port 0 takes a free one."));
  all.push_back(keys::text<config>("http", "namespace", FIELD(http.nsp),
                                   "a socket.io namespace: a text that begins with / and has no comma, ?, # or blank",
                                   is_namespace, "The socket.io namespace of the chat service."));
  all.push_back(boolean("http", "page", FIELD(http.page), "Serve the web page at /."));
  all.push_back(keys::list<config>(
      "http", "cors_origins", FIELD(http.cors_origins), "a list of origins such as \"https://example.org\", or \"*\"",
      is_origin,
      "Pages of these origins may connect from a browser; \"*\" allows all. Empty: only pages served from our own "
      "address (also with --dev). socket.io 2 servers allowed all by default: name your page's origin when it comes "
      "from another server."));
  all.push_back(integer("http", "max_http_buffer", FIELD(http.max_http_buffer), 1'000, max_bytes,
                        "Longest request body and WebSocket message, bytes."));
  all.push_back(
      boolean("http", "compression", FIELD(http.compression), "Offer permessage-deflate to WebSocket clients."));
  all.push_back(integer("http", "max_connections", FIELD(http.max_connections), 1, max_count,
                        "Connections on the listener; more are closed at once. Fewer where the process may not open "
                        "so many files: the soft limit is raised to the hard one at start, and the log tells."));
  all.push_back(
      integer("http", "max_connections_per_address", FIELD(http.max_connections_per_address), 0, max_count,
              "Connections from one IP address, or one /64 of IPv6; 0 is no bound. Behind a proxy all clients "
              "have its address: set 0 here and bound them there."));
  all.push_back(integer("http", "max_header", FIELD(http.max_header), 1'024, 1'048'576,
                        "Longest request line and headers together, bytes."));
  all.push_back(integer("http", "max_queue", FIELD(http.max_queue), 65'536, max_count,
                        "Bytes waiting for one slow client before its connection is ended."));
  all.push_back(integer("http", "request_timeout_ms", FIELD(http.request_timeout_ms), 100, max_time,
                        "For a request to arrive completely, ms."));
  all.push_back(integer("http", "idle_timeout_ms", FIELD(http.idle_timeout_ms), 100, max_time,
                        "Between two requests on one connection, ms."));
}

void add_socketio(std::vector<key>& all) {
  all.push_back(integer("socketio", "ping_interval_ms", FIELD(socketio.ping_interval_ms), 10, max_time,
                        "Heartbeat interval, ms."));
  all.push_back(integer("socketio", "ping_timeout_ms", FIELD(socketio.ping_timeout_ms), 10, max_time,
                        "How long a heartbeat's answer may take before the connection counts as lost, ms."));
  all.push_back(
      integer("socketio", "eio3_ping_timeout_ms", FIELD(socketio.eio3_ping_timeout_ms), 10, max_time,
              "The same for Engine.IO 3 (socket.io 1 and 2): how long after the interval a ping may come, ms."));
  all.push_back(integer("socketio", "upgrade_timeout_ms", FIELD(socketio.upgrade_timeout_ms), 10, max_time,
                        "For the upgrade from polling to WebSocket, ms."));
  all.push_back(integer("socketio", "connect_timeout_ms", FIELD(socketio.connect_timeout_ms), 10, max_time,
                        "A client that joined no namespace by then is closed, ms."));
  all.push_back(integer("socketio", "max_attachments", FIELD(socketio.max_attachments), 0, 1'000,
                        "Binary attachments of one packet."));
}

void add_admin(std::vector<key>& all) {
  all.push_back(address("admin", "listen", FIELD(admin.listen),
                        "Where operators connect: the server API below /api/, /healthz, /metrics. Port 0 takes a free "
                        "one."));
  const auto add_key = [&all](const char* name, const char* file, auto field, auto file_field, const char* help) {
    all.push_back(secret(keys::text<config>(
        "admin", name, field, "1 to 256 printable ASCII characters without blanks",
        [](const std::string& s) { return s.empty() || api_keys::is_key(s); }, help)));
    all.push_back(text("admin", file, file_field, "A file with such keys, one a line; # begins a comment line."));
  };
  add_key("key", "key_file", FIELD(admin.key), FIELD(admin.key_file),
          "A key for all methods of the server API. Without any key nobody may call it; --dev then makes one at each "
          "start and prints it.");
  add_key("rooms_key", "rooms_key_file", FIELD(admin.rooms_key), FIELD(admin.rooms_key_file),
          "A key for the methods that are about rooms and that act as users, and for reading.");
  add_key("read_key", "read_key_file", FIELD(admin.read_key), FIELD(admin.read_key_file),
          "A key for methods that change nothing, and for events.");
}

std::vector<std::pair<std::string, broker_auth::client_ids>> client_id_rules() {
  return {{"own", broker_auth::client_ids::own}, {"any", broker_auth::client_ids::any}};
}

void add_broker_auth(std::vector<key>& all) {
  all.push_back(secret(keys::text<config>(
      "mqtt", "auth_key", FIELD(mqtt.auth_key), "1 to 256 printable ASCII characters without blanks",
      [](const std::string& s) { return s.empty() || api_keys::is_key(s); },
      "A key for brokers that ask us who may log in and use which topic (EMQX, VerneMQ, RabbitMQ), below /broker/ on "
      "the "
      "admin listener; empty: nobody may ask.")));
  all.push_back(keys::choice<config>(
      "mqtt", "auth_client_ids", FIELD(mqtt.auth_client_ids), client_id_rules(),
      "Which client ids such a broker is told to accept: the user's name or NAME~SOMETHING (own), or any. With any, a "
      "user can take over the session of another one's device at brokers that keep sessions by client id alone."));
}

void add_mqtt(std::vector<key>& all) {
  all.push_back(keys::parsed<config>(
      "mqtt", "broker", FIELD(mqtt.broker), "\"embedded\", \"none\", \"tcp://host:1883\" or \"ssl://host:8883\"",
      "The broker: a Mosquitto that we start (embedded), a given one, or none to run without MQTT."));
  all.push_back(address("mqtt", "listen", FIELD(mqtt.listen),
                        "Where the embedded broker accepts devices. Port 0 takes a free one."));
  all.push_back(keys::text<config>("mqtt", "prefix", FIELD(mqtt.prefix),
                                   "one topic level of letters, digits, -, _ and ~", is_topic_word,
                                   "First level of all topics."));
  all.push_back(keys::choice<config>(
      "mqtt", "delivery", FIELD(mqtt.delivery),
      std::vector<std::pair<std::string, delivery_kind>>{
          {"auto", delivery_kind::automatic}, {"broker", delivery_kind::broker}, {"inbox", delivery_kind::inbox}},
      "How room messages reach devices: one publish per room (broker), one per joined device (inbox), or what the "
      "broker "
      "can enforce (auto)."));
  all.push_back(
      keys::choice<config>("mqtt", "profile", FIELD(mqtt.profile),
                           std::vector<std::pair<std::string, broker_profile>>{{"generic", broker_profile::generic},
                                                                               {"mosquitto", broker_profile::mosquitto},
                                                                               {"emqx", broker_profile::emqx},
                                                                               {"hivemq", broker_profile::hivemq},
                                                                               {"ejabberd", broker_profile::ejabberd},
                                                                               {"rabbitmq", broker_profile::rabbitmq},
                                                                               {"nats", broker_profile::nats}},
                           "The kind of a given broker; generic assumes the least. The embedded one is mosquitto."));
  all.push_back(keys::choice<config>(
      "mqtt", "identity", FIELD(mqtt.identity),
      std::vector<std::pair<std::string, identity_kind>>{
          {"", identity_kind::none}, {"plugin", identity_kind::plugin}, {"acl", identity_kind::acl}},
      "Who enforces at a given broker that devices use only topics of their own user name and client id: our plugin, "
      "or "
      "access rules that you vouch for (acl). Must be set for tcp:// and ssl:// brokers."));
  all.push_back(text("mqtt", "plugin", FIELD(mqtt.plugin),
                     "The plugin of the embedded broker: a path, auto (found beside the program) or none (the default "
                     "of --dev). With it devices are present exactly while they are connected, and rooms are delivered "
                     "by the broker."));
  all.push_back(keys::choice<config>(
      "mqtt", "client_ids", FIELD(mqtt.client_ids), client_id_rules(),
      "Which client ids the embedded broker lets users connect with, where it has the plugin: the user's name or "
      "NAME~SOMETHING (own), or any. With any, who comes first keeps an id, also one that another user's device has."));
  all.push_back(text("mqtt", "username", FIELD(mqtt.username), "Our account at a given broker."));
  all.push_back(secret(text("mqtt", "password", FIELD(mqtt.password), "Its password.")));
  all.push_back(text("mqtt", "password_file", FIELD(mqtt.password_file), "A file whose first line is the password."));
  all.push_back(text("mqtt", "client_id", FIELD(mqtt.client_id),
                     "Our client id, another one for each instance; empty: made from the instance's id."));
  all.push_back(text("mqtt", "ca_file", FIELD(mqtt.ca_file),
                     "Certificates (PEM) that a ssl:// broker is checked against; empty: the system's."));
  all.push_back(integer("mqtt", "max_topic", FIELD(mqtt.max_topic), 64, 65'535,
                        "Longest topic, bytes; a room whose topic would be longer answers invalidName to devices."));
  all.push_back(integer("mqtt", "offline_grace", FIELD(mqtt.offline_grace), 0, max_time,
                        "How long after `offline` a device may come back without having left its rooms, ms."));
  all.push_back(integer("mqtt", "idle_timeout", FIELD(mqtt.idle_timeout), 100, max_time,
                        "A device that never published `online` is gone after this long without a request, ms."));
  all.push_back(integer("mqtt", "reconnect_grace", FIELD(mqtt.reconnect_grace), 100, max_time,
                        "After a broker restart every device must show itself within this time, ms."));
  all.push_back(boolean("mqtt", "admin", FIELD(mqtt.admin), "Serve the server API on MQTT, too, below PREFIX/admin/."));
  all.push_back(keys::list<config>(
      "mqtt", "admins", FIELD(mqtt.admins), "a list of user names of letters, digits, -, _, ~, . and @", is_mqtt_user,
      "Users that may call it there; a key is needed all the same. The embedded broker lets nobody else publish below "
      "PREFIX/admin/; at a given broker an empty list leaves that to the broker's rules."));
  add_broker_auth(all);
  add_hook_worker_key(all);
}

void add_chat(std::vector<key>& all) {
  all.push_back(boolean("chat", "enable_access_lists_updates", FIELD(chat.enable_access_lists_updates),
                        "Default of new rooms: tell members about changes of lists and mode."));
  all.push_back(boolean("chat", "enable_userlist_updates", FIELD(chat.enable_userlist_updates),
                        "Default of new rooms: tell members who joins and leaves. --dev turns it on."));
  all.push_back(boolean("chat", "enable_direct_messages", FIELD(chat.enable_direct_messages),
                        "Users may write to each other. --dev turns it on."));
  all.push_back(boolean("chat", "enable_rooms_management", FIELD(chat.enable_rooms_management),
                        "Users may create rooms, and delete their own. --dev turns it on."));
  all.push_back(integer("chat", "history_max_get_messages", FIELD(chat.history_max_get_messages), 1, max_count,
                        "Most messages in one answer."));
  all.push_back(integer("chat", "history_max_size", FIELD(chat.history_max_size), 0, max_count,
                        "Default of new rooms: messages kept; 0 keeps none."));
  all.push_back(integer("chat", "direct_list_size_limit", FIELD(chat.direct_list_size_limit), 0, max_count,
                        "Names in one list of a user's direct messaging."));
  all.push_back(integer("chat", "room_list_size_limit", FIELD(chat.room_list_size_limit), 0, max_count,
                        "Names in one list of a room."));
  all.push_back(boolean("chat", "use_raw_error_objects", FIELD(chat.use_raw_error_objects),
                        "socket.io clients get errors as objects instead of texts."));
  all.push_back(keys::choice<config>(
      "chat", "message_format", FIELD(chat.format),
      std::vector<std::pair<std::string, message_format>>{{"object", message_format::object},
                                                          {"text", message_format::text}},
      "What a message is: any object, or exactly {\"textMessage\": text} as in chat-service 1.0."));
  all.push_back(integer("chat", "idempotency_window", FIELD(chat.idempotency_window), 0, max_time,
                        "How long a repeated idempotency key answers the first id, ms."));
  all.push_back(integer("chat", "close_timeout", FIELD(chat.close_timeout), 0, max_time, "For a clean stop, ms."));
  all.push_back(integer("chat", "heartbeat_rate", FIELD(chat.heartbeat_rate), 100, max_time,
                        "Time between two heartbeats of an instance, ms."));
  all.push_back(integer("chat", "heartbeat_timeout", FIELD(chat.heartbeat_timeout), 100, max_time,
                        "An instance without a heartbeat for so long is dead, ms."));
  all.push_back(integer("chat", "bus_ack_timeout", FIELD(chat.bus_ack_timeout), 1, max_time,
                        "For an answer of the other instances or the broker, ms."));
  all.push_back(
      integer("chat", "lock_ttl", FIELD(chat.lock_ttl), 1, max_time, "Life of a lock that was not released, ms."));
}

void add_limits(std::vector<key>& all) {
  all.push_back(integer("limits", "name_bytes", FIELD(limits.name_bytes), 1, 65'535,
                        "Longest user or room name, bytes of UTF-8."));
  all.push_back(integer("limits", "idempotency_keys", FIELD(limits.idempotency_keys), 1, max_count,
                        "Idempotency keys remembered per room; the oldest go first."));
  all.push_back(integer("limits", "connections_per_user", FIELD(limits.connections_per_user), 1, max_count,
                        "Connections of one user; more are refused with rateLimited."));
  all.push_back(integer("limits", "rooms_per_connection", FIELD(limits.rooms_per_connection), 1, max_count,
                        "Rooms that one connection joined; more are refused with rateLimited."));
  all.push_back(integer("limits", "requests_per_second", FIELD(limits.requests_per_second), 0, max_count,
                        "Commands of one connection, bursts up to as many; 0: no bound. More get rateLimited."));
  all.push_back(integer("limits", "logins", FIELD(logins.running), 1, max_count,
                        "Logins of socket.io clients that are checked at a time, renewals included; others wait, "
                        "addresses taking turns."));
  all.push_back(integer("limits", "logins_per_address", FIELD(logins.running_per_address), 0, max_count,
                        "The same of one IP address, or one /64 of IPv6; 0: no bound (a proxy may stand before us)."));
  all.push_back(integer("limits", "waiting_logins", FIELD(logins.waiting), 0, max_count,
                        "Logins that wait, at most 30 s; more get unavailable."));
  all.push_back(integer("limits", "waiting_logins_per_address", FIELD(logins.waiting_per_address), 0, max_count,
                        "The same of one address; more get rateLimited. 0: no bound."));
  all.push_back(integer("limits", "message_byte_strings", FIELD(limits.message_byte_strings), 0, 1'000,
                        "Byte strings in one message; socket.io clients drop connections for more than 10."));
  all.push_back(
      integer("limits", "payload_depth", FIELD(payload.max_depth), 1, 256, "Nesting of lists and maps in a payload."));
  all.push_back(
      integer("limits", "payload_bytes", FIELD(payload.max_bytes), 1'000, max_bytes, "Longest payload, bytes."));
  all.push_back(integer("limits", "payload_items", FIELD(payload.max_items), 16, max_count, "Values in one payload."));
}

void add_rest(std::vector<key>& all) {
  all.push_back(keys::list<config>(
      "auth", "dev_networks", FIELD(auth.dev_networks), "a list of networks such as \"10.0.0.0/8\" or \"::1/128\"",
      [](const std::string& s) { return ip_network::parse(s).has_value(); },
      "Peers in these networks may use the development login. Anybody there can be anybody."));
  add_login_keys(all);
  all.push_back(keys::choice<config>(
      "log", "format", FIELD(log.format),
      std::vector<std::pair<std::string, log_format>>{{"text", log_format::text}, {"json", log_format::json}},
      "Form of log lines."));
  all.push_back(keys::choice<config>("log", "level", FIELD(log.level),
                                     std::vector<std::pair<std::string, log_level>>{{"error", log_level::error},
                                                                                    {"warning", log_level::warning},
                                                                                    {"info", log_level::info},
                                                                                    {"debug", log_level::debug}},
                                     "Least important lines that are written."));
  all.push_back(keys::text<config>(
      "instance", "id", FIELD(instance.id), "letters, digits, -, _ and ~, at most 128 of them, or nothing",
      [](const std::string& s) { return s.empty() || is_topic_word(s); },
      "Name of this instance among others; empty: a random one at each start."));
  all.push_back(keys::choice<config>(
      "instance", "cluster", FIELD(instance.cluster),
      std::vector<std::pair<std::string, bool>>{{"auto", true}, {"off", false}},
      "With Redis and a tcp:// or ssl:// broker, instances with the same store.redis, store.prefix, mqtt.broker and "
      "mqtt.prefix are one service (auto). off: this is the only one, and stays so; never run a second one beside "
      "it."));
}

void add_store(std::vector<key>& all) {
  all.push_back(keys::choice<config>(
      "store", "kind", FIELD(store.kind),
      std::vector<std::pair<std::string, store_kind>>{
          {"memory", store_kind::memory}, {"sqlite", store_kind::sqlite}, {"redis", store_kind::redis}},
      "Where rooms and users are kept. sqlite: in a file, nothing acked is lost. redis: in a Redis or a Redis Cluster. "
      "memory: they end with the program; --dev takes it unless a kind is configured."));
  all.push_back(keys::text<config>(
      "store", "path", FIELD(store.path), "a file name", [](const std::string& s) { return !s.empty(); },
      "The file of sqlite, for one instance alone; beside it are files with -wal behind the name. Its directory must "
      "exist; that of the default is made."));
  all.push_back(keys::choice<config>(
      "store", "sync", FIELD(store.sync),
      std::vector<std::pair<std::string, sync_mode>>{{"full", sync_mode::full}, {"normal", sync_mode::normal}},
      "What an answer waits for. full: the disk has the change, it survives a power cut. normal: the system has it, it "
      "survives a crash of the program; a power cut may take the last moments."));
  all.push_back(secret(keys::text<config>(
      "store", "redis", FIELD(store.redis),
      "redis://user:password@host:port/database (rediss:// for TLS), several separated by commas for a cluster",
      [](const std::string& s) { return redis::redis_url::parse_list(s).has_value(); },
      "The Redis, or some nodes of a Redis Cluster. User, password, port (6379) and database (0) may be left out; "
      "%40 and the like stand for special characters. All nodes of a cluster take the first one's user and "
      "password.")));
  all.push_back(
      text("store", "redis_ca_file", FIELD(store.redis_tls.ca_file),
           "Certificates (PEM) that a rediss:// server is checked against, with the host name or address that "
           "it is reached by; empty: the system's."));
  all.push_back(text("store", "redis_cert_file", FIELD(store.redis_tls.cert_file),
                     "The certificate (PEM, with its chain) that a rediss:// server is shown; empty: none."));
  all.push_back(text("store", "redis_key_file", FIELD(store.redis_tls.key_file),
                     "Its key (PEM, without a passphrase); empty: it is in the same file."));
  all.push_back(boolean("store", "cluster", FIELD(store.cluster), "The Redis is a Redis Cluster."));
  all.push_back(keys::text<config>("store", "prefix", FIELD(store.prefix), "letters, digits, -, _ and ~", is_topic_word,
                                   "What all keys in Redis begin with."));
  all.push_back(boolean("store", "replicas", FIELD(store.replicas),
                        "Each write to Redis waits until a replica has it, too (WAIT 1). Without it a failover may "
                        "lose what was acked last."));
  all.push_back(integer("store", "replica_timeout", FIELD(store.replica_timeout), 1, max_time,
                        "For that, ms; a command that did not get so far is answered with timeout."));
  all.push_back(
      integer("store", "timeout", FIELD(store.timeout), 10, max_time,
              "For one round trip to Redis, waiting for a connection included, ms; then a command is answered "
              "with unavailable, or with timeout when it may have been done."));
}

std::vector<key> make_config_keys() {
  std::vector<key> all;
  add_http(all);
  add_socketio(all);
  add_admin(all);
  add_mqtt(all);
  add_store(all);
  add_chat(all);
  add_limits(all);
  all.push_back(
      boolean("auth", "dev", FIELD(auth.dev),
              "Development login: a name is enough (same as --dev). Never where strangers reach a listener."));
  add_rest(all);
  add_hook_keys(all);
  return all;
}

std::vector<config_key<room_entry>> make_room_keys() {
  using room_key = config_key<room_entry>;
  constexpr auto is_name = [](const std::string& s) { return is_valid_name(s, max_name); };
  const std::string names = "a list of user names";
  std::vector<room_key> all;

  room_key name{"room", "name", setting_kind::text, "a room name (not empty, without : { } and control characters)",
                "The room's name; required."};
  name.get = [](const room_entry& r) -> setting { return r.name.str(); };
  name.set = [is_name](room_entry& r, const setting& s) {
    r.name = room_name(std::get<std::string>(s));
    return is_name(r.name.str());
  };
  all.push_back(std::move(name));

  room_key owner{"room", "owner", setting_kind::text, "a user name", "Its owner; none when left out."};
  owner.get = [](const room_entry& r) -> setting { return r.settings.owner ? r.settings.owner->str() : std::string(); };
  owner.set = [is_name](room_entry& r, const setting& s) {
    r.settings.owner = user_name(std::get<std::string>(s));
    return is_name(r.settings.owner->str());
  };
  all.push_back(std::move(owner));

  using keys::list;
  all.push_back(list<room_entry>("room", "adminlist", FIELD(settings.adminlist), names, is_name, "Administrators."));
  all.push_back(list<room_entry>("room", "whitelist", FIELD(settings.whitelist), names, is_name,
                                 "Who may join in whitelist mode."));
  all.push_back(list<room_entry>("room", "blacklist", FIELD(settings.blacklist), names, is_name, "Who may not join."));
  all.push_back(keys::boolean<room_entry>("room", "whitelist_only", FIELD(settings.whitelist_only), "Whitelist mode."));
  all.push_back(keys::integer<room_entry>("room", "history_max_size", FIELD(settings.history_max_size), 0, max_count,
                                          "Messages kept; left out: chat.history_max_size."));
  all.push_back(keys::boolean<room_entry>(
      "room", "enable_access_lists_updates", FIELD(settings.enable_access_lists_updates),
      "Tell members about changes of lists and mode; left out: chat.enable_access_lists_updates."));
  all.push_back(
      keys::boolean<room_entry>("room", "enable_userlist_updates", FIELD(settings.enable_userlist_updates),
                                "Tell members who joins and leaves; left out: chat.enable_userlist_updates."));
  return all;
}

}  // namespace

#undef FIELD

std::string variable_name(const std::string& section, const std::string& name) {
  std::string out = "ROOMBUS_" + section + "__" + name;
  for (auto dot = out.find('.'); dot != std::string::npos; dot = out.find('.', dot))
    out.replace(dot, 1, "__");
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

const std::vector<config_key<config>>& config_keys() {
  static const auto all = make_config_keys();
  return all;
}

const std::vector<config_key<room_entry>>& room_keys() {
  static const auto all = make_room_keys();
  return all;
}

}  // namespace roombus::server
