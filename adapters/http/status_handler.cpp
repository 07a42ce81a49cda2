#include "adapters/http/status_handler.hpp"

#include <utility>

namespace roombus::http {

status_handler::status_handler(const metrics_registry& metrics, std::function<std::string()> trouble)
    : metrics_(metrics), trouble_(std::move(trouble)) {}

void status_handler::on_request(request req, std::shared_ptr<responder> answer) {
  response r;
  r.headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}};
  if (req.method != "GET" && req.method != "HEAD") {
    r.status = 405;
    r.headers.emplace_back("Allow", "GET, HEAD");
    r.body = "Only GET and HEAD.\n";
  } else if (req.path == "/healthz") {
    r.body = "ok\n";
  } else if (req.path == "/readyz") {
    const std::string trouble = trouble_();
    r.status = trouble.empty() ? 200 : 503;
    r.body = trouble.empty() ? "ready\n" : "not ready: " + trouble + "\n";
  } else if (req.path == "/metrics") {
    r.headers.front().second = "text/plain; version=0.0.4; charset=utf-8";
    r.body = metrics_.render();
  } else {
    r.status = 404;
    r.body = "Nothing is here.\n";
  }
  answer->send(std::move(r));
}

}  // namespace roombus::http
