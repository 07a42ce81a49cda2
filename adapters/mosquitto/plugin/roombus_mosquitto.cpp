// The plugin as Mosquitto sees it (plugin API 5, Mosquitto 2.0.11 to 2.0.21): options in, events to the guard, the
// guard's wishes to the broker. Everything runs on the broker's one thread. No exception leaves a callback: what fails
// for want of memory is refused.

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <sys/random.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "adapters/mosquitto/plugin/broker_guard.hpp"

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
  void publish(const std::string& topic, std::string payload) override {
    (void)mosquitto_broker_publish_copy(nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(), 1,
                                        false, nullptr);
  }
  void kick(const std::string& client) override { (void)mosquitto_kick_client_by_clientid(client.c_str(), false); }
};

struct plugin_state {
  mosquitto_plugin_id_t* id = nullptr;
  std::string bridge_accounts;
  std::string accounts;
  mosquitto_actions actions;
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
  return guarded(MOSQ_ERR_AUTH, [&] {
    return state_of(userdata).guard->authenticate(e.client, view(e.username), view(e.password),
                                                  view(mosquitto_client_id(e.client))) == broker_guard::login::accepted;
  });
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
        return guard.may_write(e.client, user, client, view(e.topic), e.retain);
      case MOSQ_ACL_SUBSCRIBE:
        return guard.may_subscribe(e.client, user, client, view(e.topic));
      case MOSQ_ACL_UNSUBSCRIBE:
        return true;
      default:
        return false;
    }
  });
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
    state_of(userdata).guard->tick(now_ms());
    return true;
  });
}

int on_reload(int, void*, void* userdata) {
  return guarded(MOSQ_ERR_SUCCESS, [&] {
    (void)state_of(userdata).load_accounts();
    return true;
  });
}

std::string random_name() {
  unsigned char bytes[8];
  if (getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) return "";
  std::string out;
  char pair[3];
  for (const unsigned char b : bytes) {
    (void)std::snprintf(pair, sizeof pair, "%02x", static_cast<unsigned>(b));
    out += pair;
  }
  return out;
}

bool to_size(const std::string& text, std::size_t& out) {
  char* end = nullptr;
  const unsigned long long number = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || number == 0 || number > 10'000'000) return false;
  out = static_cast<std::size_t>(number);
  return true;
}

/// False for an option that is unknown or wrong: a spelling mistake must not open anything.
bool read_options(plugin_state& state, guard_options& options, const mosquitto_opt* given, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string key(view(given[i].key));
    const std::string text(view(given[i].value));
    bool good = true;
    if (key == "prefix") {
      options.prefix = text;
      good = !text.empty() && text.find_first_of("+#$ ") == std::string::npos;
    } else if (key == "bridge_accounts") {
      state.bridge_accounts = text;
    } else if (key == "accounts") {
      state.accounts = text;
    } else if (key == "dev") {
      good = text == "true" || text == "false";
      options.dev = text == "true";
    } else if (key == "workers" || key == "admins") {
      std::istringstream names(text);
      for (std::string name; std::getline(names, name, ',');) {
        good = good && is_name_level(name);
        (key == "workers" ? options.workers : options.admins).push_back(name);
      }
    } else if (key == "max_connections") {
      good = to_size(text, options.max_connections);
    } else if (key == "max_rooms") {
      good = to_size(text, options.max_rooms);
    } else {
      good = false;
    }
    if (!good) {
      mosquitto_log_printf(MOSQ_LOG_ERR, "Error: roombus: plugin_opt_%s %s", key.c_str(), text.c_str());
      return false;
    }
  }
  return true;
}

int start(plugin_state& state, const mosquitto_opt* given, int count) {
  guard_options options;
  if (!read_options(state, options, given, count)) return MOSQ_ERR_INVAL;
  if (state.bridge_accounts.empty()) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "Error: roombus: plugin_opt_bridge_accounts is missing");
    return MOSQ_ERR_INVAL;
  }
  std::string incarnation = random_name();
  if (incarnation.empty()) return MOSQ_ERR_UNKNOWN;
  state.guard = std::make_unique<broker_guard>(std::move(options), std::move(incarnation), state.actions);
  if (!state.load_accounts()) return MOSQ_ERR_INVAL;
  struct {
    int event;
    MOSQ_FUNC_generic_callback call;
    const void* data;
  } const callbacks[] = {
      {MOSQ_EVT_BASIC_AUTH, on_login, nullptr},
      {MOSQ_EVT_ACL_CHECK, on_access, nullptr},
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
