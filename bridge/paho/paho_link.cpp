#include "bridge/paho/paho_link.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <utility>

#include "bridge/paho/job_thread.hpp"
#include "bridge/paho/paho_inbox.hpp"
#include "bridge/paho/paho_session.hpp"
#include "bridge/paho/subscription_book.hpp"

namespace roombus::mqtt {

namespace {

constexpr std::size_t max_topic = 65535;
constexpr std::size_t packet_overhead = 64;  ///< fixed header, lengths and packet id, generously
/// Paho copies what it gets, and never frees what it has not sent yet when its client is destroyed: this bounds both.
constexpr std::size_t max_handed_bytes = 4U << 20U;
constexpr std::size_t max_requests = 500;  ///< subscriptions under way at a time: Paho searches lists of them
constexpr auto steady_after = std::chrono::seconds(5);  ///< a connection that lived so long starts the back-off anew

bool is_topic_name(const std::string& topic) {
  return !topic.empty() && topic.size() <= max_topic &&
         topic.find_first_of(std::string_view("+#\0", 3)) == std::string::npos;
}

std::size_t weight(const outgoing_message& m) {
  return m.topic.size() + (m.payload ? m.payload->size() : 0) + (m.content_type ? m.content_type->size() : 0) +
         (m.correlation_data ? m.correlation_data->size() : 0) + (m.response_topic ? m.response_topic->size() : 0);
}

/// The link's state; the core's thread only. Shared, so that a callback may destroy the link.
class link_core : public std::enable_shared_from_this<link_core> {
 public:
  using done_handler = std::function<void(publish_outcome)>;

  link_core(paho_options o, scheduler& l, random_source& r, log_sink& s, metrics_registry& metrics)
      : options_(std::move(o)),
        loop_(l),
        random_(r),
        log_(s),
        connects_(metrics.add_counter("roombus_mqtt_connects_total", "Times the link to the broker came up.")),
        received_(metrics.add_counter("roombus_mqtt_received_total", "Messages received from the broker.")),
        received_dropped_(metrics.add_counter("roombus_mqtt_received_dropped_total",
                                              "Received messages that found their queue full.")),
        published_(metrics.add_counter("roombus_mqtt_published_total", "Messages published, acknowledged at QoS 1.")),
        refused_(metrics.add_counter("roombus_mqtt_publish_refused_total", "Messages that the broker refused.")),
        dropped_(metrics.add_counter("roombus_mqtt_publish_dropped_total",
                                     "Messages not sent or not acknowledged: link down, lost, or its queue full.")),
        window_(options_.max_inflight),
        book_(options_.clean_start, max_requests) {}

  void open(metrics_registry& metrics) {
    const std::weak_ptr<link_core> weak = weak_from_this();
    inbox_ = std::make_shared<paho_inbox>(
        loop_,
        [weak] {
          if (const auto self = weak.lock()) self->drain();
        },
        options_.max_inbox_bytes);
    metrics.add_gauge("roombus_mqtt_up", "1 while the link to the broker is up.", [weak] {
      const auto self = weak.lock();
      return self && self->is_up() ? 1.0 : 0.0;
    });
    metrics.add_gauge("roombus_mqtt_in_flight", "Messages published and not yet done.", [weak] {
      const auto self = weak.lock();
      return self ? static_cast<double>(self->in_flight()) : 0.0;
    });
  }

  void start(std::vector<subscription> subscriptions, link_handlers handlers) {
    book_.set_base(std::move(subscriptions));
    on_ = std::make_shared<const link_handlers>(std::move(handlers));
    delay_ = options_.first_delay;
    jobs_.run([anchor = anchor_] { anchor->hold(); });
    attempt();
  }

  [[nodiscard]] bool is_up() const { return phase_ == phase::up; }
  [[nodiscard]] std::size_t in_flight() const { return queue_.size() + handed_.size(); }

