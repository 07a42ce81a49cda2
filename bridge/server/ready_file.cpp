#include "bridge/server/ready_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <system_error>

#include "schemas/codec/json.hpp"

namespace roombus::server {

std::string ready_line(const ready_info& info) {
  const value mqtt = info.mqtt ? value(*info.mqtt) : value();
  return json::write(value_map{{"http", value(info.http)},
                               {"admin", value(info.admin)},
                               {"mqtt", mqtt},
                               {"instance", value(info.instance)},
                               {"pid", value(std::int64_t{getpid()})}}) +
         '\n';
}

std::string write_ready_file(const std::string& path, const ready_info& info) {
  const std::string temporary = path + '.' + std::to_string(getpid());
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out << ready_line(info);
    out.close();
    if (!out) return "cannot write " + temporary + ": " + std::generic_category().message(errno);
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    const std::string reason = std::generic_category().message(errno);
    std::remove(temporary.c_str());
    return "cannot move the ready file to " + path + ": " + reason;
  }
  return "";
}

}  // namespace roombus::server
