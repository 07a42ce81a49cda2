#pragma once

#include "core/result.hpp"
#include "core/value.hpp"

namespace roombus {

/// The answer to a `batch` call of the server API with the texts of the errors in it: the core knows only their codes
/// and arguments. Any other reply comes back as it is.
[[nodiscard]] result<value_list> with_error_texts(result<value_list> reply);

}  // namespace roombus
