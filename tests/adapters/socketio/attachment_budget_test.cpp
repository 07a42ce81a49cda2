#include "adapters/socketio/attachment_budget.hpp"

#include <gtest/gtest.h>

#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::socketio {
namespace {

/// Messages 5 4 3 2 1, as histories answer them, each with so many byte strings.
value_list messages(std::size_t byte_strings, bool stored) {
  value_list out;
  for (int id = 5; id >= 1; --id) {
    value_list parts(byte_strings, value(byte_string{"x"}));
    const value message(value_map{{"id", value(id)}, {"parts", value(std::move(parts))}});
    if (stored) {
      out.emplace_back(std::make_shared<const encoded_map>(cbor::write(message), byte_strings > 0));
    } else {
      out.push_back(message);
    }
  }
  return out;
}

std::string ids(const value& list) {
  std::string out;
  for (const value& message : *list.if_list())
    out += json::write(*cbor::materialize(message).if_map()->find("id"));
  return out;
}

struct budget_case {
  const char* command;
  std::size_t byte_strings;
  std::size_t most;
  const char* left;
};

const budget_case cases[] = {
    {"roomHistoryGet", 0, 0, "54321"}, {"roomHistoryGet", 2, 10, "54321"}, {"roomHistoryGet", 2, 9, "4321"},
    {"roomHistoryGet", 3, 7, "21"},    {"roomHistoryGet", 4, 3, "1"},      {"roomRecentHistory", 2, 10, "54321"},
    {"roomRecentHistory", 3, 7, "54"}, {"roomRecentHistory", 4, 3, "5"},   {"roomGetAccessList", 4, 3, "54321"},
};

TEST(attachment_budget, leaves_out_what_the_client_asks_for_next) {
  for (const budget_case& c : cases) {
    for (const bool stored : {false, true}) {
      value_list results;
      results.emplace_back(messages(c.byte_strings, stored));
      keep_within_attachments(c.command, results, c.most);
      EXPECT_EQ(ids(results[0]), c.left) << c.command << c.byte_strings << c.most;
    }
  }
}

TEST(attachment_budget, counts_the_messages_of_a_join) {
  value_list results;
  results.emplace_back(1);
  results.emplace_back(value_map{{"messages", value(messages(3, true))}});
  keep_within_attachments("roomJoin", results, 7);
  EXPECT_EQ(ids(*results[1].if_map()->find("messages")), "21");
}

}  // namespace
}  // namespace roombus::socketio
