#include "adapters/auth/jwt_keys.hpp"

#include "adapters/auth/jwks.hpp"

namespace roombus::auth {

namespace {

constexpr std::size_t max_key_file = 1'000'000;

std::string read_secret(const std::string& content, std::vector<jwt_key>& keys) {
  std::string secret = content;
  if (secret.ends_with('\n')) secret.pop_back();
  if (secret.ends_with('\r')) secret.pop_back();
  auto made = jwt_key::from_secret(std::move(secret));
  if (made.key) keys.push_back(std::move(*made.key));
  return made.error;
}

std::string read_pem(const std::string& content, std::vector<jwt_key>& keys) {
  auto made = read_public_keys(content);
  if (made.key) keys = std::move(*made.key);
  return made.error;
}

}  // namespace

jwt_keys::jwt_keys(jwt_sources sources, log_sink& log) : secret_(std::move(sources.secret)), log_(log) {
  const auto add = [this](std::string& path, parse read) {
    if (!path.empty()) files_.push_back({watched_file(std::move(path), max_key_file), std::move(read), {}});
  };
  add(sources.secret_file, read_secret);
  add(sources.public_key_file, read_pem);
  add(sources.jwks_file, [&log](const std::string& content, std::vector<jwt_key>& keys) {
    auto set = read_jwks(content);
    for (const std::string& text : set.skipped)
      log.write(log_level::debug, "jwt_key_skipped", "auth.jwt.jwks_file: " + text);
    keys = std::move(set.keys);
    return set.error;
  });
}

std::string jwt_keys::read(source& s) {
  std::string content;
  if (std::string error = s.file.read(content); !error.empty()) return error;
  std::vector<jwt_key> keys;
  if (const std::string error = s.read(content, keys); !error.empty()) return s.file.path() + ": " + error;
  s.keys = std::move(keys);
  return "";
}

std::string jwt_keys::load() {
  if (!secret_.empty()) {
    if (auto made = jwt_key::from_secret(secret_); !made.key) return "auth.jwt.secret: " + made.error;
  }
  for (source& s : files_) {
    if (std::string error = read(s); !error.empty()) return error;
  }
  collect();
  return "";
}

void jwt_keys::reload(bool force) {
  bool changed = false;
  for (source& s : files_) {
    if (!force && !s.file.has_changed()) continue;
    const std::string error = read(s);
    if (error.empty()) {
      changed = true;
      log_.write(log_level::info, "jwt_keys_loaded",
                 s.file.path() + ": " + std::to_string(s.keys.size()) + " keys are valid now");
    } else {
      log_.write(log_level::error, "jwt_keys_kept", error + "; the keys before stay valid");
    }
  }
  if (changed) collect();
}

void jwt_keys::collect() {
  all_.clear();
  if (!secret_.empty()) {
    if (auto made = jwt_key::from_secret(secret_); made.key) all_.push_back(std::move(*made.key));
  }
  for (const source& s : files_)
    all_.insert(all_.end(), s.keys.begin(), s.keys.end());
}

}  // namespace roombus::auth
