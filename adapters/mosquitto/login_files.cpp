#include "adapters/mosquitto/login_files.hpp"

#include <utility>

namespace roombus::mosquitto {

namespace {

constexpr std::size_t max_bytes = 256 * 1024 * 1024;

}  // namespace

login_files::login_files(std::vector<login_setting> settings, writer write)
    : settings_(std::move(settings)), write_(std::move(write)) {
  for (const login_setting& s : settings_) {
    if (s.what == login_setting::kind::file) originals_.push_back({s.name, auth::watched_file(s.value, max_bytes)});
  }
}

std::string login_files::copy(original& o) {
  std::string content;
  if (std::string error = o.file.read(content); !error.empty()) return error;
  return write_(o.name, content) ? "" : "cannot write a copy of " + o.file.path();
}

std::string login_files::write_all() {
  for (original& o : originals_) {
    if (std::string error = copy(o); !error.empty()) return error;
  }
  return "";
}

void login_files::refresh(bool force, log_sink& log) {
  for (original& o : originals_) {
    if (!force && !o.file.has_changed()) continue;
    if (const std::string error = copy(o); !error.empty()) {
      log.write(log_level::error, "device_logins_kept", error + "; what was there before holds for devices");
    }
  }
}

std::string login_files::options(const std::function<std::string(const std::string&)>& path_of) const {
  std::string out;
  for (const login_setting& s : settings_) {
    out.append("plugin_opt_").append(s.name).append(" ");
    out.append(s.what == login_setting::kind::text ? s.value : path_of(s.name)).append("\n");
  }
  return out;
}

}  // namespace roombus::mosquitto
