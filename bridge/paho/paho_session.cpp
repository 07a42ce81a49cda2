#include "bridge/paho/paho_session.hpp"

#include <mqtt/async_client.h>

#include <exception>
#include <string>
#include <utility>

#include "bridge/paho/no_delay.hpp"

namespace roombus::mqtt {

namespace paho = ::mqtt;

namespace {

/// A property of text or bytes, or nothing.
std::optional<std::string> find_bytes(const paho::properties& all, paho::property::code code) {
  // Paho's C functions, because the C++ ones throw on what they do not find
  MQTTProperty* found =
      MQTTProperties_getProperty(const_cast<MQTTProperties*>(&all.c_struct()), static_cast<MQTTPropertyCodes>(code));
  if (found == nullptr) return std::nullopt;
  return std::string(found->value.data.data, static_cast<std::size_t>(found->value.data.len));
}

std::size_t find_number(const paho::properties& all, paho::property::code code, std::size_t otherwise) {
  const auto id = static_cast<MQTTPropertyCodes>(code);
  auto* list = const_cast<MQTTProperties*>(&all.c_struct());
  if (MQTTProperties_hasProperty(list, id) == 0) return otherwise;
  const auto number = static_cast<std::uint32_t>(MQTTProperties_getNumericValue(list, id));
  return number == 0 ? otherwise : number;
}

/// Whether the failure of a publish is the broker's answer: only reason codes that a PUBACK can have, because Paho
/// leaves the field unset where the connection broke.
bool is_refusal(int reason) {
  switch (reason) {
    case 0x80:  // unspecified
    case 0x83:  // implementation specific
    case 0x87:  // not authorised
    case 0x90:  // topic name invalid
    case 0x95:  // packet too large (Mosquitto)
    case 0x97:  // quota exceeded
    case 0x99:  // payload format invalid
      return true;
    default:
      return false;
  }
}

/// Whether the failure of a subscription is the broker's answer: only codes that a SUBACK can have.
bool is_refused_subscription(const paho::token& token, protocol_version version) {
  if (version == protocol_version::v3_1_1) return token.get_return_code() == 0x80;
  switch (static_cast<int>(token.get_reason_code())) {
    case 0x80:  // unspecified
    case 0x83:  // implementation specific
    case 0x87:  // not authorised
    case 0x8F:  // filter invalid
    case 0x97:  // quota exceeded
    case 0x9E:  // no shared subscriptions
    case 0xA1:  // no subscription identifiers
    case 0xA2:  // no wildcards
      return true;
    default:
      return false;
  }
}

/// Whether a 3.1.1 SUBACK that Paho takes for a success refuses.
bool grants_nothing(const paho::token& token) {
  try {
    const auto codes = token.get_subscribe_response().get_reason_codes();
    return !codes.empty() && static_cast<int>(codes.front()) >= 0x80;
  } catch (const std::exception&) {
    return false;  // older Paho has no such answer
  }
}

std::string describe(const paho::token& token) {
  std::string text = paho::exception::error_str(token.get_return_code());
  if (text.empty()) text = "refused";
  const int reason = static_cast<int>(token.get_reason_code());
  return text + " (" + std::to_string(token.get_return_code()) +
         (reason > 0 && reason < 256 ? ", reason " + std::to_string(reason) : "") + ")";
}

}  // namespace

struct paho_anchor::impl {
  std::unique_ptr<paho::async_client> client;
};

paho_anchor::paho_anchor() : impl_(std::make_unique<impl>()) {}
paho_anchor::~paho_anchor() = default;
void paho_anchor::hold() {
  try {
    if (!impl_->client) impl_->client = std::make_unique<paho::async_client>("tcp://127.0.0.1:1", "anchor");
  } catch (const std::exception&) {
    // connecting then fails and tells why
  }
}
void paho_anchor::release() {
  impl_->client.reset();
}

/// Listener of all tokens. Paho calls it on its threads, with its own lock held: it copies, pushes, and returns.
struct paho_session::impl final : public virtual paho::iaction_listener {
  const paho_options options;
  const std::uint64_t attempt;
  const std::shared_ptr<paho_inbox> inbox;
  std::unique_ptr<paho::async_client> client;  // the last member: its destructor still calls the listener

