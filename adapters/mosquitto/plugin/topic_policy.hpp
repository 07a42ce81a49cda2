#pragma once

// The table of topics as access rights, as the plugin names it: the same for every broker that asks us.

#include "schemas/topics/client_ids.hpp"
#include "schemas/topics/topic_policy.hpp"

namespace roombus::plugin {

using topics::client_ids;
using topics::decision;
using topics::is_name_level;
using topics::may_connect_as;
using topics::role;
using topics::topic_policy;
using topics::verdict;

}  // namespace roombus::plugin
