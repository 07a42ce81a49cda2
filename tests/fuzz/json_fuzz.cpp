// Whatever JSON is accepted must come back from our own JSON and our own CBOR as the same value.

#include <cstdint>
#include <cstdlib>
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
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto v = json::read(text, {})) {
    const std::string written = json::write(*v);
    const auto again = json::read(written, any_size);
    require(again && json::write(*again) == written);
    const std::string bytes = cbor::write(*v);
    const auto from_cbor = cbor::read(bytes, any_size);
    require(from_cbor && *from_cbor == *v && cbor::write(*again) == bytes);
  }
  if (const auto v = json::read(text, {}, json::bytes_as::placeholder)) require(!cbor::has_bytes(*v));
  return 0;
}
