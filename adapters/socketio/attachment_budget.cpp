#include "adapters/socketio/attachment_budget.hpp"

#include <algorithm>

#include "schemas/codec/cbor.hpp"

namespace roombus::socketio {

namespace {

/// How many messages fit, counted from one end.
template <class Iterator>
std::ptrdiff_t fitting(Iterator first, Iterator last, std::size_t most) {
  std::size_t used = 0;
  Iterator it = first;
  for (; it != last; ++it) {
    used += cbor::count_bytes(*it);
    if (used > most && it != first) break;
  }
  return it - first;
}

}  // namespace

void keep_within_attachments(std::string_view command, value_list& results, std::size_t most) {
  const bool recent = command == "roomRecentHistory";
  value_list* messages = nullptr;
  if (recent || command == "roomHistoryGet") {
    if (!results.empty()) messages = results.front().if_list();
  } else if (command == "roomJoin" && results.size() > 1) {
    value_map* extra = results[1].if_map();
    value* found = extra != nullptr ? extra->find("messages") : nullptr;
    if (found != nullptr) messages = found->if_list();
  }
  if (messages == nullptr || messages->size() < 2) return;
  if (recent) {
    messages->erase(messages->begin() + fitting(messages->begin(), messages->end(), most), messages->end());
  } else {
    messages->erase(messages->begin(), messages->end() - fitting(messages->rbegin(), messages->rend(), most));
  }
}

}  // namespace roombus::socketio