  impl(const paho_options& o, std::uint64_t a, std::shared_ptr<paho_inbox> i)
      : options(o), attempt(a), inbox(std::move(i)) {}

  void push(paho_event::kind kind, std::string text = {}) {
    paho_event event(kind, attempt);
    event.text = std::move(text);
    inbox->push(std::move(event));
  }

  static std::uint64_t id_of(const paho::token& token) {
    return reinterpret_cast<std::uintptr_t>(token.get_user_context());
  }

  void answered(const paho::token& token, bool refused) {
    paho_event event(paho_event::kind::answered, attempt);
    event.request = id_of(token);
    event.refused = refused;
    if (refused) event.text = describe(token);
    inbox->push(std::move(event));
  }

  void on_success(const paho::token& token) override {
    switch (token.get_type()) {
      case paho::token::Type::PUBLISH:
        return inbox->push(paho_completion{id_of(token), publish_outcome::done});
      case paho::token::Type::SUBSCRIBE:
        return answered(token, options.version == protocol_version::v3_1_1 && grants_nothing(token));
      case paho::token::Type::UNSUBSCRIBE:
        return answered(token, false);
      case paho::token::Type::CONNECT: {
        paho_event event(paho_event::kind::connected, attempt);
        if (options.version == protocol_version::v5) {
          const paho::connect_response response = token.get_connect_response();
          event.receive_maximum = find_number(response.get_properties(), paho::property::RECEIVE_MAXIMUM, 65535);
          event.max_packet =
              find_number(response.get_properties(), paho::property::MAXIMUM_PACKET_SIZE, event.max_packet);
        }
        return inbox->push(std::move(event));
      }
      default:
        return;
    }
  }

  void on_failure(const paho::token& token) override {
    switch (token.get_type()) {
      case paho::token::Type::PUBLISH: {
        const bool refused = is_refusal(static_cast<int>(token.get_reason_code()));
        return inbox->push(
            paho_completion{id_of(token), refused ? publish_outcome::refused : publish_outcome::dropped});
      }
      case paho::token::Type::SUBSCRIBE:
        if (is_refused_subscription(token, options.version)) return answered(token, true);
        return push(paho_event::kind::failed, "subscription failed: " + describe(token));
      case paho::token::Type::UNSUBSCRIBE:
        return answered(token, true);  // there was none, or the connection is gone
      case paho::token::Type::CONNECT:
        return push(paho_event::kind::failed, describe(token));
      default:
        return;
    }
  }

  void received(const paho::message& from) {
    paho_event event(paho_event::kind::message, attempt);
    received_message& to = event.message;
    to.topic = from.get_topic();
    to.payload = from.to_string();
    to.level = static_cast<qos>(from.get_qos());
    to.retained = from.is_retained();
    if (options.version == protocol_version::v5) {
      const paho::properties& all = from.get_properties();
      to.response_topic = find_bytes(all, paho::property::RESPONSE_TOPIC);
      to.correlation_data = find_bytes(all, paho::property::CORRELATION_DATA);
      to.content_type = find_bytes(all, paho::property::CONTENT_TYPE);
    }
    inbox->push(std::move(event));
  }