  [[nodiscard]] bool is_busy() const {
    return in_flight() > options_.max_queue_messages / 2 || bytes_ > options_.max_queue_bytes / 2;
  }

  void publish(outgoing_message message, done_handler done) {
    const std::size_t size = weight(message);
    if (!is_topic_name(message.topic) || size + packet_overhead > max_packet_) {
      return finish_later(publish_outcome::refused, std::move(done));
    }
    if (phase_ != phase::up || stopping_ || in_flight() >= options_.max_queue_messages ||
        bytes_ + size > options_.max_queue_bytes) {
      return finish_later(publish_outcome::dropped, std::move(done));
    }
    bytes_ += size;
    queue_.push_back(queued{std::move(message), std::move(done), size});
    pump();
    if (!fences_.empty() && in_flight() == 0) later([this] { pass_fences(); });
  }

  void fence(std::function<void()> passed) {
    if (in_flight() == 0) return passed();
    fences_.emplace(last_id_ + queue_.size(), std::move(passed));
  }

  void subscribe(subscription wanted, std::function<void(bool)> done) {
    if (!done) done = [](bool) {};
    std::optional<bool> known = false;
    if (!stopping_) known = book_.add(std::move(wanted), done);
    if (known) return later([done = std::move(done), answer = *known] { done(answer); });
    pump_subscriptions();
  }

  void unsubscribe(const std::string& filter) {
    for (auto& done : book_.remove(filter))
      later([done = std::move(done)] { done(false); });
    pump_subscriptions();
  }

  void stop(std::chrono::milliseconds limit, std::function<void()> stopped) {
    stopping_ = true;
    stopped_ = std::move(stopped);
    retry_.cancel();
    limit_ = loop_.after(limit, [self = weak_from_this()] {
      if (const auto core = self.lock()) core->stop_now("the limit is over");
    });
    if (phase_ == phase::up && in_flight() > 0) return;  // `drain` goes on when all is done
    begin_close();
  }

  /// The owner goes: no callback any more.
  void abandon() {
    gone_ = true;
    phase_ = phase::down;
    inbox_->close();
    retry_.cancel();
    limit_.cancel();
    attempt_limit_.cancel();
    on_ = std::make_shared<const link_handlers>();
    queue_.clear();
    handed_.clear();
    fences_.clear();
    (void)book_.clear();
    close_session();
    release_anchor();
  }

 private:
  enum class phase : std::uint8_t { down, connecting, subscribing, up };

  struct queued {
    outgoing_message message;
    done_handler done;
    std::size_t size;
  };
  struct handed {
    done_handler done;
    std::size_t size;
  };

  // ---- connecting

  void attempt() {
    if (!jobs_.idle() && attempts_ > 0) return retry_later();  // a call of Paho hangs (name service): one is enough
    phase_ = phase::connecting;
    session_ = std::make_shared<paho_session>(options_, ++attempts_, inbox_);
    jobs_.run([session = session_] { session->connect(); });
    limit_attempt();
  }

  void limit_attempt() {
    attempt_limit_ = loop_.after(options_.connect_timeout, [self = weak_from_this()] {
      if (const auto core = self.lock()) core->go_down("no answer in time");
    });
  }

  void retry_later() {
    std::array<std::uint8_t, 2> bytes{};
    random_.fill(bytes);
    const auto part = static_cast<std::int64_t>(bytes[0]) * 256 + bytes[1];  // of 65536
    const auto wait = delay_ / 2 + std::chrono::milliseconds(delay_.count() / 2 * part / 65536);
    delay_ = std::min(delay_ * 2, options_.longest_delay);
    retry_ = loop_.after(wait, [self = weak_from_this()] {
      if (const auto core = self.lock()) core->attempt();
    });
  }

