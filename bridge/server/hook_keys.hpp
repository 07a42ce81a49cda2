#pragma once

#include <vector>

#include "bridge/server/config_key.hpp"

namespace roombus::server {

/// Adds the keys of [hooks.http] and [hooks.mqtt].
void add_hook_keys(std::vector<config_key<config>>& all);
/// Adds mqtt.hook_workers.
void add_hook_worker_key(std::vector<config_key<config>>& all);

}  // namespace roombus::server
