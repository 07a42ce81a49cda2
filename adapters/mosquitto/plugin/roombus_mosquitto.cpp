// The plugin as Mosquitto sees it (plugin API 5, Mosquitto 2.0.11 to 2.0.21): options in, events to the guard, the
// guard's wishes to the broker. Everything runs on the broker's one thread. No exception leaves a callback: what fails
// for want of memory is refused.

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <sys/random.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "adapters/mosquitto/plugin/broker_guard.hpp"
#include "adapters/mosquitto/plugin/device_logins.hpp"
#include "adapters/mosquitto/plugin/login_questions.hpp"
#include "adapters/mosquitto/plugin/plugin_settings.hpp"

namespace {

using namespace roombus::plugin;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string_view view(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

class mosquitto_actions final : public broker_actions {
 public:
  void publish(const std::string& topic, std::string payload) override { publish(topic, payload, 1); }
  void publish_now(const std::string& topic, std::string payload) override { publish(topic, payload, 0); }
  void kick(const std::string& client) override { (void)mosquitto_kick_client_by_clientid(client.c_str(), false); }

 private:
  static void publish(const std::string& topic, const std::string& payload, int qos) {
    (void)mosquitto_broker_publish_copy(nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(), qos,
                                        false, nullptr);
  }
};

class broker_clock final : public roombus::clock {
 public:
  [[nodiscard]] std::int64_t now_ms() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  [[nodiscard]] std::int64_t steady_ms() const override { return ::now_ms(); }
};

class broker_log final : public roombus::log_sink {
 public:
  void write(roombus::log_level level, std::string_view event, std::string_view text) override {
    const auto print = [&](int priority, const char* before) {
      mosquitto_log_printf(priority, "%sroombus: %.*s %.*s", before, static_cast<int>(event.size()), event.data(),
                           static_cast<int>(text.size()), text.data());
    };
    switch (level) {
      case roombus::log_level::debug:
        return print(MOSQ_LOG_DEBUG, "");
      case roombus::log_level::info:
        return print(MOSQ_LOG_INFO, "");
      case roombus::log_level::warning:
        return print(MOSQ_LOG_WARNING, "Warning: ");
      case roombus::log_level::error:
        return print(MOSQ_LOG_ERR, "Error: ");
    }
  }
};

struct plugin_state {
  mosquitto_plugin_id_t* id = nullptr;
  std::string bridge_accounts;
  std::string accounts;
  mosquitto_actions actions;
  broker_clock time;
  broker_log log;
  std::unique_ptr<device_logins> logins;       // null: no tokens, no password file of ours
  std::unique_ptr<login_questions> questions;  // null: bridges are not asked
  std::unique_ptr<broker_guard> guard;

  /// False when a file cannot be used; its accounts are gone then.
  bool load_accounts() {
    const auto load = [](const std::string& path, auto take) {
      std::string text;
      if (!path.empty()) {
        std::ifstream in(path, std::ios::binary);
        std::ostringstream all;
        all << in.rdbuf();
        if (!in) {
          mosquitto_log_printf(MOSQ_LOG_ERR, "Error: roombus cannot read %s", path.c_str());
          take(std::string_view());
          return false;
        }
        text = all.str();
      }
      const std::string problem = take(std::string_view(text));
      if (!problem.empty()) mosquitto_log_printf(MOSQ_LOG_ERR, "Error: roombus: %s, %s", path.c_str(), problem.c_str());
      return problem.empty();
    };
    const bool bridges = load(bridge_accounts, [this](std::string_view text) { return guard->load_bridges(text); });
    const bool devices = load(accounts, [this](std::string_view text) { return guard->load_devices(text); });
    return bridges && devices;
  }
};

plugin_state& state_of(void* userdata) {
  return *static_cast<plugin_state*>(userdata);
}

template <class Event>
Event& event_of(void* data) {
  return *static_cast<Event*>(data);
}

/// Runs `fn`, which answers whether it is allowed.
template <class Fn>
int guarded(int refused, Fn fn) {
  try {
    return fn() ? MOSQ_ERR_SUCCESS : refused;
  } catch (...) {
    return refused;
  }
}

int on_login(int, void* data, void* userdata) {
  const auto& e = event_of<mosquitto_evt_basic_auth>(data);
  auto outcome = broker_guard::login::bad_password;
  const int rc = guarded(MOSQ_ERR_AUTH, [&] {
    outcome = state_of(userdata).guard->authenticate(e.client, view(e.username), view(e.password),
                                                     view(mosquitto_client_id(e.client)),
                                                     view(mosquitto_client_address(e.client)), now_ms());
    return outcome == broker_guard::login::accepted;
  });
  // not checked: the connection is closed without an answer, which makes clients come again
  return outcome == broker_guard::login::busy ? MOSQ_ERR_UNKNOWN : rc;
}

/// Publishes the will of a connection without its properties, which no other event shows: the broker would keep them
/// with the retained message, a megabyte for each client id.
void publish_bare(const mosquitto_evt_acl_check& e) {
  (void)mosquitto_broker_publish_copy(nullptr, e.topic, static_cast<int>(e.payloadlen), e.payload, e.qos, true,
                                      nullptr);
}

int on_access(int, void* data, void* userdata) {
  const auto& e = event_of<mosquitto_evt_acl_check>(data);
  return guarded(MOSQ_ERR_ACL_DENIED, [&] {
    const broker_guard& guard = *state_of(userdata).guard;
    const std::string_view user = view(mosquitto_client_username(e.client));
    const std::string_view client = view(mosquitto_client_id(e.client));
    switch (e.access) {
      case MOSQ_ACL_READ:
        return guard.may_read(e.client, user, client, view(e.topic), now_ms());
      case MOSQ_ACL_WRITE:
        if (!guard.may_write(e.client, user, client, view(e.topic), e.retain, e.payloadlen)) return false;
        if (!e.retain || !guard.is_over(e.client)) return true;
        publish_bare(e);
        return false;
      case MOSQ_ACL_SUBSCRIBE:
        return guard.may_subscribe(e.client, user, client, view(e.topic));
      case MOSQ_ACL_UNSUBSCRIBE:
        return true;
      default:
        return false;
    }
  });
}

/// Of what is kept only the status itself is, and no properties: `mosquitto_evt_acl_check` does not show them.
int on_message(int, void* data, void*) {
  auto& e = event_of<mosquitto_evt_message>(data);
  if (e.retain) mosquitto_property_free_all(&e.properties);
  return MOSQ_ERR_SUCCESS;
}

int on_disconnect(int, void* data, void* userdata) {
  const auto& e = event_of<mosquitto_evt_disconnect>(data);
  return guarded(MOSQ_ERR_SUCCESS, [&] {
    state_of(userdata).guard->disconnected(e.client, e.reason);
    return true;
  });
}

int on_control(int, void* data, void* userdata) {
  const auto& e = event_of<mosquitto_evt_control>(data);
  // always success: anything else makes Mosquitto 2.0.11 close the publisher or answer nothing
  return guarded(MOSQ_ERR_SUCCESS, [&] {
    const std::string_view payload(static_cast<const char*>(e.payload), e.payload == nullptr ? 0 : e.payloadlen);
    if (!state_of(userdata).guard->control(e.client, payload, now_ms())) {
      mosquitto_log_printf(MOSQ_LOG_WARNING, "Warning: roombus: a control message was not taken");
    }
    return true;
  });
}

int on_tick(int, void*, void* userdata) {
  return guarded(MOSQ_ERR_SUCCESS, [&] {
    plugin_state& state = state_of(userdata);
    if (state.logins) state.logins->tick();
    state.guard->tick(now_ms(), state.time.now_ms());
    return true;
  });
}

int on_reload(int, void*, void* userdata) {
  return guarded(MOSQ_ERR_SUCCESS, [&] {
    plugin_state& state = state_of(userdata);
    if (state.logins) state.logins->reload();
    (void)state.load_accounts();
    return true;
  });
}

bool fill_random(unsigned char* bytes, std::size_t size) {
  return getrandom(bytes, size, 0) == static_cast<ssize_t>(size);
}

std::string random_name() {
  unsigned char bytes[8];
  if (!fill_random(bytes, sizeof bytes)) return "";
  std::string out;
  char pair[3];
  for (const unsigned char b : bytes) {
    (void)std::snprintf(pair, sizeof pair, "%02x", static_cast<unsigned>(b));
    out += pair;
  }
  return out;
}

/// False for an option that is unknown or wrong.
bool read_options(plugin_settings& settings, const mosquitto_opt* given, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string key(view(given[i].key));
    const std::string text(view(given[i].value));
    if (take_setting(settings, key, text)) continue;
    // without the value: some are secrets
    mosquitto_log_printf(MOSQ_LOG_ERR, "Error: roombus: plugin_opt_%s is unknown, or its value is wrong", key.c_str());
    return false;
  }
  return true;
}

int start(plugin_state& state, const mosquitto_opt* given, int count) {
  plugin_settings settings;
  if (!read_options(settings, given, count)) return MOSQ_ERR_INVAL;
  state.bridge_accounts = settings.bridge_accounts;
  state.accounts = settings.accounts;
  if (state.bridge_accounts.empty()) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "Error: roombus: plugin_opt_bridge_accounts is missing");
    return MOSQ_ERR_INVAL;
  }
  std::string incarnation = random_name();
  secret_key secret{};
  if (incarnation.empty() || !fill_random(secret.data(), secret.size())) return MOSQ_ERR_UNKNOWN;
  state.guard = std::make_unique<broker_guard>(std::move(settings.guard), std::move(incarnation), state.actions,
                                               state.time, state.log);
  if (settings.ask_bridge) {
    login_question_options options;
    options.max_failures = settings.logins.max_failures;
    options.failure_window_ms = settings.logins.failure_window_ms;
    secret_key of_questions{};
    if (!fill_random(of_questions.data(), of_questions.size())) return MOSQ_ERR_UNKNOWN;
    state.questions = std::make_unique<login_questions>(options, of_questions);
    state.guard->use(*state.questions);
  }
  if (settings.logins.configured()) {
    state.logins = std::make_unique<device_logins>(std::move(settings.logins), secret, state.time, state.log);
    if (const std::string problem = state.logins->load(); !problem.empty()) {
      mosquitto_log_printf(MOSQ_LOG_ERR, "Error: roombus: %s", problem.c_str());
      return MOSQ_ERR_INVAL;
    }
    state.guard->use(*state.logins);
  }
  if (!state.load_accounts()) return MOSQ_ERR_INVAL;
  struct {
    int event;
    MOSQ_FUNC_generic_callback call;
    const void* data;
  } const callbacks[] = {
      {MOSQ_EVT_BASIC_AUTH, on_login, nullptr},
      {MOSQ_EVT_ACL_CHECK, on_access, nullptr},
      {MOSQ_EVT_MESSAGE, on_message, nullptr},
      {MOSQ_EVT_DISCONNECT, on_disconnect, nullptr},
      {MOSQ_EVT_CONTROL, on_control, control_topic.data()},
      {MOSQ_EVT_TICK, on_tick, nullptr},
      {MOSQ_EVT_RELOAD, on_reload, nullptr},
  };
  for (const auto& c : callbacks) {
    const int rc = mosquitto_callback_register(state.id, c.event, c.call, c.data, &state);
    if (rc != MOSQ_ERR_SUCCESS) return rc;
  }
  mosquitto_log_printf(MOSQ_LOG_NOTICE, "roombus plugin, incarnation %s", state.guard->incarnation().c_str());
  return MOSQ_ERR_SUCCESS;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int mosquitto_plugin_version(int count, const int* versions) {
  for (int i = 0; i < count; ++i) {
    if (versions[i] == MOSQ_PLUGIN_VERSION) return MOSQ_PLUGIN_VERSION;
  }
  return -1;
}

__attribute__((visibility("default"))) int mosquitto_plugin_init(mosquitto_plugin_id_t* identifier, void** userdata,
                                                                 mosquitto_opt* options, int option_count) {
  try {
    auto state = std::make_unique<plugin_state>();
    state->id = identifier;
    const int rc = start(*state, options, option_count);
    if (rc == MOSQ_ERR_SUCCESS) *userdata = state.release();  // until mosquitto_plugin_cleanup
    return rc;
  } catch (...) {
    return MOSQ_ERR_NOMEM;
  }
}

__attribute__((visibility("default"))) int mosquitto_plugin_cleanup(void* userdata, mosquitto_opt*, int) {
  delete static_cast<plugin_state*>(userdata);
  return MOSQ_ERR_SUCCESS;
}
}
