#pragma once

// Files with keys and passwords as the embedded broker sees them: copies in its private directory, since its account
// may not be allowed to read the originals.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "adapters/auth/watched_file.hpp"
#include "core/ports/environment.hpp"

namespace roombus::mosquitto {

/// One `plugin_opt_…` about logins.
struct login_setting {
  enum class kind : std::uint8_t {
    text,  ///< `value` is the option
    file   ///< `value` is the path of a file, and the option that of its copy
  };
  login_setting(std::string n, std::string v, kind k = kind::text) : name(std::move(n)), value(std::move(v)), what(k) {}
  std::string name;
  std::string value;
  kind what;
};

class login_files {
 public:
  /// Writes a whole file at once; false when it cannot.
  using writer = std::function<bool(const std::string& name, const std::string& content)>;

  login_files(std::vector<login_setting> settings, writer write);

  /// Writes all copies. Not empty: what went wrong.
  [[nodiscard]] std::string write_all();
  /// Writes those anew whose original has changed, or all with `force`. What cannot be read now keeps its copy.
  void refresh(bool force, log_sink& log);
  /// Options of the plugin; `path_of` answers where a copy is.
  [[nodiscard]] std::string options(const std::function<std::string(const std::string& name)>& path_of) const;
  [[nodiscard]] bool empty() const { return settings_.empty(); }

 private:
  struct original {
    std::string name;  ///< of the copy
    auth::watched_file file;
  };
  [[nodiscard]] std::string copy(original& o);

  std::vector<login_setting> settings_;
  writer write_;
  std::vector<original> originals_;
};

}  // namespace roombus::mosquitto
