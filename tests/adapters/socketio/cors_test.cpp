#include "adapters/socketio/cors.hpp"

#include <gtest/gtest.h>

namespace roombus::socketio {
namespace {

struct cors_case {
  const char* name;
  cors_policy policy;
  const char* origin;
  http::header_list headers;
};
const std::vector<cors_case> cases = {
    {"off", {}, "http://a", {}},
    {"all", {{"*"}, false}, "http://a", {{"Access-Control-Allow-Origin", "*"}}},
    {"listed", {{"http://a"}, false}, "http://a", {{"Vary", "Origin"}, {"Access-Control-Allow-Origin", "http://a"}}},
    {"not_listed", {{"http://a"}, false}, "http://a.example", {{"Vary", "Origin"}}},
    {"no_origin", {{"http://a"}, false}, "", {{"Vary", "Origin"}}},
    {"credentials",
     {{"http://a"}, true},
     "http://a",
     {{"Vary", "Origin"}, {"Access-Control-Allow-Origin", "http://a"}, {"Access-Control-Allow-Credentials", "true"}}},
    {"all_with_credentials_is_none", {{"*"}, true}, "http://a", {{"Vary", "Origin"}}},
};

TEST(cors, headers) {
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    http::request req;
    if (*c.origin != '\0') req.headers.emplace_back("origin", c.origin);
    http::header_list headers;
    add_cors_headers(c.policy, req, headers);
    EXPECT_EQ(headers, c.headers);
  }
}

}  // namespace
}  // namespace roombus::socketio
