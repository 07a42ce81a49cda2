#pragma once

// The server API over a real service and the memory store, with requests and answers that need no network.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/admin/admin_api.hpp"
#include "tests/support/service_fixture.hpp"

namespace roombus::test {

/// Keeps what is written. `queued` is what the reader is said not to have taken.
struct fake_stream final : http::response_stream {
  void write(std::string_view bytes) override {
    if (!closed) text += bytes;
  }
  [[nodiscard]] std::size_t queued_bytes() const override { return queued; }
  void close() override { closed = true; }
  void on_close(std::function<void()> fn) override { gone = std::move(fn); }
  /// The peer goes away.
  void leave() {
    if (const auto fn = std::exchange(gone, nullptr)) fn();
  }
  /// What came since the last call, without the first frame of every stream.
  std::string take() { return std::exchange(text, {}); }

  std::string text;
  std::size_t queued = 0;
  bool closed = false;
  std::function<void()> gone;
};

struct fake_answer final : http::responder {
  void send(http::response r) override {
    ++count;
    answer = std::move(r);
  }
  void on_abort(std::function<void()>) override {}
  std::shared_ptr<http::response_stream> start_stream(http::response head) override {
    ++count;
    answer = std::move(head);
    stream = std::make_shared<fake_stream>();
    return stream;
  }
  [[nodiscard]] std::string header(const std::string& name) const {
    for (const auto& [key, text] : answer->headers) {
      if (key == name) return text;
    }
    return "none";
  }
  /// Status and body in one line.
  [[nodiscard]] std::string line() const {
    if (!answer) return "nothing yet";
    std::string body = answer->body;
    if (body.ends_with('\n')) body.pop_back();
    return std::to_string(answer->status) + " " + body;
  }

  int count = 0;
  std::optional<http::response> answer;
  std::shared_ptr<fake_stream> stream;
};

class admin_fixture : public service_fixture {
 protected:
  admin_fixture() {
    keys.add("all-key", api_access::all);
    keys.add("rooms-key", api_access::rooms);
    keys.add("read-key", api_access::read);
    room_settings settings;
    settings.history_max_size = 100;
    add_room("kitchen", settings);
    make_api({});
  }

  void make_api(admin::admin_options options) {
    api.reset();
    api = std::make_unique<admin::admin_api>(options,
                                             admin::admin_api::environment{chat, keys, timers, time, log, metrics});
  }

  std::shared_ptr<fake_answer> request(const std::string& method, const std::string& target, std::string body = {},
                                       const std::string& key = "all-key", http::header_list headers = {}) {
    http::request req;
    req.method = method;
    const std::size_t question = target.find('?');
    req.path = target.substr(0, question);
    if (question != std::string::npos) req.query = target.substr(question + 1);
    req.body = std::move(body);
    req.headers = std::move(headers);
    req.remote_address = "127.0.0.1";
    if (!key.empty()) req.headers.emplace_back("authorization", "Bearer " + key);
    auto answer = std::make_shared<fake_answer>();
    api->on_request(std::move(req), answer);
    return answer;
  }

  /// POST of one call; status and body.
  std::string call(const std::string& method, std::string body = {}, const std::string& key = "all-key") {
    auto answer = request("POST", "/api/v1/" + method, std::move(body), key);
    EXPECT_EQ(answer->count, 1) << method;
    return answer->line();
  }

  std::shared_ptr<fake_stream> open(const std::string& target, http::header_list headers = {}) {
    auto answer = request("GET", target, {}, "read-key", std::move(headers));
    EXPECT_EQ(answer->line(), "200 ");
    EXPECT_EQ(answer->header("Content-Type"), "text/event-stream; charset=utf-8");
    if (answer->stream) answer->stream->take();
    return answer->stream;
  }

  api_keys keys;
  std::unique_ptr<admin::admin_api> api;
};

}  // namespace roombus::test
