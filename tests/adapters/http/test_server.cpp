#include "tests/adapters/http/test_server.hpp"

#include <algorithm>
#include <future>
#include <stdexcept>

namespace roombus::test {

void happenings::add(std::string what) {
  const std::lock_guard lock(mutex_);
  all_.push_back(std::move(what));
  changed_.notify_all();
}

bool happenings::wait_for(const std::string& what) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10),
                           [&] { return std::find(all_.begin(), all_.end(), what) != all_.end(); });
}

std::size_t happenings::count(const std::string& what) {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count(all_.begin(), all_.end(), what));
}

class test_server::log final : public log_sink {
 public:
  explicit log(happenings& seen) : seen_(seen) {}
  void write(log_level, std::string_view event, std::string_view) override { seen_.add("log " + std::string(event)); }

 private:
  happenings& seen_;
};

namespace {

class ws_test_handler final : public http::ws_handler {
 public:
  ws_test_handler(happenings& seen, bool echo) : seen_(seen), echo_(echo) {}
  void on_message(http::frame_kind kind, std::string_view payload) override {
    if (echo_) return connection->send(http::ws_frame::make(kind, payload));
    seen_.add("message " + std::string(payload.substr(0, 100)));
  }
  void on_close(std::uint16_t code) override {
    connection.reset();
    seen_.add("close " + std::to_string(code));
  }
  std::shared_ptr<http::ws_connection> connection;

 private:
  happenings& seen_;
  bool echo_;
};

}  // namespace

class test_server::requests final : public http::handler {
 public:
  explicit requests(test_server& owner) : owner_(owner) {}

  void on_request(http::request req, std::shared_ptr<http::responder> answer) override {
    if (req.path == "/drop") return;
    if (req.path == "/hold") {
      answer->on_abort([this] { owner_.seen.add("aborted"); });
      owner_.held.push_back(std::move(answer));
      return owner_.seen.add("held");
    }
    if (req.path == "/stream") return stream(*answer);
    http::response r;
    if (req.path == "/big") {
      r.shared_body = std::make_shared<const std::string>(8 * 1024 * 1024, 'x');
    } else {
      r.headers = {{"X-Split", "a\r\nX-Injected: b"}};
      r.body = req.method + ' ' + req.path + '?' + req.query + '\n' + req.body;
    }
    answer->send(std::move(r));
  }

  void stream(http::responder& answer) {
    http::response head;
    head.headers = {{"Content-Type", "text/event-stream"}};
    owner_.stream = answer.start_stream(std::move(head));
    if (!owner_.stream) return owner_.seen.add("no stream");
    owner_.stream->on_close([this] { owner_.seen.add("stream closed"); });
    owner_.stream->write("one");
    owner_.seen.add("streaming");
  }

  void on_upgrade(http::request req, std::shared_ptr<http::upgrade_responder> answer) override {
    if (req.path == "/ws/drop") return;
    if (req.path == "/ws/refuse") {
      http::response r;
      r.status = 403;
      return answer->reject(std::move(r));
    }
    if (!req.path.starts_with("/ws/")) return http::handler::on_upgrade(std::move(req), std::move(answer));
    auto reader = std::make_shared<ws_test_handler>(owner_.seen, req.path == "/ws/echo");
    const bool manual = req.path == "/ws/manual";
    answer->accept(reader, [this, reader, manual](std::shared_ptr<http::ws_connection> c) {
      reader->connection = c;
      if (manual) owner_.connection = c;
      owner_.seen.add("open");
      if (owner_.on_open) owner_.on_open(*c);
    });
  }

 private:
  test_server& owner_;
};

test_server::test_server(http::limits bounds)
    : log_(std::make_unique<log>(seen)), requests_(std::make_unique<requests>(*this)) {
  http::server_options options;
  options.bounds = bounds;
  server = std::make_unique<http::server>(loop_, options, metrics_, *log_);
  server->route("/echo", *requests_);
  for (const char* path : {"/hold", "/drop", "/big", "/stream", "/ws/"})
    server->route(path, *requests_);
  const http::listen_result bound = server->listen();
  if (!bound) throw std::runtime_error(bound.error);
  port = bound.port;
  thread_ = std::thread([this] { loop_.run(); });
}

test_server::~test_server() {
  loop_.stop();
  thread_.join();
  held.clear();
  stream.reset();
  connection.reset();
  server.reset();
}

void test_server::on_loop(std::function<void()> fn) {
  std::promise<void> done;
  loop_.post([&] {
    fn();
    done.set_value();
  });
  done.get_future().wait();
}

double test_server::metric(const std::string& name) {
  std::string text;
  on_loop([&] { text = metrics_.render(); });
  const std::size_t at = text.find('\n' + name);
  if (at == std::string::npos) return -1;
  return std::stod(text.substr(text.find(' ', at) + 1));
}

}  // namespace roombus::test
