#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "core/chat_error.hpp"
#include "core/ports/environment.hpp"
#include "core/task.hpp"

namespace roombus::socketio {

/// How many logins may be checked, and how many may wait for it. Of an address: see http/address_key.hpp.
struct login_bounds {
  std::size_t running = 64;
  std::size_t running_per_address = 16;  ///< 0: no bound (a proxy may stand before us)
  std::size_t waiting = 10'000;
  std::size_t waiting_per_address = 1'000;         ///< 0: no bound
  std::chrono::milliseconds longest_wait{30'000};  ///< then the login is `unavailable`
};

/// One login's place: from the moment it asks until it was checked.
class login_place {
 public:
  virtual ~login_place() = default;
  /// Complete when the login may be checked, or with why it will not be: rate_limited (its address has too many),
  /// unavailable (too many in all, or it waited too long).
  [[nodiscard]] virtual completion<std::optional<errc>> turn() const = 0;
  /// The client has gone: a login that waits gets its turn with `unavailable`; one that runs is not touched.
  virtual void withdraw() = 0;
};

/// Lets in as many logins at a time as may be: a login costs strangers nothing, and us a hook call or a slow hash.
/// Addresses take turns, so that one that asks for many does not hold up others. Belongs to the core's one thread.
class login_gate {
 public:
  login_gate(login_bounds bounds, scheduler& timers);

  /// A place for a login from `address`; letting go of it ends the login. With nobody before it, its turn is there.
  [[nodiscard]] std::shared_ptr<login_place> enter(std::string_view address);

  struct figures {
    std::size_t running = 0;
    std::size_t waiting = 0;
  };
  /// Reads the figures, also when the gate is gone.
  [[nodiscard]] std::function<figures()> reader() const;

 private:
  class impl;
  class place;
  std::shared_ptr<impl> impl_;  // shared with the places, which may outlive the gate
};

}  // namespace roombus::socketio