  void connect() {
    const int version = static_cast<int>(options.version);
    // both above our own window, so that Paho neither refuses a message (its default is 100) nor stops at one
    const int paho_window = static_cast<int>(options.max_inflight) + 100;
    const paho::create_options creation(version, paho_window);
    client = std::make_unique<paho::async_client>(options.uri, options.client_id, creation);
    // one by one and before connecting: set_callback locks the wrong way round (paho.mqtt.cpp #356, #481)
    client->set_message_callback([this](const paho::const_message_ptr& m) { received(*m); });
    client->set_connection_lost_handler(
        [this](const std::string& cause) { push(paho_event::kind::lost, cause.empty() ? "connection lost" : cause); });
    // for a DISCONNECT of the broker Paho calls this one only
    client->set_disconnected_handler([this](const paho::properties&, paho::ReasonCode reason) {
      push(paho_event::kind::lost, "the broker disconnected us, reason " + std::to_string(static_cast<int>(reason)));
    });

    paho::connect_options_builder with;
    with.mqtt_version(version);
    if (options.version == protocol_version::v5) {
      with.clean_start(options.clean_start);
      paho::properties properties;
      if (options.session_expiry.count() > 0) {
        properties.add({paho::property::SESSION_EXPIRY_INTERVAL, static_cast<int>(options.session_expiry.count())});
      }
      with.properties(std::move(properties));
    } else {
      with.clean_session(options.clean_start);
    }
    with.keep_alive_interval(options.keep_alive);
    with.connect_timeout(options.connect_timeout);
    with.automatic_reconnect(false);
    with.max_inflight(paho_window);
    if (!options.username.empty()) {
      with.user_name(options.username);
      with.password(options.password);
    }
    if (options.uri.starts_with("ssl://")) {
      paho::ssl_options_builder ssl;
      if (!options.ca_file.empty()) ssl.trust_store(options.ca_file);
      ssl.enable_server_cert_auth(true).verify(true);
      with.ssl(ssl.finalize());
    }
    client->connect(with.finalize(), nullptr, *this);
  }

  void request(const paho_request& r) {
    void* const id = reinterpret_cast<void*>(static_cast<std::uintptr_t>(r.id));
    if (r.ends) {
      client->unsubscribe(r.what.filter, id, *this);
      return;
    }
    const bool no_local = false;  // Paho's own name for it differs between versions
    const paho::subscribe_options how(no_local, false,
                                      r.what.retained ? paho::subscribe_options::SEND_RETAINED_ON_SUBSCRIBE
                                                      : paho::subscribe_options::DONT_SEND_RETAINED);
    client->subscribe(r.what.filter, static_cast<int>(r.what.level), id, *this, how);
  }

  void publish(std::uint64_t id, const outgoing_message& message) {
    paho::properties properties;
    if (options.version == protocol_version::v5) {
      if (message.content_type) properties.add({paho::property::CONTENT_TYPE, *message.content_type});
      if (message.response_topic) properties.add({paho::property::RESPONSE_TOPIC, *message.response_topic});
      if (message.correlation_data) properties.add({paho::property::CORRELATION_DATA, *message.correlation_data});
    }
    paho::binary_ref payload = message.payload ? paho::binary_ref(message.payload) : paho::binary_ref(std::string());
    const paho::const_message_ptr out = paho::message::create(
        message.topic, std::move(payload), static_cast<int>(message.level), message.keep == retain::yes, properties);
    client->publish(out, reinterpret_cast<void*>(static_cast<std::uintptr_t>(id)), *this);
  }
};

paho_session::paho_session(const paho_options& options, std::uint64_t attempt, std::shared_ptr<paho_inbox> inbox)
    : impl_(std::make_unique<impl>(options, attempt, std::move(inbox))) {}

paho_session::~paho_session() = default;

void paho_session::connect() {
  try {
    impl_->connect();
  } catch (const std::exception& error) {
    impl_->push(paho_event::kind::failed, error.what());
  }
}

void paho_session::prepare() {
  // while no latency counts yet, and again after every connect: the socket is a new one
  (void)set_no_delay(port_of(impl_->options.uri));
  impl_->push(paho_event::kind::ready);
}

void paho_session::request(const std::vector<paho_request>& requests) {
  if (!impl_->client) return;
  try {
    for (const paho_request& r : requests)
      impl_->request(r);
  } catch (const std::exception& error) {
    impl_->push(paho_event::kind::failed, std::string("cannot subscribe: ") + error.what());
  }
}

std::optional<publish_outcome> paho_session::publish(std::uint64_t id, const outgoing_message& message) {
  try {
    impl_->publish(id, message);
    return std::nullopt;
  } catch (const paho::exception& error) {
    return error.get_return_code() == MQTTASYNC_BAD_UTF8_STRING ? publish_outcome::refused : publish_outcome::dropped;
  } catch (const std::exception&) {
    return publish_outcome::dropped;
  }
}

void paho_session::close() {
  impl_->client.reset();
  impl_->push(paho_event::kind::closed);
}

}  // namespace roombus::mqtt