  /// The attempt failed, or the connection is lost.
  void go_down(const std::string& reason) {
    const bool was_up = phase_ == phase::up;
    if (was_up && std::chrono::steady_clock::now() - up_since_ >= steady_after) delay_ = options_.first_delay;
    phase_ = phase::down;
    attempt_limit_.cancel();
    close_session();
    book_.disconnected();
    log_.write(log_level::warning, was_up ? "mqtt_lost" : "mqtt_connect_failed", options_.uri + ": " + reason);
    drop_all();
    if (gone_) return;
    if (stopping_) return begin_close();
    retry_later();
    const auto on = on_;  // kept: the callback may destroy the link
    if (was_up && on->on_down) on->on_down(reason);
  }

  void connected(const paho_event& event) {
    phase_ = phase::subscribing;
    window_ = std::max<std::size_t>(1, std::min(options_.max_inflight, event.receive_maximum));
    max_packet_ = event.max_packet;
    jobs_.run([session = session_] { session->prepare(); });
  }

  void ready() {
    book_.connected();
    pump_subscriptions();
    if (book_.is_settled()) subscribed();
  }

  void pump_subscriptions() {
    if (!session_) return;
    std::vector<paho_request> next = book_.take();
    if (next.empty()) return;
    jobs_.run([session = session_, next = std::move(next)] { session->request(next); });
    if (phase_ == phase::subscribing) limit_attempt();  // there may be very many
  }

  void answered(const paho_event& event) {
    subscription_book::outcome end = book_.answered(event.request, event.refused);
    if (event.refused && !end.filter.empty()) {
      if (end.fatal) return go_down("subscription to " + end.filter + " refused: " + event.text);
      log_.write(log_level::warning, "mqtt_subscription_refused", end.filter + ": " + event.text);
    }
    for (auto& done : end.waiting) {
      if (!gone_) done(!event.refused);
    }
    if (gone_) return;
    pump_subscriptions();
    if (phase_ == phase::subscribing && book_.is_settled()) subscribed();
  }

  void subscribed() {
    phase_ = phase::up;
    attempt_limit_.cancel();
    up_since_ = std::chrono::steady_clock::now();
    connects_.add();
    log_.write(log_level::info, "mqtt_connected", options_.uri);
    std::vector<received_message> early = std::exchange(early_, {});
    early_bytes_ = 0;
    const auto on = on_;
    if (on->on_up) on->on_up();
    for (received_message& m : early) {
      if (gone_) return;
      if (on->on_message) on->on_message(std::move(m));
    }
  }

  void close_session() {
    if (!session_) return;
    jobs_.run([session = std::exchange(session_, nullptr)] { session->close(); });
  }

  void release_anchor() {
    jobs_.run([anchor = std::exchange(anchor_, nullptr)] {
      if (anchor) anchor->release();
    });
  }

  // ---- publishing

  void pump() {
    while (phase_ == phase::up && !queue_.empty() && handed_.size() < window_ &&
           (handed_.empty() || handed_bytes_ + queue_.front().size <= max_handed_bytes)) {
      queued next = std::move(queue_.front());
      queue_.pop_front();
      const std::uint64_t id = ++last_id_;
      const auto at_once = session_->publish(id, next.message);
      if (at_once) {
        bytes_ -= next.size;
        finish_later(*at_once, std::move(next.done));
      } else {
        handed_bytes_ += next.size;
        handed_.emplace_hint(handed_.end(), id, handed{std::move(next.done), next.size});
      }
    }
  }

  /// Messages are handed over in the order of their numbers, and done in any.
  void pass_fences() {
    const std::uint64_t oldest = handed_.empty() ? last_id_ + 1 : handed_.begin()->first;
    while (!fences_.empty() && fences_.begin()->first < oldest && !gone_) {
      const auto passed = std::move(fences_.begin()->second);
      fences_.erase(fences_.begin());
      passed();
    }
  }

  void count(publish_outcome outcome) {
    switch (outcome) {
      case publish_outcome::done:
        return published_.add();
      case publish_outcome::refused:
        return refused_.add();
      case publish_outcome::dropped:
        return dropped_.add();
    }
  }

