#pragma once

// The open event streams (Server-Sent Events) of the server API. Source: HTML standard, "Server-sent events".

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/http/http_types.hpp"
#include "core/ports/environment.hpp"

namespace roombus::admin {

struct stream_limits {
  std::size_t max_streams = 100;                ///< of all kinds together
  std::size_t max_queue = 1024 * 1024;          ///< bytes that wait for one reader; it is closed when more would
  std::size_t kept_events = 256;                ///< operator events that a reader who comes back can still get
  std::chrono::milliseconds heartbeat{15'000};  ///< a comment to each reader, so that both notice a dead connection
};

/// One frame. `data` has no line breaks (JSON without white space); an `id` of 0 is left out.
[[nodiscard]] std::string sse_frame(std::string_view name, std::uint64_t id, std::string_view data);

/// Keeps the streams, feeds them, and closes those who read too slowly. Belongs to the core's one thread.
class event_streams {
 public:
  event_streams(stream_limits limits, scheduler& timers) : limits_(limits), timers_(timers) {}
  ~event_streams();
  event_streams(const event_streams&) = delete;
  event_streams& operator=(const event_streams&) = delete;

  [[nodiscard]] bool is_full() const { return streams_.size() >= limits_.max_streams; }
  [[nodiscard]] std::size_t size() const { return streams_.size(); }
  /// Keeps a stream and answers its number. `ended` runs once when it is gone, however that came; a turn later when we
  /// closed it ourselves.
  std::uint64_t add(std::shared_ptr<http::response_stream> stream, std::function<void()> ended);
  /// Sends one frame; nothing happens for a stream that is gone.
  void send(std::uint64_t number, std::string_view frame);
  void close(std::uint64_t number);

 private:
  struct entry {
    std::shared_ptr<http::response_stream> stream;
    std::function<void()> ended;
  };
  void let_go(std::uint64_t number);
  void beat();

  stream_limits limits_;
  scheduler& timers_;
  std::map<std::uint64_t, entry> streams_;
  std::uint64_t last_number_ = 0;
  timer_handle heartbeat_;
  bool beating_ = false;
  std::shared_ptr<bool> alive_ =
      std::make_shared<bool>(true);  // shared with callbacks that may come later than our end
};

/// The last operator events as frames, for readers who come back with the id of the last one they saw.
class event_history {
 public:
  /// `first_id`: where ids begin; from the wall clock, so that ids of a restarted instance are higher.
  event_history(std::size_t kept, std::uint64_t first_id) : kept_(kept), last_id_(first_id) {}

  /// Keeps an event and answers its frame.
  const std::string& add(std::string_view name, std::string_view data);
  /// Calls `fn` with the kept frames above `id`, in order.
  void since(std::uint64_t id, const std::function<void(std::string_view)>& fn) const;

 private:
  struct entry {
    std::uint64_t id;
    std::string frame;
  };
  std::size_t kept_;
  std::uint64_t last_id_;
  std::deque<entry> entries_;
};

}  // namespace roombus::admin
