#pragma once

// Requests, answers and WebSockets without a network.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/http/http_types.hpp"

namespace roombus::test {

/// Keeps the answer.
struct fake_responder final : http::responder {
  void send(http::response r) override {
    ++count;
    answer = std::move(r);
    aborted = nullptr;
  }
  void on_abort(std::function<void()> fn) override { aborted = std::move(fn); }
  /// The client goes away.
  void abort() {
    if (const auto fn = std::exchange(aborted, nullptr)) fn();
  }
  [[nodiscard]] unsigned status() const { return answer ? answer->status : 0; }
  [[nodiscard]] std::string body() const { return answer ? answer->body : "nothing yet"; }

  int count = 0;
  std::optional<http::response> answer;
  std::function<void()> aborted;
};

/// Notes each frame: text as it is, binary behind "bin:".
struct fake_ws final : http::ws_connection {
  void send(http::shared_frame frame) override {
    frames.push_back((frame->kind() == http::frame_kind::binary ? "bin:" : "") + std::string(frame->payload()));
  }
  [[nodiscard]] std::size_t queued_bytes() const override { return queued; }
  void close(std::uint16_t code, std::string_view) override { close_code = code; }
  void abort() override { close_code = 1006; }
  std::vector<std::string> take() { return std::exchange(frames, {}); }

  std::size_t queued = 0;
  std::vector<std::string> frames;
  std::optional<std::uint16_t> close_code;
};

struct fake_upgrade final : http::upgrade_responder {
  void accept(std::shared_ptr<http::ws_handler> h,
              std::function<void(std::shared_ptr<http::ws_connection>)> fn) override {
    handler = std::move(h);
    on_open = std::move(fn);
  }
  void reject(http::response r) override { rejected = std::move(r); }
  /// The 101 response was written.
  void open() { std::exchange(on_open, nullptr)(connection); }
  void text(std::string_view data) { handler->on_message(http::frame_kind::text, data); }
  void binary(std::string_view data) { handler->on_message(http::frame_kind::binary, data); }
  void gone() { handler->on_close(1006); }

  std::shared_ptr<http::ws_handler> handler;
  std::function<void(std::shared_ptr<http::ws_connection>)> on_open;
  std::optional<http::response> rejected;
  std::shared_ptr<fake_ws> connection = std::make_shared<fake_ws>();
};

/// Sends requests to a handler.
class fake_client {
 public:
  explicit fake_client(http::handler& to) : to_(to) {}

  std::shared_ptr<fake_responder> request(std::string method, std::string query, std::string body = {},
                                          http::header_list headers = {}) {
    auto answer = std::make_shared<fake_responder>();
    to_.on_request(make(std::move(method), std::move(query), std::move(body), std::move(headers)), answer);
    return answer;
  }
  std::shared_ptr<fake_responder> get(std::string query) { return request("GET", std::move(query)); }
  std::shared_ptr<fake_responder> post(std::string query, std::string body) {
    return request("POST", std::move(query), std::move(body));
  }
  std::shared_ptr<fake_upgrade> upgrade(std::string query) {
    auto answer = std::make_shared<fake_upgrade>();
    to_.on_upgrade(make("GET", std::move(query), {}, {}), answer);
    return answer;
  }

  std::string address = "127.0.0.1";  ///< of the requests to come

 private:
  http::request make(std::string method, std::string query, std::string body, http::header_list headers) const {
    http::request req;
    req.method = std::move(method);
    req.path = "/socket.io/";
    req.query = std::move(query);
    req.body = std::move(body);
    req.headers = std::move(headers);
    req.remote_address = address;
    return req;
  }
  http::handler& to_;
};

/// The text between `"sid":"` and the next quote.
inline std::string sid_in(const std::string& text) {
  const auto at = text.find("\"sid\":\"") + 7;
  return text.substr(at, text.find('"', at) - at);
}

}  // namespace roombus::test
