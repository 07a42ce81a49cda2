#include "bridge/server/login_keys.hpp"

#include <algorithm>
#include <string>

#include "core/utf8.hpp"

// a generic lambda: for the constant and the changing configuration
#define FIELD(place) ([](auto& c) -> auto& { return c.auth.logins.place; })

namespace roombus::server {

namespace {

using key = config_key<config>;

constexpr std::int64_t max_time = 7 * 86'400'000L;  // a week, in ms

bool is_text(const std::string& s) {
  return is_valid_utf8(s) && std::none_of(s.begin(), s.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < 0x20 || byte == 0x7f;
         });
}

bool is_word(const std::string& s) {
  return !s.empty() && is_text(s);
}

template <class Field>
key text(const char* section, const char* name, Field field, const char* help) {
  return keys::text<config>(section, name, field, "a text without control characters", is_text, help);
}

template <class Field>
key integer(const char* section, const char* name, Field field, std::int64_t min, std::int64_t max, const char* help) {
  return keys::integer<config>(section, name, field, min, max, help);
}

}  // namespace

void add_login_keys(std::vector<key>& all) {
  all.push_back(integer("auth", "reload_interval", FIELD(reload_interval), 0, max_time,
                        "Time between two looks at the files with keys and passwords, ms; 0: only SIGHUP reads them "
                        "again."));

  key secret = keys::text<config>(
      "auth.jwt", "secret", FIELD(jwt.sources.secret), "a text of at least 32 bytes, or nothing",
      [](const std::string& s) { return s.empty() || (s.size() >= 32 && is_text(s)); },
      "Secret of HS256 tokens. Better in secret_file.");
  secret.secret = true;
  all.push_back(std::move(secret));
  all.push_back(text("auth.jwt", "secret_file", FIELD(jwt.sources.secret_file),
                     "A file with a secret of HS256 tokens, at least 32 bytes; a line end behind it does not count."));
  all.push_back(text("auth.jwt", "public_key_file", FIELD(jwt.sources.public_key_file),
                     "A PEM file with public keys: RSA (RS256) or EC on P-256 (ES256)."));
  all.push_back(text("auth.jwt", "jwks_file", FIELD(jwt.sources.jwks_file),
                     "A file with a JWK set. Keys of all sources are valid together."));
  all.push_back(keys::list<config>("auth.jwt", "audience", FIELD(jwt.rules.audience), "a list of texts", is_word,
                                   "One of these must be in a token's aud. Without them tokens with aud are refused: "
                                   "they are for somebody else."));
  all.push_back(keys::list<config>("auth.jwt", "issuer", FIELD(jwt.rules.issuer), "a list of texts", is_word,
                                   "A token's iss must be one of these; without them it is not looked at."));
  all.push_back(integer("auth.jwt", "leeway", FIELD(jwt.rules.leeway_ms), 0, 600'000,
                        "Difference of clocks that exp, nbf and iat allow for, ms."));
  all.push_back(keys::boolean<config>("auth.jwt", "require_exp", FIELD(jwt.rules.require_exp),
                                      "Refuse tokens that never expire."));
  all.push_back(keys::text<config>("auth.jwt", "user_claim", FIELD(jwt.user_claim), "the name of a claim", is_word,
                                   "The claim with the user's name."));
  all.push_back(keys::text<config>("auth.jwt", "rights_claim", FIELD(jwt.rights_claim), "the name of a claim", is_word,
                                   "The claim with limits of the login: {\"join\": [rooms], \"publish\": [rooms], "
                                   "\"admin\": bool}."));

  all.push_back(text("auth.password", "file", FIELD(password.file),
                     "A file with lines user:hash, as roombus hash-password prints them."));
  all.push_back(integer("auth.password", "workers", FIELD(password.workers), 1, 16,
                        "Threads that check passwords; each check takes some 20 MiB while it runs."));
  all.push_back(integer("auth.password", "max_queue", FIELD(password.max_queue), 1, 10'000,
                        "Checks that wait for a thread; more are refused with rateLimited."));
  all.push_back(integer("auth.password", "max_failures", FIELD(password.max_failures), 1, 1'000'000,
                        "Wrong passwords of one address within failure_window; then it gets rateLimited. Behind a "
                        "proxy all clients have its address."));
  all.push_back(integer("auth.password", "failure_window", FIELD(password.failure_window_ms), 1'000, max_time,
                        "The time in which failures are counted, ms."));
}

#undef FIELD

}  // namespace roombus::server
