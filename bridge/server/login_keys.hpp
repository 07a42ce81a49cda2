#pragma once

#include <vector>

#include "bridge/server/config_key.hpp"

namespace roombus::server {

/// The keys of [auth] that are about tokens and passwords, those of [auth.jwt] and of [auth.password].
void add_login_keys(std::vector<config_key<config>>& all);

}  // namespace roombus::server
