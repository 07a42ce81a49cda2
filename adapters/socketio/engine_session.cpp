#include "adapters/socketio/engine_session.hpp"

#include <algorithm>
#include <utility>

#include "adapters/socketio/engine_reply.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::socketio {
namespace {

using std::chrono::milliseconds;

constexpr std::uint16_t normal_closure = 1000;
constexpr std::size_t frame_overhead =
    64;  // what a waiting frame costs beside its bytes, so that empty ones are bounded too

std::string open_data(const std::string& sid, bool may_upgrade, const heartbeat& beat, std::size_t max_payload) {
  std::string out = "{\"sid\":";
  json::write_text(out, sid);
  out += may_upgrade ? ",\"upgrades\":[\"websocket\"]" : ",\"upgrades\":[]";
  out += ",\"pingInterval\":" + std::to_string(beat.interval.count());
  out += ",\"pingTimeout\":" + std::to_string(beat.timeout.count());
  out += ",\"maxPayload\":" + std::to_string(max_payload) + "}";
  return out;
}

}  // namespace

engine_session::engine_session(std::shared_ptr<engine_context> context, std::string sid, eio_version version,
                               bool base64, session_request first)
    : context_(std::move(context)),
      sid_(std::move(sid)),
      version_(version),
      poll_base64_(base64),
      ws_base64_(base64),
      first_(std::move(first)) {
  set_established(false);
}

engine_session::~engine_session() {
  set_established(true);
  leave_gauge();
}

void engine_session::set_established(bool established) {
  if (established == !half_open_) return;
  if (half_open_) {
    context_->half_open.erase(*half_open_);
    half_open_.reset();
  } else if (state_ == state::open) {
    half_open_ = context_->half_open.insert(context_->half_open.end(), this);
  }
}

const heartbeat& engine_session::beat() const {
  return version_ == eio_version::v3 ? context_->options.eio3 : context_->options.eio4;
}

// A client that counts interval + timeout from our answer must find the session gone, so we count a little less.
std::int64_t engine_session::slack() const {
  return std::min<std::int64_t>(20, beat().timeout.count() / 10);
}

void engine_session::start(std::shared_ptr<http::ws_connection> ws) {
  started_ = true;
  ws_ = std::move(ws);
  transport_ = ws_ ? engine_transport::websocket : engine_transport::polling;
  ++context_->metrics.open(transport_, version_);
  send(make_control_frame(engine_packet_type::open,
                          open_data(sid_, ws_ == nullptr, beat(), context_->options.max_payload)));
  const std::int64_t now = context_->time.steady_ms();
  arm(version_ == eio_version::v3 ? now + beat().interval.count() + beat().timeout.count() - slack()
                                  : now + beat().interval.count());
}

void engine_session::set_receiver(std::shared_ptr<session_receiver> receiver) {
  if (state_ == state::open) {
    receiver_ = std::move(receiver);
  } else if (receiver) {  // making it has ended the session
    context_->timers.post([receiver = std::move(receiver)] { receiver->on_end(session_end::server_close); });
  }
}

void engine_session::leave_gauge() {
  if (std::exchange(started_, false)) --context_->metrics.open(transport_, version_);
}

// ---- outgoing

void engine_session::send(http::shared_frame frame) {
  if (state_ != state::open) return;
  context_->metrics.packets_out.add();
  const engine_options& most = context_->options;
  if (ws_) {  // whose own bound holds for those who are established
    if (half_open_ && ws_->queued_bytes() > most.max_pending_half_open) return end_slow();
    send_on_websocket(std::move(frame));
    return;
  }
  pending_bytes_ += frame->bytes().size() + frame_overhead;
  pending_.push_back(std::move(frame));
  if (pending_bytes_ > (half_open_ ? std::min(most.max_pending, most.max_pending_half_open) : most.max_pending)) {
    return end_slow();
  }
  if (poll_) flush_soon();
}

void engine_session::end_slow() {
  context_->metrics.slow.add();
  end(session_end::slow);
}

void engine_session::send_on_websocket(http::shared_frame frame) {
  if (ws_base64_ && frame->kind() == http::frame_kind::binary && version_ == eio_version::v3) {
    ws_->send(to_base64_frame(*frame));
  } else {
    ws_->send(std::move(frame));
  }
}

// One answer for all that a turn sends.
void engine_session::flush_soon() {
  if (std::exchange(flush_posted_, true)) return;
  context_->timers.post([self = shared_from_this()] {
    self->flush_posted_ = false;
    if (self->poll_ && !self->pending_.empty()) self->flush();
  });
}

void engine_session::flush() {
  const auto frames = std::exchange(pending_, {});
  pending_bytes_ = 0;
  answer_poll(frames);
}

void engine_session::answer_poll(const std::vector<http::shared_frame>& frames) {
  const auto answer = std::exchange(poll_, nullptr);
  engine_payload payload = write_engine_payload(version_, poll_base64_, frames);
  http::response out;
  out.headers = std::exchange(poll_headers_, {});
  out.headers.emplace_back("Content-Type", payload.binary ? "application/octet-stream" : "text/plain; charset=UTF-8");
  out.headers.emplace_back("Cache-Control", "no-store");
  out.body = std::move(payload.body);
  answer->send(std::move(out));
}