  /// Never from within `publish`: callers do not expect to be called back there.
  void finish_later(publish_outcome outcome, done_handler done) {
    count(outcome);
    if (done) later([done = std::move(done), outcome] { done(outcome); });
  }

  void later(std::function<void()> call) {
    finished_.push_back(std::move(call));
    if (finished_.size() > 1) return;
    loop_.post([self = weak_from_this()] {
      const auto core = self.lock();
      if (!core) return;
      for (auto& finished : std::exchange(core->finished_, {})) {
        if (!core->gone_) finished();
      }
    });
  }

  void drop_all() {
    std::vector<done_handler> calls;
    for (auto& [id, h] : handed_)
      calls.push_back(std::move(h.done));
    for (queued& q : queue_)
      calls.push_back(std::move(q.done));
    handed_.clear();
    last_id_ += queue_.size();
    queue_.clear();
    bytes_ = 0;
    handed_bytes_ = 0;
    for (done_handler& call : calls) {
      dropped_.add();
      if (call && !gone_) call(publish_outcome::dropped);
    }
    pass_fences();
  }

  // ---- what Paho's threads reported

  void drain() {
    if (gone_) return;
    const auto self = shared_from_this();
    paho_inbox::batch batch = std::move(spare_);
    inbox_->take(batch);
    if (batch.dropped > 0) {
      received_dropped_.add(batch.dropped);
      log_.write(log_level::error, "mqtt_inbox_full", std::to_string(batch.dropped) + " received messages dropped");
    }
    for (const paho_completion& c : batch.completions) {
      const auto found = handed_.find(c.id);
      if (found == handed_.end()) continue;  // dropped already, with its connection
      const done_handler done = std::move(found->second.done);
      bytes_ -= found->second.size;
      handed_bytes_ -= found->second.size;
      handed_.erase(found);
      count(c.outcome);
      if (done) done(c.outcome);
      if (gone_) return;
    }
    for (paho_event& event : batch.events) {
      handle(event);
      if (gone_) return;
    }
    pump();
    pass_fences();
    if (gone_) return;
    if (stopping_ && !closing_ && in_flight() == 0) begin_close();
    batch.completions.clear();
    batch.events.clear();
    spare_ = std::move(batch);
  }

  void handle(paho_event& event) {
    if (event.what == paho_event::kind::message) return receive(std::move(event.message));  // of whatever connection
    if (event.what == paho_event::kind::closed) {
      if (closing_ && event.attempt == attempts_) stop_now({});
      return;
    }
    if (event.attempt != attempts_ || !session_) return;
    switch (event.what) {
      case paho_event::kind::connected:
        if (phase_ == phase::connecting) connected(event);
        return;
      case paho_event::kind::ready:
        if (phase_ == phase::subscribing) ready();
        return;
      case paho_event::kind::answered:
        return answered(event);
      case paho_event::kind::failed:
      case paho_event::kind::lost:
        return go_down(event.text);
      case paho_event::kind::closed:
      case paho_event::kind::message:
        return;
    }
  }

  void receive(received_message message) {
    received_.add();
    if (phase_ == phase::up) {
      const auto on = on_;
      if (on->on_message) on->on_message(std::move(message));
      return;
    }
    // a session that the broker kept delivers before we are up; acknowledged already, so it must not be lost
    const std::size_t size = mqtt::weight(message);
    if (early_bytes_ + size > options_.max_inbox_bytes) return received_dropped_.add();
    early_bytes_ += size;
    early_.push_back(std::move(message));
  }

  // ---- stopping

  void begin_close() {
    if (std::exchange(closing_, true)) return;
    phase_ = phase::down;
    attempt_limit_.cancel();
    if (session_) {
      close_session();  // `closed` comes
    } else {
      loop_.post([self = weak_from_this()] {
        if (const auto core = self.lock()) core->stop_now({});
      });
    }
  }

