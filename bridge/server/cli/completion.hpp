#pragma once

#include <string>
#include <string_view>

namespace roombus::server {

/// The completion script for "bash", "zsh" or "fish"; "" for any other shell.
[[nodiscard]] std::string completion_script(std::string_view shell);

}  // namespace roombus::server
