#pragma once

#include <string>

namespace roombus::server {

/// Method table of the server API as Markdown, as in docs/server-api.md.
[[nodiscard]] std::string api_reference();
/// The server API over HTTP as OpenAPI 3.1 (YAML), as in schemas/openapi.yaml.
[[nodiscard]] std::string openapi();

}  // namespace roombus::server
