#include "core/cluster/room_feed.hpp"

#include <utility>

namespace roombus {

std::vector<entry_ptr> room_feed::start(std::uint64_t position, std::string epoch) {
  started_ = true;
  position_ = position;
  epoch_ = std::move(epoch);
  held_.erase(held_.begin(), held_.upper_bound(position));
  std::erase_if(held_, [this](const auto& item) { return item.second->entry().epoch != epoch_; });
  return drain();
}

std::vector<entry_ptr> room_feed::offer(entry_ptr entry) {
  const std::uint64_t sequence = entry->entry().sequence;
  if (started_ && entry->entry().epoch != epoch_) {
    foreign_epoch_ = true;
    return {};
  }
  if (started_ && sequence <= position_) return {};
  const bool is_next = started_ && sequence == position_ + 1;
  if (held_.size() >= max_held_ && !is_next && !held_.contains(sequence)) {
    broken_ = true;
    return {};
  }
  held_.emplace(sequence, std::move(entry));
  if (!started_) return {};
  return drain();
}

std::vector<entry_ptr> room_feed::drain() {
  std::vector<entry_ptr> out;
  while (!held_.empty() && held_.begin()->first == position_ + 1) {
    out.push_back(std::move(held_.begin()->second));
    held_.erase(held_.begin());
    ++position_;
  }
  return out;
}

}  // namespace roombus
