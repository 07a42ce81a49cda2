#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports/environment.hpp"

namespace roombus::auth {

enum class password_scheme : std::uint8_t { argon2id, scrypt };

constexpr std::size_t max_password_bytes = 1024;

/// A password's hash in PHC form: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash` or `$scrypt$ln=15,r=8,p=1$salt$hash`.
/// Source: the PHC string format; RFC 9106; RFC 7914.
class password_hash {
 public:
  /// Nothing for any other form, or for parameters above what one check may cost (256 MiB, or 16 passes).
  [[nodiscard]] static std::optional<password_hash> parse(std::string_view text);
  /// Hashes with a new salt and the parameters above, which take some 20 MiB (argon2id) or 32 MiB (scrypt) and tens of
  /// milliseconds. Nothing when there is no memory for it.
  [[nodiscard]] static std::optional<password_hash> make(std::string_view password, password_scheme scheme,
                                                         random_source& random);

  /// Costs what the parameters say, right or wrong. Safe from any thread.
  [[nodiscard]] bool matches(std::string_view password) const;
  [[nodiscard]] std::string str() const;

 private:
  [[nodiscard]] std::string compute(std::string_view password, std::size_t size) const;

  password_scheme scheme_ = password_scheme::argon2id;
  std::uint32_t memory_ = 19456;  ///< argon2id: KiB; scrypt: log2 of N
  std::uint32_t passes_ = 2;      ///< argon2id: passes; scrypt: r
  std::uint32_t lanes_ = 1;
  std::string salt_;
  std::string hash_;
};

}  // namespace roombus::auth
