#include "bridge/server/login_commands.hpp"

#include <termios.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <vector>

#include "adapters/auth/jwt.hpp"
#include "adapters/auth/password_hash.hpp"
#include "adapters/auth/watched_file.hpp"
#include "adapters/loop/event_loop.hpp"
#include "core/named_string.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::server {

namespace {

constexpr int exit_usage = 2;
constexpr std::size_t max_key_file = 1'000'000;
constexpr std::size_t max_name_bytes = 65'535;
constexpr std::int64_t max_ttl = 100LL * 366 * 86'400;
constexpr codec_limits claim_limits{16, auth::max_token_bytes, 1'000};

constexpr const char* token_help =
    R"(roombus token --user NAME (--secret-file FILE | --key PEM) [--ttl SECONDS] [--alg ALG] [--kid ID]
              [--claim NAME=VALUE …] [--user-claim NAME]
Prints a token that logs NAME in, for 3600 seconds unless --ttl says otherwise (0: without end).
  --secret-file  a file with a secret of at least 32 bytes: HS256
  --key          an unencrypted PEM private key: RS256 or ES256, whatever it is for
  --alg          only checks that the key is for this algorithm
  --claim        further claims; VALUE is JSON, or a text if it is none: --claim aud=roombus
)";

constexpr const char* hash_help =
    R"(roombus hash-password [--user NAME] [--scheme argon2id|scrypt]
Reads a password (from the terminal without showing it, else the first line of the input) and prints its hash; with
--user a line for the file in auth.password.file.
)";

/// `--name value` and `--name=value`; each name as often as `repeated` allows.
class flags {
 public:
  flags(std::span<const std::string> args, std::vector<std::string> known, std::ostream& err) {
    for (std::size_t i = 1; i < args.size(); ++i) {
      const std::string& arg = args[i];
      if (arg == "--help" || arg == "-h") {
        help = true;
        continue;
      }
      const auto equals = arg.find('=');
      const std::string name = arg.substr(0, equals);
      bool fits = false;
      for (const auto& k : known)
        fits = fits || name == "--" + k;
      if (!fits) {
        err << "roombus: " << name << ": not expected here; --help tells what is\n";
        ok = false;
        return;
      }
      if (equals == std::string::npos && i + 1 >= args.size()) {
        err << "roombus: " << name << ": expected a value behind it\n";
        ok = false;
        return;
      }
      values[name.substr(2)].push_back(equals == std::string::npos ? args[++i] : arg.substr(equals + 1));
    }
    for (const auto& [name, given] : values) {
      if (given.size() < 2 || name == "claim") continue;
      err << "roombus: --" << name << ": expected once\n";
      ok = false;
    }
  }

  [[nodiscard]] std::optional<std::string> find(const std::string& name) const {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second.front();
  }

  std::map<std::string, std::vector<std::string>> values;
  bool ok = true;
  bool help = false;
};

std::optional<auth::signing_key> read_key(const flags& given, std::ostream& err) {
  const auto secret_file = given.find("secret-file");
  const auto key_file = given.find("key");
  if (secret_file.has_value() == key_file.has_value()) {
    err << "roombus: expected either --secret-file or --key\n";
    return std::nullopt;
  }
  std::string content;
  auth::watched_file file(secret_file ? *secret_file : *key_file, max_key_file);
  if (const std::string error = file.read(content); !error.empty()) {
    err << "roombus: " << error << '\n';
    return std::nullopt;
  }
  if (secret_file) {
    if (content.ends_with('\n')) content.pop_back();
    if (content.ends_with('\r')) content.pop_back();
  }
  auto made = secret_file ? auth::signing_key::from_secret(std::move(content)) : auth::signing_key::from_pem(content);
  if (!made.key) err << "roombus: " << file.path() << ": " << made.error << '\n';
  return std::move(made.key);
}

