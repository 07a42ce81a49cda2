#include "adapters/http/response_head.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace roombus::http {

namespace {

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool is_servers_own(std::string_view name) {
  constexpr std::array<std::string_view, 4> own{"content-length", "date", "connection", "transfer-encoding"};
  return std::any_of(own.begin(), own.end(), [&](std::string_view o) { return same_name(o, name); });
}

void append_clean(std::string& out, std::string_view text) {
  for (char c : text)
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

}  // namespace

std::string_view reason_phrase(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Status";
  }
}

bool may_have_body(unsigned status) {
  return status >= 200 && status != 204 && status != 304;
}

namespace {

std::string common_head(const response& r, const std::string& date) {
  std::string out;
  out.reserve(256);
  out += "HTTP/1.1 ";
  out += std::to_string(r.status);
  out += ' ';
  out += reason_phrase(r.status);
  out += "\r\nDate: ";
  out += date;
  for (const auto& [name, text] : r.headers) {
    if (is_servers_own(name)) continue;
    out += "\r\n";
    append_clean(out, name);
    out += ": ";
    append_clean(out, text);
  }
  return out;
}

}  // namespace

std::string response_head(const response& r, std::size_t body_size, const std::string& date, bool close) {
  std::string out = common_head(r, date);
  if (may_have_body(r.status)) {
    out += "\r\nContent-Length: ";
    out += std::to_string(body_size);
  }
  if (close) out += "\r\nConnection: close";
  out += "\r\n\r\n";
  return out;
}

std::string stream_head(const response& r, const std::string& date, bool chunked) {
  std::string out = common_head(r, date);
  if (chunked) out += "\r\nTransfer-Encoding: chunked";
  out += "\r\nConnection: close\r\n\r\n";
  return out;
}

}  // namespace roombus::http
