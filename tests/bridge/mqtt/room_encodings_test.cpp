#include "bridge/mqtt/room_encodings.hpp"

#include <gtest/gtest.h>

namespace roombus::mqtt {
namespace {

const room_name kitchen("kitchen");
const room_name hall("hall");
const connection_id a("mqtt#a/1");
const connection_id b("mqtt#b/1");

TEST(room_encodings, counts_readers_of_each_format) {
  room_encodings r;
  EXPECT_EQ(r.readers(kitchen, wire::json), 0u);
  r.join(a, kitchen, wire::json);
  r.join(a, kitchen, wire::json);
  r.join(b, kitchen, wire::cbor);
  EXPECT_EQ(r.readers(kitchen, wire::json), 1u);
  EXPECT_EQ(r.readers(kitchen, wire::cbor), 1u);
  r.leave(a, kitchen);
  r.leave(a, kitchen);
  EXPECT_EQ(r.readers(kitchen, wire::json), 0u);
  EXPECT_EQ(r.readers(kitchen, wire::cbor), 1u);
}

TEST(room_encodings, a_change_moves_all_rooms) {
  room_encodings r;
  r.join(a, kitchen, wire::json);
  r.join(a, hall, wire::json);
  r.change(a, wire::cbor);
  r.change(b, wire::cbor);  // unknown
  for (const room_name& room : {kitchen, hall}) {
    EXPECT_EQ(r.readers(room, wire::json), 0u);
    EXPECT_EQ(r.readers(room, wire::cbor), 1u);
  }
  r.join(a, kitchen, wire::json);  // a repeated join in another format changes the connection
  EXPECT_EQ(r.readers(hall, wire::json), 1u);
  EXPECT_EQ(r.readers(hall, wire::cbor), 0u);
}

TEST(room_encodings, an_end_leaves_all_rooms) {
  room_encodings r;
  r.join(a, kitchen, wire::json);
  r.join(a, hall, wire::json);
  r.join(b, hall, wire::json);
  r.leave_all(a);
  r.leave_all(a);
  EXPECT_EQ(r.readers(kitchen, wire::json), 0u);
  EXPECT_EQ(r.readers(hall, wire::json), 1u);
}

}  // namespace
}  // namespace roombus::mqtt
