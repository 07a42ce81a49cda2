#include <gtest/gtest.h>

#include "adapters/http/http_types.hpp"

namespace roombus::http {
namespace {

using namespace std::string_literals;

struct header_case {
  const char* name;
  frame_kind kind;
  std::size_t size;
  std::string header;
};

TEST(ws_frame, headers_are_unmasked_and_as_short_as_can_be) {
  const header_case cases[] = {
      {"empty", frame_kind::text, 0, "\x81\x00"s},
      {"longest short", frame_kind::binary, 125, "\x82\x7d"s},
      {"shortest 16 bit", frame_kind::text, 126, "\x81\x7e\x00\x7e"s},
      {"longest 16 bit", frame_kind::text, 65535, "\x81\x7e\xff\xff"s},
      {"shortest 64 bit", frame_kind::binary, 65536, "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s},
  };
  for (const header_case& c : cases) {
    const std::string payload(c.size, 'p');
    const shared_frame frame = ws_frame::make(c.kind, payload);
    EXPECT_EQ(frame->bytes(), c.header + payload) << c.name;
    EXPECT_EQ(frame->payload(), payload) << c.name;
    EXPECT_EQ(frame->kind(), c.kind) << c.name;
  }
}

}  // namespace
}  // namespace roombus::http
