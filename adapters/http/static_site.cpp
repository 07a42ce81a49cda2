#include "adapters/http/static_site.hpp"

#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "adapters/http/uri.hpp"

namespace roombus::http {

namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

/// Calls `fn` with each member of a comma-separated header value until it answers true.
template <class Fn>
bool any_member(std::string_view list, Fn fn) {
  while (!list.empty()) {
    const std::string_view member = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), member.size() + 1));
    if (fn(trim(member))) return true;
  }
  return false;
}

bool takes_gzip(std::string_view accept_encoding) {
  return any_member(accept_encoding, [](std::string_view member) {
    const std::string_view coding = trim(member.substr(0, member.find(';')));
    if (coding != "gzip") return false;
    const std::size_t q = member.find("q=");
    if (q == std::string_view::npos) return true;
    // "q=0", "q=0.0", … refuse it
    return member.substr(q + 2).find_first_of("123456789") != std::string_view::npos;
  });
}

/// FNV-1a: an ETag tells versions apart, it protects nothing.
std::string content_hash(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (unsigned char c : bytes)
    hash = (hash ^ c) * 1099511628211ULL;
  char digits[17];
  const auto end = std::to_chars(digits, digits + sizeof digits, hash, 16).ptr;
  return std::string(digits, end) + '-' + std::to_string(bytes.size());
}

}  // namespace

static_site::static_site(std::vector<static_file> files, std::string content_security_policy) {
  for (static_file& file : files) {
    if (file.etag.empty()) file.etag = content_hash(*file.bytes);
    files_.emplace(file.path, std::move(file));
  }
  if (!content_security_policy.empty()) {
    security_headers_.emplace_back("Content-Security-Policy", std::move(content_security_policy));
  }
  security_headers_.emplace_back("X-Content-Type-Options", "nosniff");
  security_headers_.emplace_back("Referrer-Policy", "no-referrer");
  security_headers_.emplace_back("X-Frame-Options", "DENY");
}

void static_site::on_request(request req, std::shared_ptr<responder> answer) {
  response r;
  r.headers = security_headers_;
  auto say = [&](unsigned status, std::string text) {
    r.status = status;
    r.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
    r.body = std::move(text);
    answer->send(std::move(r));
  };
  const std::optional<std::string> path = percent_decode(req.path);
  if (!path) return say(400, "Invalid path.\n");
  const auto found = files_.find(*path);
  if (found == files_.end()) return say(404, "Nothing is here.\n");
  if (req.method != "GET" && req.method != "HEAD") {
    r.headers.emplace_back("Allow", "GET, HEAD");
    return say(405, "Only GET and HEAD.\n");
  }
  const static_file& file = found->second;
  const bool compressed = file.gzip && takes_gzip(req.header("accept-encoding"));
  // the two variants differ in bytes, so their strong tags must differ too (RFC 9110 §8.8.3)
  const std::string tag = '"' + file.etag + (compressed ? "-gz\"" : "\"");
  r.headers.emplace_back("ETag", tag);
  r.headers.emplace_back("Cache-Control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (file.gzip) r.headers.emplace_back("Vary", "Accept-Encoding");
  const bool unchanged = any_member(req.header("if-none-match"), [&](std::string_view member) {
    if (member.starts_with("W/")) member.remove_prefix(2);
    return member == "*" || member == tag;
  });
  if (unchanged) {
    r.status = 304;
    return answer->send(std::move(r));
  }
  r.headers.emplace_back("Content-Type", file.content_type);
  if (compressed) r.headers.emplace_back("Content-Encoding", "gzip");
  r.shared_body = compressed ? file.gzip : file.bytes;
  answer->send(std::move(r));
}

}  // namespace roombus::http
