#pragma once

// The table of topics as access rights, as the plugin names it: the same for every broker that asks us.

#include "schemas/topics/topic_policy.hpp"

namespace roombus::plugin {

using topics::decision;
using topics::is_name_level;
using topics::role;
using topics::topic_policy;
using topics::verdict;

}  // namespace roombus::plugin
