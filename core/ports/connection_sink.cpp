#include "core/ports/connection_sink.hpp"

namespace roombus {

std::string_view to_text(close_reason reason) {
  switch (reason) {
    case close_reason::server_shutdown:
      return "server shutdown";
    case close_reason::disconnected:
      return "disconnected by the service";
    case close_reason::login_rejected:
      return "login rejected";
    case close_reason::slow_consumer:
      return "slow consumer";
    case close_reason::instance_stalled:
      return "instance stalled";
  }
  return "";
}

}  // namespace roombus
