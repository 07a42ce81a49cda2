#pragma once

// Internal to adapters/http.

#include <string>
#include <string_view>

#include "adapters/http/http_types.hpp"

namespace roombus::http {

/// "Not Found" for 404; "Status" for a number without a name here.
[[nodiscard]] std::string_view reason_phrase(unsigned status);

/// Whether a response of this status may have a body (not 1xx, 204, 304).
[[nodiscard]] bool may_have_body(unsigned status);

/// Status line and header fields up to the empty line. Fields that the server owns (Content-Length, Date, Connection,
/// Transfer-Encoding) are left out of `r.headers`, and control characters in names and values become spaces, so that no
/// handler can be made to write a second response.
[[nodiscard]] std::string response_head(const response& r, std::size_t body_size, const std::string& date, bool close);
/// The same for a body whose length is not known: in chunks, or (HTTP/1.0) up to the end of the connection.
[[nodiscard]] std::string stream_head(const response& r, const std::string& date, bool chunked);

}  // namespace roombus::http
