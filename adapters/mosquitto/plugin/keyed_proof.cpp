#include "adapters/mosquitto/plugin/keyed_proof.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <new>
#include <string>

namespace roombus::plugin {

keyed_proof prove(const secret_key& key, std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const std::string_view part : parts)
    size += part.size() + 1;
  std::string text;
  text.reserve(size);  // grown, it would leave copies behind
  for (const std::string_view part : parts)
    text.append(part).push_back('\0');
  keyed_proof out{};
  unsigned int length = 0;
  const bool made =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
           text.size(), out.data(), &length) != nullptr;
  OPENSSL_cleanse(text.data(), text.size());
  if (!made) throw std::bad_alloc();
  return out;
}

bool is_same(const keyed_proof& a, const keyed_proof& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace roombus::plugin
