#include "adapters/admin/event_streams.hpp"

#include <utility>
#include <vector>

namespace roombus::admin {

std::string sse_frame(std::string_view name, std::uint64_t id, std::string_view data) {
  std::string out;
  out.reserve(name.size() + data.size() + 40);
  if (id != 0) out.append("id: ").append(std::to_string(id)).append("\n");
  out.append("event: ").append(name).append("\ndata: ").append(data).append("\n\n");
  return out;
}

event_streams::~event_streams() {
  *alive_ = false;
  for (auto& [number, e] : streams_)
    e.stream->close();
}

std::uint64_t event_streams::add(std::shared_ptr<http::response_stream> stream, std::function<void()> ended) {
  const std::uint64_t number = ++last_number_;
  stream->on_close([this, alive = alive_, number] {
    if (*alive) let_go(number);
  });
  streams_.emplace(number, entry{std::move(stream), std::move(ended)});
  if (!beating_) beat();
  return number;
}

void event_streams::send(std::uint64_t number, std::string_view frame) {
  auto it = streams_.find(number);
  if (it == streams_.end()) return;
  if (it->second.stream->queued_bytes() + frame.size() > limits_.max_queue) return close(number);
  it->second.stream->write(frame);
}

void event_streams::close(std::uint64_t number) {
  auto it = streams_.find(number);
  if (it == streams_.end()) return;
  entry gone = std::move(it->second);
  streams_.erase(it);
  gone.stream->close();
  // posted: `ended` may take back the watch within whose call we are
  timers_.post([alive = alive_, ended = std::move(gone.ended)] {
    if (*alive && ended) ended();
  });
}

void event_streams::let_go(std::uint64_t number) {
  auto it = streams_.find(number);
  if (it == streams_.end()) return;
  const entry gone = std::move(it->second);
  streams_.erase(it);
  if (gone.ended) gone.ended();
}

void event_streams::beat() {
  beating_ = !streams_.empty();
  if (!beating_) return;
  heartbeat_ = timers_.after(limits_.heartbeat, [this] {
    std::vector<std::uint64_t> all;
    for (const auto& [number, e] : streams_)
      all.push_back(number);
    for (const std::uint64_t number : all)
      send(number, ": alive\n\n");
    beat();
  });
}

const std::string& event_history::add(std::string_view name, std::string_view data) {
  ++last_id_;
  entries_.push_back({last_id_, sse_frame(name, last_id_, data)});
  if (entries_.size() > kept_) entries_.pop_front();
  return entries_.back().frame;
}

void event_history::since(std::uint64_t id, const std::function<void(std::string_view)>& fn) const {
  for (const entry& e : entries_) {
    if (e.id > id) fn(e.frame);
  }
}

}  // namespace roombus::admin