  void stop_now(const std::string& reason) {
    if (gone_ || !stopped_) return;
    limit_.cancel();
    if (!reason.empty()) log_.write(log_level::warning, "mqtt_stopped_early", reason);
    closing_ = true;
    phase_ = phase::down;
    attempt_limit_.cancel();
    close_session();
    release_anchor();
    drop_all();
    for (auto& done : book_.clear()) {
      if (!gone_) done(false);
    }
    if (gone_) return;
    on_ = std::make_shared<const link_handlers>();
    const auto call = std::exchange(stopped_, nullptr);
    call();
  }

  const paho_options options_;
  scheduler& loop_;
  random_source& random_;
  log_sink& log_;
  counter& connects_;
  counter& received_;
  counter& received_dropped_;
  counter& published_;
  counter& refused_;
  counter& dropped_;

  std::shared_ptr<const link_handlers> on_ = std::make_shared<link_handlers>();  // shared with the calls under way
  phase phase_ = phase::down;
  bool gone_ = false;
  bool stopping_ = false;
  bool closing_ = false;
  std::uint64_t attempts_ = 0;
  std::chrono::milliseconds delay_{0};
  std::chrono::steady_clock::time_point up_since_;

  std::deque<queued> queue_;                                    // waits for the window
  std::map<std::uint64_t, handed> handed_;                      // with Paho, by number
  std::multimap<std::uint64_t, std::function<void()>> fences_;  // by the last number before them
  std::uint64_t last_id_ = 0;
  std::size_t window_;
  std::size_t max_packet_ = 268435455;
  std::size_t bytes_ = 0;         // of both
  std::size_t handed_bytes_ = 0;  // with Paho
  subscription_book book_;
  std::vector<std::function<void()>> finished_;
  std::vector<received_message> early_;
  std::size_t early_bytes_ = 0;
  paho_inbox::batch spare_;

  timer_handle retry_;
  timer_handle attempt_limit_;
  timer_handle limit_;
  std::function<void()> stopped_;
  std::shared_ptr<paho_inbox> inbox_;                                      // shared with the sessions
  std::shared_ptr<paho_anchor> anchor_ = std::make_shared<paho_anchor>();  // shared with its jobs
  std::shared_ptr<paho_session> session_;  // shared with its jobs; null while there is none
  job_thread jobs_;                        // goes first, and waits
};

class paho_link final : public mqtt_link {
 public:
  explicit paho_link(std::shared_ptr<link_core> core) : core_(std::move(core)) {}
  ~paho_link() override { core_->abandon(); }

  void start(std::vector<subscription> subscriptions, link_handlers handlers) override {
    core_->start(std::move(subscriptions), std::move(handlers));
  }
  void publish(outgoing_message message, std::function<void(publish_outcome)> done) override {
    core_->publish(std::move(message), std::move(done));
  }
  void fence(std::function<void()> passed) override { core_->fence(std::move(passed)); }
  void subscribe(subscription wanted, std::function<void(bool)> done) override {
    core_->subscribe(std::move(wanted), std::move(done));
  }
  void unsubscribe(const std::string& filter) override { core_->unsubscribe(filter); }
  [[nodiscard]] bool is_up() const override { return core_->is_up(); }
  [[nodiscard]] std::size_t in_flight() const override { return core_->in_flight(); }
  [[nodiscard]] bool is_busy() const override { return core_->is_busy(); }
  void stop(std::chrono::milliseconds limit, std::function<void()> stopped) override {
    core_->stop(limit, std::move(stopped));
  }

 private:
  std::shared_ptr<link_core> core_;
};

}  // namespace

std::unique_ptr<mqtt_link> make_paho_link(paho_options options, scheduler& loop, random_source& random, log_sink& log,
                                          metrics_registry& metrics) {
  auto core = std::make_shared<link_core>(std::move(options), loop, random, log, metrics);
  core->open(metrics);
  return std::make_unique<paho_link>(std::move(core));
}

}  // namespace roombus::mqtt
