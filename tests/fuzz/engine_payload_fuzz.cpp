// Engine.IO bodies: what is read is written and read again to the same packets.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "adapters/socketio/engine_packet.hpp"

namespace {

using namespace roombus;
using namespace roombus::socketio;

constexpr std::size_t max_packets = 1000;

void check(eio_version version, bool binary_body, std::string_view body) {
  const auto packets = read_engine_payload(version, body, binary_body, max_packets);
  if (!packets) return;
  std::vector<http::shared_frame> frames;
  for (const auto& packet : *packets) {
    frames.push_back(packet.binary ? make_binary_message(version, packet.data)
                                   : make_control_frame(packet.type, packet.data));
  }
  for (const bool base64 : {true, false}) {
    const auto written = write_engine_payload(version, base64, frames);
    const auto again = read_engine_payload(version, written.body, written.binary, max_packets);
    if (!again || *again != *packets) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto version = (data[0] & 1) != 0 ? eio_version::v3 : eio_version::v4;
  check(version, (data[0] & 2) != 0, body);
  std::string scratch;
  (void)read_engine_frame(version, (data[0] & 4) != 0 ? http::frame_kind::binary : http::frame_kind::text, body,
                          scratch);
  return 0;
}