void engine_session::answer_poll(engine_packet_type last) {
  auto frames = std::exchange(pending_, {});
  pending_bytes_ = 0;
  frames.push_back(make_control_frame(last));
  answer_poll(frames);
}

// ---- long-polling

void engine_session::on_get(const http::request& req, std::shared_ptr<http::responder> answer) {
  const auto keep = shared_from_this();
  const cors_policy& cors = context_->options.cors;
  if (ws_ || state_ == state::closed) {
    context_->metrics.count(bad_input::handshake);
    answer->send(refusal_response(engine_refusal::bad_request, cors, req));
    return;
  }
  if (poll_) {
    context_->metrics.count(bad_input::overlap);
    answer->send(refusal_response(engine_refusal::bad_request, cors, req));
    end(session_end::bad_input);
    return;
  }
  poll_ = std::move(answer);
  poll_headers_.clear();
  add_cors_headers(cors, req, poll_headers_);
  if (state_ == state::lingering) {
    answer_poll(last_packet_);
    release();
    return;
  }
  poll_->on_abort([weak = weak_from_this(), raw = poll_.get()] {
    const auto self = weak.lock();
    if (self && self->poll_.get() == raw) {
      self->poll_ = nullptr;
      self->end(session_end::transport_close);
    }
  });
  if (!pending_.empty()) {
    flush();
  } else if (probed_) {
    answer_poll(engine_packet_type::noop);  // the client waits for its last poll to end before it completes the upgrade
  }
}

void engine_session::on_post(const http::request& req, const std::shared_ptr<http::responder>& answer) {
  const auto keep = shared_from_this();
  const cors_policy& cors = context_->options.cors;
  if (ws_ || state_ != state::open) {
    context_->metrics.count(bad_input::handshake);
    answer->send(refusal_response(engine_refusal::bad_request, cors, req));
    return;
  }
  if (req.body.size() > context_->options.max_payload) {
    context_->metrics.count(bad_input::too_large);
    answer->send(refusal_response(engine_refusal::too_large, cors, req));
    return;
  }
  const bool binary = req.header("content-type").starts_with("application/octet-stream");
  const auto packets = read_engine_payload(version_, req.body, binary, context_->options.max_packets_per_body);
  if (!packets) {
    context_->metrics.count(bad_input::engine);
    answer->send(refusal_response(engine_refusal::bad_request, cors, req));
    end(session_end::bad_input);
    return;
  }
  http::response ok;
  ok.headers.emplace_back("Content-Type", "text/html");
  ok.headers.emplace_back("Cache-Control", "no-store");
  add_cors_headers(cors, req, ok.headers);
  ok.body = "ok";
  answer->send(std::move(ok));
  for (const auto& packet : *packets) {
    if (state_ != state::open) break;
    on_packet(packet.type, packet.binary, packet.data);
  }
}

// ---- incoming packets

void engine_session::on_packet(engine_packet_type type, bool binary, std::string_view data) {
  context_->metrics.packets_in.add();
  if (version_ == eio_version::v3) {  // anything from the client shows that it lives
    arm(context_->time.steady_ms() + beat().interval.count() + beat().timeout.count() - slack());
  }
  switch (type) {
    case engine_packet_type::message:
      if (!receiver_) return;
      if (binary) {
        receiver_->on_binary(data);
      } else {
        receiver_->on_text(data);
      }
      return;
    case engine_packet_type::ping:
      if (version_ == eio_version::v3) {
        send(make_control_frame(engine_packet_type::pong));
        return;
      }
      break;
    case engine_packet_type::pong:
      if (version_ == eio_version::v4) {
        awaiting_pong_ = false;
        arm(context_->time.steady_ms() + beat().interval.count());
        return;
      }
      break;
    case engine_packet_type::close:
      end(session_end::client_close);
      return;
    case engine_packet_type::upgrade:
    case engine_packet_type::noop:
      return;
    case engine_packet_type::open:
      break;
  }
  context_->metrics.count(bad_input::engine);
  end(session_end::bad_input);
}

// ---- WebSocket

void engine_session::begin_upgrade(std::shared_ptr<http::ws_connection> candidate, bool base64) {
  if (state_ != state::open || ws_ || probe_) {
    context_->metrics.count(bad_input::overlap);
    candidate->close(normal_closure, "");
    return;
  }
  probe_ = std::move(candidate);
  ws_base64_ = base64;
  probe_timer_ = context_->timers.after(context_->options.upgrade_timeout, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || !self->probe_) return;
    self->probed_ = false;
    std::exchange(self->probe_, nullptr)->close(normal_closure, "");
  });
}

