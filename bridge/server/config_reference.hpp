#pragma once

#include <string>

namespace roombus::server {

/// The answer to --help.
[[nodiscard]] std::string help_text();

/// All keys as Markdown tables: the generated part of docs/configuration.md.
[[nodiscard]] std::string config_reference();

}  // namespace roombus::server
