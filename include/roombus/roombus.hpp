#pragma once

/// Everything an embedding program needs: the chat service with its tables, hooks and ports, what serves it to
/// socket.io clients and MQTT devices, and `embedded_server`, which puts these together. Start with docs/embedding.md.
///
/// No header that this one reaches brings Asio, Beast or Paho with it.

#include <roombus/embedded_server.hpp>
#include <roombus/forwarding_store.hpp>

#include "adapters/http/http_server.hpp"
#include "adapters/http/http_types.hpp"
#include "adapters/http/status_handler.hpp"
#include "adapters/loop/event_loop.hpp"
#include "adapters/memory/memory_store.hpp"
#include "adapters/socketio/chat_namespace.hpp"
#include "adapters/socketio/nsp_socket.hpp"
#include "adapters/socketio/socketio_server.hpp"
#include "bridge/mqtt/bridge.hpp"
#include "bridge/mqtt/mqtt_link.hpp"
#include "bridge/paho/paho_link.hpp"
#include "core/api_table.hpp"
#include "core/chat_error.hpp"
#include "core/command_table.hpp"
#include "core/event.hpp"
#include "core/hooks.hpp"
#include "core/metrics.hpp"
#include "core/named_string.hpp"
#include "core/operator_events.hpp"
#include "core/options.hpp"
#include "core/ports/authenticator.hpp"
#include "core/ports/connection_sink.hpp"
#include "core/ports/environment.hpp"
#include "core/ports/hook_caller.hpp"
#include "core/ports/store.hpp"
#include "core/remote_hooks.hpp"
#include "core/result.hpp"
#include "core/service.hpp"
#include "core/task.hpp"
#include "core/value.hpp"
#include "schemas/codec/cbor.hpp"
#include "schemas/codec/error_codec.hpp"
#include "schemas/codec/json.hpp"
#include "schemas/codec/payload.hpp"
