// Whatever CBOR is accepted must come back from our own CBOR as the same value, and become JSON in both ways alike.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"

namespace {

constexpr roombus::codec_limits any_size{64, std::size_t{1} << 30, std::size_t{1} << 30};

void require(bool ok) {
  if (!ok) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace json = roombus::json;
  namespace cbor = roombus::cbor;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const roombus::value stored(std::make_shared<const roombus::encoded_map>(bytes, true));
  const std::string transcoded = json::write(stored);  // of any bytes: it must only not crash
  if (const auto v = cbor::read(bytes, {})) {
    const std::string written = cbor::write(*v);
    const auto again = cbor::read(written, any_size);
    require(again && *again == *v && cbor::write(*again) == written);
    require(transcoded == json::write(*v));
    require(static_cast<bool>(json::read(transcoded, any_size)));
  }
  return 0;
}