void engine_session::on_ws_message(const http::ws_connection* from, http::frame_kind kind, std::string_view payload) {
  const auto keep = shared_from_this();
  if (state_ != state::open) return;
  if (probe_ && from == probe_.get()) {
    on_probe_message(kind, payload);
    return;
  }
  if (!ws_ || from != ws_.get()) return;
  std::string scratch;
  const auto packet = payload.size() > context_->options.max_payload
                          ? std::nullopt
                          : read_engine_frame(version_, kind, payload, scratch);
  if (!packet) {
    context_->metrics.count(bad_input::engine);
    end(session_end::bad_input);
    return;
  }
  on_packet(packet->type, packet->binary, packet->data);
}

void engine_session::on_probe_message(http::frame_kind kind, std::string_view payload) {
  if (kind == http::frame_kind::text && payload == "2probe") {
    probe_->send(make_control_frame(engine_packet_type::pong, "probe"));
    probed_ = true;
    if (poll_) answer_poll(engine_packet_type::noop);
    return;
  }
  if (kind == http::frame_kind::text && payload == "5" && probed_) {
    complete_upgrade();
    return;
  }
  context_->metrics.count(bad_input::engine);
  probed_ = false;
  probe_timer_.cancel();
  std::exchange(probe_, nullptr)->close(normal_closure, "");
}

void engine_session::complete_upgrade() {
  probe_timer_.cancel();
  probed_ = false;
  if (poll_) answer_poll(engine_packet_type::noop);
  leave_gauge();
  ws_ = std::exchange(probe_, nullptr);
  transport_ = engine_transport::websocket;
  started_ = true;
  ++context_->metrics.open(transport_, version_);
  context_->metrics.upgrades.add();
  pending_bytes_ = 0;
  for (auto& frame : std::exchange(pending_, {}))
    send_on_websocket(std::move(frame));
}

void engine_session::on_ws_close(const http::ws_connection* from) {
  const auto keep = shared_from_this();
  if (probe_ && from == probe_.get()) {
    probe_ = nullptr;
    probed_ = false;
    probe_timer_.cancel();
  } else if (ws_ && from == ws_.get()) {
    ws_ = nullptr;
    if (state_ == state::open) end(session_end::transport_close);
  }
}

// ---- heartbeat: one timer per session, moved only when it would come too late

void engine_session::arm(std::int64_t deadline) {
  deadline_ = deadline;
  if (armed_ != 0 && armed_ <= deadline) return;
  armed_ = deadline;
  const std::int64_t delay = std::max<std::int64_t>(0, deadline - context_->time.steady_ms());
  timer_ = context_->timers.after(milliseconds(delay), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_timer();
  });
}

void engine_session::on_timer() {
  armed_ = 0;
  if (context_->time.steady_ms() < deadline_) {
    arm(deadline_);
  } else {
    on_deadline();
  }
}

void engine_session::on_deadline() {
  if (state_ == state::lingering) {
    release();
    return;
  }
  if (state_ != state::open) return;
  if (version_ == eio_version::v4 && !awaiting_pong_) {
    awaiting_pong_ = true;
    // counted from when the ping was due, so that a late timer does not make the client's time longer
    arm(deadline_ + beat().timeout.count() - slack());
    send(make_control_frame(engine_packet_type::ping));
    return;
  }
  context_->metrics.ping_timeouts.add();
  end(session_end::ping_timeout);
}

void engine_session::expire_if_due() {
  const auto keep = shared_from_this();
  while (deadline_ != 0 && context_->time.steady_ms() >= deadline_)
    on_deadline();
}

// ---- the end

void engine_session::close() {
  end(session_end::server_close);
}

void engine_session::fail(session_end why) {
  end(why);
}

void engine_session::end(session_end why) {
  if (state_ != state::open) return;
  const auto keep = shared_from_this();
  state_ = state::closed;
  set_established(true);  // an ending session holds no place of those who have yet to show themselves
  leave_gauge();
  probe_timer_.cancel();
  probed_ = false;
  if (const auto probe = std::exchange(probe_, nullptr)) probe->close(normal_closure, "");
  if (receiver_) {
    context_->timers.post([receiver = std::exchange(receiver_, nullptr), why] { receiver->on_end(why); });
  }
  if (ws_) {
    // `ws_` stays until on_close: what was sent still leaves
    if (why != session_end::transport_close) ws_->close(normal_closure, "");
    release();
    return;
  }
  // A client that closes by POST takes its waiting GET's end as the confirmation.
  last_packet_ = why == session_end::client_close ? engine_packet_type::noop : engine_packet_type::close;
  if (poll_) {
    answer_poll(last_packet_);
    release();
  } else if (why == session_end::server_close || why == session_end::client_close) {
    state_ = state::lingering;
    arm(context_->time.steady_ms() + context_->options.linger.count());
  } else {
    release();
  }
}

void engine_session::release() {
  state_ = state::closed;
  timer_.cancel();
  armed_ = 0;
  deadline_ = 0;
  pending_.clear();
  pending_bytes_ = 0;
  if (context_->forget) context_->forget(sid_);
}

}  // namespace roombus::socketio
