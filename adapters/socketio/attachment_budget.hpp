#pragma once

#include <cstddef>
#include <string_view>

#include "core/value.hpp"

namespace roombus::socketio {

/// Shortens an answer of a command that reads history, so that its byte strings are at most `most`: the parsers of
/// socket.io clients drop the connection of a packet with more than ten attachments. What is left out is what the
/// client asks for next: the newest messages of an answer that begins after an id (roomHistoryGet, roomJoin), the
/// oldest of the recent ones. One message always stays. Other commands' results are left alone.
void keep_within_attachments(std::string_view command, value_list& results, std::size_t most);

}  // namespace roombus::socketio
