#include "bridge/cluster/room_output.hpp"

#include <optional>

#include "bridge/mqtt/device_publisher.hpp"

namespace roombus::mqtt {

namespace {

struct inbox {
  wire format = wire::json;
  std::string_view user;
  std::string_view client;
};

/// Reads "json mqtt#user/client" or "cbor …".
std::optional<inbox> parse_inbox(std::string_view text) {
  constexpr std::string_view kind = "mqtt#";
  inbox out;
  if (text.starts_with("cbor ")) {
    out.format = wire::cbor;
  } else if (!text.starts_with("json ")) {
    return std::nullopt;
  }
  text.remove_prefix(5);
  if (!text.starts_with(kind)) return std::nullopt;
  text.remove_prefix(kind.size());
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  out.user = text.substr(0, slash);
  out.client = text.substr(slash + 1);
  return out;
}

}  // namespace

room_output::room_output(room_output_options options, environment env)
    : options_(std::move(options)),
      topics_(options_.prefix, options_.profile, options_.max_topic),
      env_(env),
      published_(env.metrics.add_counter("roombus_room_published_total",
                                         "Messages published to devices for rooms that several instances share.")),
      dropped_(env.metrics.add_counter("roombus_room_dropped_total",
                                       "The same that the broker did not acknowledge; they are published again.")),
      undeliverable_(env.metrics.add_counter("roombus_room_undeliverable_total",
                                             "The same that the broker refused, or whose topic is too long.")) {
  env.metrics.add_gauge("roombus_room_waiting", "Room notifications that wait to be handed to the broker.",
                        [this, alive = std::weak_ptr<bool>(alive_)] {
                          return alive.expired() ? 0.0 : static_cast<double>(waiting_.size());
                        });
}

room_output::~room_output() = default;

void room_output::publish(const room_name& room, const shared_event& e, const room_audience& audience,
                          std::function<void(bool sent)> done) {
  if (!env_.link.is_up() || waiting_.size() >= options_.max_waiting) {
    dropped_.add();
    if (done) env_.timers.post([done = std::move(done)] { done(false); });
    return;
  }
  auto c = std::make_shared<call>(room);
  c->event = e;
  c->done = std::move(done);
  for (const auto& [format, wanted] :
       {std::pair(wire::json, audience.shared_json), {wire::cbor, audience.shared_cbor}}) {
    if (wanted) c->shared.emplace_back(format, topics_.room_event(room, format, e->name()));
  }
  c->inboxes = shared_inboxes(room, audience);
  waiting_.push_back(std::move(c));
  pump();
}

/// One copy for all calls with the same audience; to compare is cheap beside publishing to each.
room_output::inboxes_ptr room_output::shared_inboxes(const room_name& room, const room_audience& audience) {
  static const auto nobody = std::make_shared<const std::vector<std::string>>();
  constexpr std::size_t most = 1000;
  if (audience.inboxes.empty()) return nobody;
  if (audience.version.empty()) return std::make_shared<const std::vector<std::string>>(audience.inboxes);
  auto it = audiences_.find(room);
  if (it == audiences_.end()) {
    if (audiences_.size() >= most) audiences_.clear();
    it = audiences_.try_emplace(room).first;
  }
  // the publisher applies what it sends to the audience, without another version
  if (it->second.first != audience.version || *it->second.second != audience.inboxes) {
    it->second = {audience.version, std::make_shared<const std::vector<std::string>>(audience.inboxes)};
  }
  return it->second.second;
}

void room_output::shut_out(const room_name& room, const std::vector<connection_id>& ids, const log_position& removal) {
  auto c = std::make_shared<call>(room);
  c->ids = ids;
  c->removal = removal;
  waiting_.push_back(std::move(c));
  pump();
}

bool room_output::has_room() const {
  if (open_ == 0) return !env_.link.is_busy();
  return open_ < options_.window && open_bytes_ < options_.window_bytes && !env_.link.is_busy();
}

void room_output::pump() {
  if (std::exchange(pumping_, true)) return;
  while (!waiting_.empty()) {
    const call_ptr c = waiting_.front();
    if (c->event == nullptr) {
      waiting_.pop_front();
      if (tell_shut_out_) tell_shut_out_(c->room, c->ids, c->removal);
      continue;
    }
    if (!env_.link.is_up()) c->failed = true;
    if (!c->failed && c->next < c->shared.size() + c->inboxes->size()) {
      if (!has_room()) break;
      publish_next(c);
      continue;
    }
    waiting_.pop_front();
    c->handed = true;
    if (c->open == 0 && c->done) {  // not from within a call
      env_.timers.post([done = std::exchange(c->done, nullptr), sent = !c->failed] { done(sent); });
    }
  }
  pumping_ = false;
  // with something of ours under way its end goes on, else a look now and then
  if (waiting_.empty() || open_ > 0 || std::exchange(looking_again_, true)) return;
  look_again_ = env_.timers.after(options_.busy_pause, [this] {
    looking_again_ = false;
    pump();
  });
}

void room_output::publish_next(const call_ptr& c) {
  const std::size_t at = c->next++;
  if (at < c->shared.size()) {
    return publish_one(c, std::move(c->shared[at].second), c->shared[at].first);
  }
  const std::string& text = (*c->inboxes)[at - c->shared.size()];
  const std::optional<inbox> to = parse_inbox(text);
  if (!to) return undeliverable("\"" + text + "\" is no device");
  std::string topic = topic_map::inbox_event(topics_.device_base(to->user, to->client), c->room, c->event->name());
  publish_one(c, std::move(topic), to->format);
}

void room_output::publish_one(const call_ptr& c, std::string topic, wire format) {
  if (topic.size() > options_.max_topic) return undeliverable("the topic is too long: " + topic.substr(0, 256));
  outgoing_message message = event_message(std::move(topic), format, *c->event);
  const std::size_t size = message.topic.size() + message.payload->size();
  ++c->open;
  ++open_;
  open_bytes_ += size;
  env_.link.publish(std::move(message), [this, c, size, alive = std::weak_ptr<bool>(alive_)](publish_outcome outcome) {
    if (!alive.expired()) ended(c, size, outcome);
  });
}

void room_output::ended(const call_ptr& c, std::size_t size, publish_outcome outcome) {
  const std::weak_ptr<bool> alive = alive_;
  --c->open;
  --open_;
  open_bytes_ -= size;
  switch (outcome) {
    case publish_outcome::done:
      published_.add();
      break;
    case publish_outcome::refused:
      undeliverable("the broker refuses " + std::string(c->event->name()) + " of room " + c->room.str());
      break;
    case publish_outcome::dropped:
      dropped_.add();
      if (!std::exchange(c->failed, true)) fail_room(c->room);
      break;
  }
  if (c->handed && c->open == 0) {
    if (const auto done = std::exchange(c->done, nullptr)) done(!c->failed);
    if (alive.expired()) return;
  }
  pump();
}

/// What waits behind a lost event must not overtake it.
void room_output::fail_room(const room_name& room) {
  for (const call_ptr& c : waiting_) {
    if (c->event != nullptr && c->room == room) c->failed = true;
  }
}

void room_output::undeliverable(const std::string& why) {
  undeliverable_.add();
  ++undeliverable_count_;
  if ((undeliverable_count_ & (undeliverable_count_ - 1)) != 0) return;  // the first, second, fourth …
  env_.log.write(log_level::error, "room_undeliverable", why);
}

}  // namespace roombus::mqtt
