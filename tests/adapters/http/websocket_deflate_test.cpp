#include <zlib.h>

#include <gtest/gtest.h>

#include "tests/adapters/http/test_server.hpp"
#include "tests/support/http_client.hpp"

namespace roombus::test {
namespace {

using namespace std::string_literals;

const std::string tail = "\x00\x00\xff\xff"s;

/// One direction of permessage-deflate (RFC 7692 §7.2), keeping its window between messages.
class deflater {
 public:
  deflater() { deflateInit2(&z_, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY); }
  ~deflater() { deflateEnd(&z_); }
  std::string pack(std::string text) {
    std::string out(text.size() + 1024, '\0');
    z_.next_in = reinterpret_cast<Bytef*>(text.data());
    z_.avail_in = static_cast<uInt>(text.size());
    z_.next_out = reinterpret_cast<Bytef*>(out.data());
    z_.avail_out = static_cast<uInt>(out.size());
    deflate(&z_, Z_SYNC_FLUSH);
    out.resize(out.size() - z_.avail_out);
    return out.substr(0, out.size() - tail.size());
  }

 private:
  z_stream z_{};
};

class inflater {
 public:
  inflater() { inflateInit2(&z_, -15); }
  ~inflater() { inflateEnd(&z_); }
  std::string unpack(std::string packed, std::size_t most) {
    packed += tail;
    std::string out(most, '\0');
    z_.next_in = reinterpret_cast<Bytef*>(packed.data());
    z_.avail_in = static_cast<uInt>(packed.size());
    z_.next_out = reinterpret_cast<Bytef*>(out.data());
    z_.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&z_, Z_SYNC_FLUSH), Z_OK);
    out.resize(out.size() - z_.avail_out);
    return out;
  }

 private:
  z_stream z_{};
};

struct whole_message {
  bool compressed = false;
  std::string bytes;
};

std::optional<whole_message> read_message(http_client& client) {
  whole_message out;
  for (bool first = true;; first = false) {
    const auto frame = client.read_frame();
    if (!frame) return std::nullopt;
    if (first) out.compressed = frame->compressed;
    out.bytes += frame->payload;
    if (frame->fin) return out;
  }
}

std::string offer() {
  return "Sec-WebSocket-Extensions: permessage-deflate\r\n";
}

http::limits compressing() {
  http::limits bounds;
  bounds.compression = true;
  return bounds;
}

std::string varied(std::size_t size) {
  std::string out;
  for (std::uint32_t i = 1; out.size() < size; i = i * 1664525u + 1013904223u)
    out += std::to_string(i) + "-text-";
  out.resize(size);
  return out;
}

TEST(websocket_deflate, messages_round_trip_large_ones_compressed_small_ones_plain) {
  test_server server(compressing());
  http_client client(server.port);
  const auto answer = client.upgrade("/ws/echo", offer());
  ASSERT_EQ(answer->status, 101);
  ASSERT_NE(answer->headers.at("sec-websocket-extensions").find("permessage-deflate"), std::string::npos);
  deflater out;
  inflater in;
  for (const std::size_t size : {10, 1023, 1024, 5000, 300'000, 20, 900'000}) {
    const std::string payload = varied(size);
    client.send(http_client::frame(1, out.pack(payload), true, true, true));
    const auto back = read_message(client);
    ASSERT_TRUE(back) << size;
    EXPECT_EQ(back->compressed, size >= 1024) << size;
    EXPECT_EQ(back->compressed ? in.unpack(back->bytes, size + 1) : back->bytes, payload) << size;
    if (back->compressed) {
      EXPECT_LT(back->bytes.size(), size) << size;
    }
  }
}

TEST(websocket_deflate, compressed_and_plain_messages_keep_their_order_and_come_before_the_close) {
  test_server server(compressing());
  http_client client(server.port);
  ASSERT_EQ(client.upgrade("/ws/manual", offer())->status, 101);
  ASSERT_TRUE(server.seen.wait_for("open"));
  const auto payload = [](int i) { return std::to_string(i) + varied(i % 3 == 0 ? 20'000 : 10); };
  server.on_loop([&] {
    for (int i = 0; i < 60; ++i)
      server.connection->send(http::ws_frame::make(http::frame_kind::text, payload(i)));
    server.connection->close(4000, "done");
  });
  inflater in;
  for (int i = 0; i < 60; ++i) {
    const auto message = read_message(client);
    ASSERT_TRUE(message) << i;
    ASSERT_EQ(message->compressed ? in.unpack(message->bytes, 30'000) : message->bytes, payload(i)) << i;
  }
  EXPECT_EQ(client.read_frame()->close_code(), 4000);
}

TEST(websocket_deflate, a_bomb_is_refused_by_its_inflated_size) {
  http::limits bounds = compressing();
  bounds.max_ws_message = 10'000;
  test_server server(bounds);
  http_client client(server.port);
  ASSERT_EQ(client.upgrade("/ws/manual", offer())->status, 101);
  deflater out;
  client.send(http_client::frame(2, out.pack(std::string(5'000'000, 'z')), true, true, true));
  EXPECT_EQ(client.read_frame()->close_code(), 1009);
  EXPECT_TRUE(server.seen.wait_for("close 1009"));
}

TEST(websocket_deflate, broken_compressed_data_ends_only_this_connection) {
  test_server server(compressing());
  http_client client(server.port);
  ASSERT_EQ(client.upgrade("/ws/manual", offer())->status, 101);
  client.send(http_client::frame(2, "\xff\xff\xff\xff\xff\xff", true, true, true));
  EXPECT_TRUE(server.seen.wait_for("close 1006"));
  EXPECT_EQ(http_client(server.port).get("/echo")->status, 200);
}

TEST(websocket_deflate, the_queue_bound_counts_what_waits_for_compression) {
  http::limits bounds = compressing();
  bounds.max_queue = 200'000;
  test_server server(bounds);
  http_client client(server.port);
  ASSERT_EQ(client.upgrade("/ws/manual", offer())->status, 101);
  ASSERT_TRUE(server.seen.wait_for("open"));
  server.on_loop([&] {
    const auto frame = http::ws_frame::make(http::frame_kind::text, std::string(50'000, 'q'));
    for (int i = 0; i < 10; ++i)
      server.connection->send(frame);
  });
  EXPECT_TRUE(server.seen.wait_for("close 1006"));
  EXPECT_EQ(server.metric("roombus_http_slow_consumers_total"), 1);
}

TEST(websocket_deflate, is_not_used_where_it_is_off) {
  test_server server;
  http_client client(server.port);
  const auto answer = client.upgrade("/ws/echo", offer());
  ASSERT_EQ(answer->status, 101);
  EXPECT_FALSE(answer->headers.contains("sec-websocket-extensions"));
  client.send_frame(1, std::string(5000, 'p'));
  EXPECT_EQ(client.read_frame()->payload, std::string(5000, 'p'));
}

}  // namespace
}  // namespace roombus::test
