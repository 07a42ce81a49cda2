#include "bridge/paho/no_delay.hpp"

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <charconv>
#include <cstdlib>
#include <memory>

namespace roombus::mqtt {

int set_no_delay(std::uint16_t port) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), &closedir);
  if (!folder) return 0;
  int found = 0;
  while (const dirent* entry = readdir(folder.get())) {
    char* end = nullptr;
    const long fd = std::strtol(entry->d_name, &end, 10);
    if (end == entry->d_name || *end != '\0') continue;
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    if (getpeername(static_cast<int>(fd), reinterpret_cast<sockaddr*>(&peer), &length) != 0) continue;
    in_port_t remote = 0;
    if (peer.ss_family == AF_INET) remote = reinterpret_cast<const sockaddr_in*>(&peer)->sin_port;
    if (peer.ss_family == AF_INET6) remote = reinterpret_cast<const sockaddr_in6*>(&peer)->sin6_port;
    if (remote == 0 || ntohs(remote) != port) continue;
    const int on = 1;
    if (setsockopt(static_cast<int>(fd), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0) ++found;
  }
  return found;
}

std::uint16_t port_of(std::string_view uri) {
  std::uint16_t port = uri.starts_with("ssl://") || uri.starts_with("mqtts://") ? 8883 : 1883;
  const std::size_t colon = uri.rfind(':');
  if (colon == std::string_view::npos) return port;
  std::uint16_t given = 0;
  const auto [end, error] = std::from_chars(uri.data() + colon + 1, uri.data() + uri.size(), given);
  if (error == std::errc() && given != 0 && (end == uri.data() + uri.size() || *end == '/')) port = given;
  return port;
}

}  // namespace roombus::mqtt
