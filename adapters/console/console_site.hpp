#pragma once

#include <span>
#include <string_view>

namespace roombus::console {

/// One file of the web page, part of the program itself: the views stay valid for its whole life.
struct site_file {
  std::string_view path;          ///< as requested: "/", "/app.js"
  std::string_view content_type;  ///< "text/html; charset=utf-8"
  std::string_view bytes;         ///< the file as it is
  std::string_view gzip_bytes;    ///< the same, compressed, for clients that accept gzip
  std::string_view etag;          ///< validator of `bytes`, without quotes
};

/// The web page: everything a browser asks for below `/`. It needs no inline script or style, so it runs under
/// `content_security_policy`.
[[nodiscard]] std::span<const site_file> console_files();

/// What the page may do, as a header value: its own files, its own server, and pictures made in the page.
inline constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws: wss:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

}  // namespace roombus::console
