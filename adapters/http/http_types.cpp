#include "adapters/http/http_types.hpp"

namespace roombus::http {

std::string_view request::header(std::string_view name) const {
  for (const auto& [key, text] : headers) {
    if (key == name) return text;
  }
  return {};
}

shared_frame ws_frame::make(frame_kind kind, std::string_view payload) {
  constexpr unsigned final_bit = 0x80;
  constexpr std::size_t longest_header = 10;
  const unsigned opcode = kind == frame_kind::text ? 1 : 2;
  std::string bytes;
  bytes.reserve(longest_header + payload.size());
  bytes += static_cast<char>(final_bit | opcode);
  auto put_length = [&](unsigned octets) {
    for (unsigned left = octets; left > 0; --left) {
      bytes += static_cast<char>((static_cast<std::uint64_t>(payload.size()) >> (8 * (left - 1))) & 0xff);
    }
  };
  if (payload.size() < 126) {
    put_length(1);
  } else if (payload.size() <= 0xffff) {
    bytes += static_cast<char>(126);
    put_length(2);
  } else {
    bytes += static_cast<char>(127);
    put_length(8);
  }
  const std::size_t header_size = bytes.size();
  bytes += payload;
  return shared_frame(new ws_frame(kind, header_size, std::move(bytes)));
}

std::shared_ptr<response_stream> responder::start_stream(response) {
  response refusal;
  refusal.status = 501;
  send(std::move(refusal));
  return nullptr;
}

void handler::on_upgrade(request, std::shared_ptr<upgrade_responder> answer) {
  response refusal;
  refusal.status = 400;
  refusal.body = "No WebSocket here.\n";
  answer->reject(std::move(refusal));
}

response handler::on_too_large(const request&) {
  response refusal;
  refusal.status = 413;
  refusal.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
  refusal.body = "Body too large.\n";
  return refusal;
}

}  // namespace roombus::http
