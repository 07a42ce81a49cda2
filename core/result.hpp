#pragma once

#include <boost/system/result.hpp>

#include "core/chat_error.hpp"

namespace roombus {

/// A value, or the error that clients, hooks and operators get to see.
template <class T>
using result = boost::system::result<T, chat_error>;

}  // namespace roombus
