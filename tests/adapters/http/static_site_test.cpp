#include "adapters/http/static_site.hpp"

#include <gtest/gtest.h>

#include "adapters/http/status_handler.hpp"

namespace roombus::http {
namespace {

class kept_answer final : public responder {
 public:
  void send(response r) override { answer = std::move(r); }
  void on_abort(std::function<void()>) override {}
  response answer;
};

response ask(handler& to, std::string path, header_list headers = {}, std::string method = "GET") {
  request req;
  req.method = std::move(method);
  req.path = std::move(path);
  req.headers = std::move(headers);
  auto kept = std::make_shared<kept_answer>();
  to.on_request(std::move(req), kept);
  return kept->answer;
}

std::string field(const response& r, std::string_view name) {
  for (const auto& [key, text] : r.headers) {
    if (key == name) return text;
  }
  return "(none)";
}

shared_buffer bytes(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

static_site site() {
  std::vector<static_file> files;
  files.push_back({"/", "text/html; charset=utf-8", bytes("<p>page"), nullptr, "v1", false});
  files.push_back({"/app.js", "text/javascript", bytes("let a;"), bytes("packed"), "", true});
  return {std::move(files), "default-src 'self'"};
}

TEST(static_site, files_come_with_type_tag_and_security_headers) {
  static_site pages = site();
  const response page = ask(pages, "/");
  EXPECT_EQ(page.status, 200u);
  EXPECT_EQ(*page.shared_body, "<p>page");
  EXPECT_EQ(field(page, "Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(field(page, "ETag"), "\"v1\"");
  EXPECT_EQ(field(page, "Cache-Control"), "no-cache");
  EXPECT_EQ(field(page, "Content-Security-Policy"), "default-src 'self'");
  EXPECT_EQ(field(page, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(field(page, "Vary"), "(none)");
  EXPECT_EQ(*ask(pages, "/app%2Ejs").shared_body, "let a;");
}

TEST(static_site, gzip_is_sent_to_who_takes_it_under_its_own_tag) {
  static_site pages = site();
  const response packed = ask(pages, "/app.js", {{"accept-encoding", "br, gzip;q=0.5"}});
  EXPECT_EQ(*packed.shared_body, "packed");
  EXPECT_EQ(field(packed, "Content-Encoding"), "gzip");
  EXPECT_EQ(field(packed, "Vary"), "Accept-Encoding");
  EXPECT_EQ(field(packed, "Cache-Control"), "public, max-age=31536000, immutable");
  for (const char* refuses : {"", "br", "gzip;q=0", "gzip; q=0.0", "xgzip"}) {
    const response plain = ask(pages, "/app.js", {{"accept-encoding", refuses}});
    EXPECT_EQ(*plain.shared_body, "let a;") << refuses;
    EXPECT_EQ(field(plain, "Content-Encoding"), "(none)") << refuses;
    EXPECT_NE(field(plain, "ETag"), field(packed, "ETag")) << refuses;
  }
}

TEST(static_site, a_known_tag_is_answered_304) {
  static_site pages = site();
  for (const char* tags : {"\"v1\"", "\"v0\", \"v1\"", "W/\"v1\"", "*"}) {
    const response r = ask(pages, "/", {{"if-none-match", tags}});
    EXPECT_EQ(r.status, 304u) << tags;
    EXPECT_FALSE(r.shared_body) << tags;
    EXPECT_EQ(field(r, "ETag"), "\"v1\"") << tags;
  }
  EXPECT_EQ(ask(pages, "/", {{"if-none-match", "\"v2\""}}).status, 200u);
}

TEST(static_site, the_rest_is_refused) {
  static_site pages = site();
  EXPECT_EQ(ask(pages, "/../etc/passwd").status, 404u);
  EXPECT_EQ(ask(pages, "/%zz").status, 400u);
  const response post = ask(pages, "/", {}, "POST");
  EXPECT_EQ(post.status, 405u);
  EXPECT_EQ(field(post, "Allow"), "GET, HEAD");
  EXPECT_EQ(field(post, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(ask(pages, "/", {}, "HEAD").status, 200u);
}

TEST(status_handler, tells_health_readiness_and_metrics) {
  metrics_registry metrics;
  metrics.add_counter("roombus_things_total", "Things.").add(3);
  std::string trouble = "the store is away";
  status_handler status(metrics, [&] { return trouble; });
  EXPECT_EQ(ask(status, "/healthz").status, 200u);
  EXPECT_EQ(ask(status, "/readyz").status, 503u);
  EXPECT_EQ(ask(status, "/readyz").body, "not ready: the store is away\n");
  trouble.clear();
  EXPECT_EQ(ask(status, "/readyz").status, 200u);
  EXPECT_NE(ask(status, "/metrics").body.find("\nroombus_things_total 3\n"), std::string::npos);
  EXPECT_EQ(ask(status, "/healthz", {}, "DELETE").status, 405u);
  EXPECT_EQ(ask(status, "/healthz/x").status, 404u);
}

}  // namespace
}  // namespace roombus::http
