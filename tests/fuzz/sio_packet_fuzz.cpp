// Sequences of Socket.IO messages: complete events are encoded and read again to the same values. The input is cut at
// 0x00 into text messages and at 0x01 into binary ones.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "adapters/socketio/sio_packet.hpp"

namespace {

using namespace roombus;
using namespace roombus::socketio;

bool may_pose_as_placeholder(const value& v) {
  if (const auto* list = v.if_list()) {
    for (const auto& item : *list) {
      if (may_pose_as_placeholder(item)) return true;
    }
  }
  if (const auto* map = v.if_map()) {
    if (map->find("_placeholder") != nullptr) return true;
    for (const auto& [key, item] : *map) {
      if (may_pose_as_placeholder(item)) return true;
    }
  }
  return false;
}

void check(const sio_packet& packet) {
  if (packet.type != sio_packet_type::event || packet.nsp != "/" || may_pose_as_placeholder(packet.data)) return;
  const auto& list = *packet.data.if_list();
  const auto* name = list.front().if_text();
  if (name == nullptr) return;
  const auto encoded = encode_event("/", *name, value_list(list.begin() + 1, list.end()), packet.id);
  sio_limits wide;
  wide.max_attachments = 1'000'000;
  sio_decoder decoder(wide);
  auto outcome = decoder.on_text(encoded.text);
  for (const auto& attachment : encoded.attachments)
    outcome = decoder.on_binary(*attachment);
  const auto* again = std::get_if<sio_packet>(&outcome);
  if (again == nullptr || again->data != packet.data || again->id != packet.id) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sio_decoder decoder{sio_limits{}};
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  bool binary = false;
  while (!rest.empty()) {
    const auto end = rest.find_first_of(std::string_view("\0\1", 2));
    const auto message = rest.substr(0, end);
    const auto outcome = binary ? decoder.on_binary(message) : decoder.on_text(message);
    if (std::holds_alternative<sio_fault>(outcome)) return 0;
    if (const auto* packet = std::get_if<sio_packet>(&outcome)) check(*packet);
    if (end == std::string_view::npos) return 0;
    binary = rest[end] == '\1';
    rest.remove_prefix(end + 1);
  }
  return 0;
}
