#include "adapters/socketio/engine_reply.hpp"

#include <array>

namespace roombus::socketio {
namespace {

struct row {
  unsigned status;
  const char* body;
};
constexpr std::array<row, 8> rows = {{{400, R"({"code":0,"message":"Transport unknown"})"},
                                      {400, R"({"code":1,"message":"Session ID unknown"})"},
                                      {400, R"({"code":2,"message":"Bad handshake method"})"},
                                      {400, R"({"code":3,"message":"Bad request"})"},
                                      {403, R"({"code":4,"message":"Forbidden"})"},
                                      {400, R"({"code":5,"message":"Unsupported protocol version"})"},
                                      {413, R"({"code":3,"message":"Payload too large"})"},
                                      {503, R"({"code":4,"message":"Too many sessions"})"}}};

}  // namespace

http::response refusal_response(engine_refusal why, const cors_policy& cors, const http::request& req) {
  const row& r = rows[static_cast<std::size_t>(why)];
  http::response out;
  out.status = r.status;
  out.headers.emplace_back("Content-Type", "application/json");
  out.headers.emplace_back("Cache-Control", "no-store");
  add_cors_headers(cors, req, out.headers);
  out.body = r.body;
  return out;
}

}  // namespace roombus::socketio