/// False, and the reason in `err`, when a flag is wrong.
bool read_claims(const flags& given, value_map& claims, std::ostream& err) {
  const auto user = given.find("user");
  if (!user || !is_valid_name(*user, max_name_bytes)) {
    err << "roombus: --user: expected a user name\n";
    return false;
  }
  std::int64_t ttl = 3600;
  if (const auto text = given.find("ttl")) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), ttl);
    if (error != std::errc{} || end != text->data() + text->size() || ttl < 0 || ttl > max_ttl) {
      err << "roombus: --ttl: expected a number of seconds\n";
      return false;
    }
  }
  const std::int64_t now = system_clock().now_ms() / 1000;
  const std::string user_claim = given.find("user-claim").value_or("sub");
  claims.set(user_claim, value(*user));
  claims.set("iat", value(now));
  if (ttl > 0) claims.set("exp", value(now + ttl));
  const auto more = given.values.find("claim");
  if (more == given.values.end()) return true;
  for (const std::string& claim : more->second) {
    if (claim.substr(0, claim.find('=')) == user_claim) {
      err << "roombus: --claim " << user_claim << ": that is what --user says\n";
      return false;
    }
    const auto equals = claim.find('=');
    if (equals == std::string::npos || equals == 0) {
      err << "roombus: --claim: expected NAME=VALUE\n";
      return false;
    }
    const std::string text = claim.substr(equals + 1);
    auto read = json::read(text, claim_limits, json::bytes_as::placeholder);
    claims.set(claim.substr(0, equals), read ? std::move(*read) : value(text));
  }
  return true;
}

int make_token(const flags& given, login_command_streams& streams) {
  value_map claims;
  if (!read_claims(given, claims, streams.err)) return exit_usage;
  const auto key = read_key(given, streams.err);
  if (!key) return exit_usage;
  if (const auto alg = given.find("alg"); alg && *alg != auth::to_text(key->algorithm())) {
    streams.err << "roombus: --alg: the key is for " << auth::to_text(key->algorithm()) << '\n';
    return exit_usage;
  }
  const std::string token = auth::make_token(*key, claims, given.find("kid"));
  if (token.empty() || token.size() > auth::max_token_bytes) {
    streams.err << "roombus: "
                << (token.empty() ? "the token could not be signed" : "the token is longer than 8192 bytes") << '\n';
    return EXIT_FAILURE;
  }
  streams.out << token << '\n';
  return EXIT_SUCCESS;
}

/// Keeps what is typed off the screen while it lives.
class echo_off {
 public:
  echo_off() {
    changed_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!changed_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~echo_off() {
    if (changed_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  echo_off(const echo_off&) = delete;
  echo_off& operator=(const echo_off&) = delete;

 private:
  termios before_{};
  bool changed_ = false;
};

std::string read_line(std::istream& in) {
  std::string line;
  std::getline(in, line);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

int hash_password(const flags& given, login_command_streams& streams) {
  const auto user = given.find("user");
  if (user && !is_valid_name(*user, max_name_bytes)) {
    streams.err << "roombus: --user: expected a user name\n";
    return exit_usage;
  }
  const std::string scheme = given.find("scheme").value_or("argon2id");
  if (scheme != "argon2id" && scheme != "scrypt") {
    streams.err << "roombus: --scheme: expected argon2id or scrypt\n";
    return exit_usage;
  }
  std::string password;
  if (streams.terminal) {
    const echo_off silent;
    streams.err << "Password: " << std::flush;
    password = read_line(streams.in);
    streams.err << "\nAgain: " << std::flush;
    const std::string again = read_line(streams.in);
    streams.err << '\n';
    if (again != password) {
      streams.err << "roombus: the two differ\n";
      return EXIT_FAILURE;
    }
  } else {
    password = read_line(streams.in);
  }
  if (password.empty() || password.size() > auth::max_password_bytes) {
    streams.err << "roombus: expected a password of 1 to " << auth::max_password_bytes << " bytes\n";
    return EXIT_FAILURE;
  }
  system_random random;
  const auto hash = auth::password_hash::make(
      password, scheme == "scrypt" ? auth::password_scheme::scrypt : auth::password_scheme::argon2id, random);
  if (!hash) {
    streams.err << "roombus: there is no memory to hash with\n";
    return EXIT_FAILURE;
  }
  streams.out << (user ? *user + ":" : std::string()) << hash->str() << '\n';
  return EXIT_SUCCESS;
}

}  // namespace

bool is_login_command(const std::string& word) {
  return word == "token" || word == "hash-password";
}

int run_login_command(std::span<const std::string> args, login_command_streams streams) {
  const bool token = args.front() == "token";
  const flags given(
      args,
      token ? std::vector<std::string>{"user", "secret-file", "key", "ttl", "alg", "kid", "claim", "user-claim"}
            : std::vector<std::string>{"user", "scheme"},
      streams.err);
  if (given.help) {
    streams.out << (token ? token_help : hash_help);
    return EXIT_SUCCESS;
  }
  if (!given.ok) return exit_usage;
  return token ? make_token(given, streams) : hash_password(given, streams);
}

}  // namespace roombus::server
