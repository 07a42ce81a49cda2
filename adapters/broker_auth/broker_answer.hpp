#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "adapters/broker_auth/broker_question.hpp"
#include "adapters/http/http_types.hpp"

namespace roombus::broker_auth {

/// What was decided about a question.
struct verdict {
  verdict() = default;
  std::vector<bool> allowed;                  ///< one for each topic; a single one for other questions
  bool is_bridge = false;                     ///< of a login
  std::optional<std::int64_t> expires_at_ms;  ///< of a login
};

/// The answer as the broker reads it: always 200, since they take other codes for "ask the next one".
[[nodiscard]] http::response answer_for(broker to, const question& q, const verdict& v);
/// The same for a request that is none of theirs: no.
[[nodiscard]] http::response refusal_for(broker to);

}  // namespace roombus::broker_auth
