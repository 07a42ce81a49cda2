#include "adapters/socketio/sio_connection.hpp"

#include <algorithm>
#include <utility>

#include "core/utf8.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::socketio {
namespace {

constexpr std::size_t max_headers = 128;  // shown to hooks; more than any browser sends

}  // namespace

// ---- nsp_socket: everything goes through its connection

void nsp_socket::emit(std::string_view name, const value_list& args) {
  if (connected_) send(to_frames(version_, encode_event(nsp_, name, args)));
}

void nsp_socket::acknowledge(std::uint64_t id, const value_list& args) {
  if (connected_) send(to_frames(version_, encode_ack(nsp_, id, args)));
}

void nsp_socket::send(const frame_list& frames) {
  if (!connected_) return;
  const auto connection = connection_.lock();
  if (!connection) return;
  for (const auto& frame : frames)
    connection->session_->send(frame);
}

void nsp_socket::disconnect() {
  if (!connected_) return;
  const auto connection = connection_.lock();
  if (!connection) return;
  connection->send(encode_plain(sio_packet_type::disconnect, nsp_, ""));
  connection->leave(nsp_);
}

std::shared_ptr<void> nsp_socket::keep_place() {
  const auto connection = connection_.lock();
  return connection ? connection->keep_place(nsp_) : nullptr;
}

void nsp_socket::set_known() {
  if (!connected_) return;
  if (const auto connection = connection_.lock()) connection->set_known(true);
}

void nsp_socket::close_connection() {
  if (const auto connection = connection_.lock()) connection->session_->close();
}

// ---- sio_connection

/// Tells the connection when nobody keeps the place any more.
struct sio_connection::kept_place {
  kept_place(std::weak_ptr<sio_connection> c, std::string n) : connection(std::move(c)), nsp(std::move(n)) {}
  ~kept_place() {
    if (const auto alive = connection.lock()) alive->place_left(nsp);
  }
  kept_place(const kept_place&) = delete;
  kept_place& operator=(const kept_place&) = delete;

  std::weak_ptr<sio_connection> connection;
  std::string nsp;
};

void sio_connection::start() {
  wait_for_namespace();
  if (session_->version() == eio_version::v3) {
    sio_packet connect;
    join(std::move(connect));
  }
}

void sio_connection::set_known(bool known) {
  session_->set_established(known);
  decoder_.set_known(known);
}

void sio_connection::wait_for_namespace() {
  set_known(false);
  connect_timer_ = context_->timers.after(context_->options.connect_timeout, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->session_->close();
  });
}

void sio_connection::on_text(std::string_view data) {
  take(decoder_.on_text(data));
}

void sio_connection::on_binary(std::string_view data) {
  take(decoder_.on_binary(data));
}

void sio_connection::take(sio_decoder::outcome outcome) {
  if (auto* packet = std::get_if<sio_packet>(&outcome)) {
    on_packet(std::move(*packet));
  } else if (const auto* fault = std::get_if<sio_fault>(&outcome)) {
    fail(*fault == sio_fault::attachments ? bad_input::attachments : bad_input::packet);
  }
}

void sio_connection::fail(bad_input why) {
  context_->metrics->count(why);
  session_->fail(session_end::bad_input);
}

void sio_connection::on_packet(sio_packet packet) {
  if (packet.type == sio_packet_type::connect) {
    join(std::move(packet));
    return;
  }
  const auto found = sockets_.find(packet.nsp);
  if (found == sockets_.end()) {
    if (packet.type == sio_packet_type::disconnect) waiting_.erase(packet.nsp);
    // It may have been sent before the client heard that it is out; a client that never asked is none of ours.
    if (!has_asked_) fail(bad_input::not_joined);
    return;
  }
  if (packet.type == sio_packet_type::disconnect) {
    leave(packet.nsp);
    return;
  }
  if (packet.type != sio_packet_type::event || !found->second.handler) return;  // we ask for no acks
  const auto handler = found->second.handler;
  auto& list = *packet.data.if_list();
  const std::string* text = list.front().if_text();
  std::string name = text != nullptr ? *text : json::write(list.front());
  value_list args(std::make_move_iterator(list.begin() + 1), std::make_move_iterator(list.end()));
  handler->on_event(std::move(name), std::move(args), packet.id);
}

void sio_connection::refuse(const std::string& nsp) {
  context_->metrics->count(bad_input::not_joined);
  std::string text = session_->version() == eio_version::v4 ? "{\"message\":" : "";
  json::write_text(text, "Invalid namespace");
  if (session_->version() == eio_version::v4) text += '}';
  send(encode_plain(sio_packet_type::connect_error, nsp, text));
}

handshake sio_connection::shown_by(const sio_packet& connect) const {
  handshake shown;
  shown.transport = "socket.io";
  const session_request& first = session_->first_request();
  shown.address = first.address;
  for (const auto& [name, text] : first.query) {
    if (shown.query.find(name) == nullptr) shown.query.append(name, value(text));
  }
  for (const auto& [name, text] : first.headers) {
    if (shown.headers.size() == max_headers) break;
    if (is_valid_utf8(text) && shown.headers.find(name) == nullptr) shown.headers.append(name, value(text));
  }
  if (session_->version() == eio_version::v4) {
    shown.auth = connect.data;
    return shown;
  }
  value_map auth;
  for (const auto& [name, text] : parse_query(connect.nsp_query)) {
    auth.set(name, value(text));
    if (shown.query.find(name) == nullptr) shown.query.append(name, value(text));  // the request's own win
  }
  if (!auth.empty()) shown.auth = value(std::move(auth));
  return shown;
}

void sio_connection::join(sio_packet packet) {
  has_asked_ = true;
  if (!packet.data.is_null() && session_->version() == eio_version::v3) {
    fail(bad_input::packet);
    return;
  }
  const auto found = context_->namespaces.find(packet.nsp);
  if (found == context_->namespaces.end()) {
    refuse(packet.nsp);
    return;
  }
  if (sockets_.contains(packet.nsp)) return;  // EIO 3: `/` was joined without asking
  if (const auto kept = places_.find(packet.nsp); kept != places_.end() && !kept->second.expired()) {
    std::string nsp = packet.nsp;
    waiting_.insert_or_assign(std::move(nsp), std::move(packet));
    return;
  }
  nsp_handler* const handler = found->second;
  if (handler != nullptr && !may_join()) {
    fail(bad_input::joins);
    return;
  }
  const bool v4 = session_->version() == eio_version::v4;
  std::string id = v4                  ? random_id(context_->random)
                   : packet.nsp == "/" ? session_->sid()
                                       : packet.nsp + "#" + session_->sid();
  std::string text;
  if (v4) {
    text = "{\"sid\":";
    json::write_text(text, id);
    text += '}';
  }
  send(encode_plain(sio_packet_type::connect, packet.nsp, text));
  const auto socket = std::make_shared<nsp_socket>(std::move(id), packet.nsp, session_->version(), weak_from_this());
  sockets_.emplace(packet.nsp, joined{socket, nullptr});
  if (handler == nullptr) return;
  ++served_;
  if (handler->trusts_everybody()) set_known(true);
  connect_timer_.cancel();
  auto taken = handler->on_connect(socket, shown_by(packet));
  const auto member = sockets_.find(packet.nsp);
  if (member != sockets_.end() && member->second.socket == socket) {
    member->second.handler = std::move(taken);
  } else if (taken) {  // it left within on_connect
    context_->timers.post([taken] { taken->on_disconnect(); });
  }
}

/// A client that joins and leaves has a handler, and those behind it, work for nothing.
bool sio_connection::may_join() {
  const std::int64_t now = context_->time.steady_ms();
  const double earned = static_cast<double>(now - std::exchange(joins_at_ms_, now)) / 1000;
  joins_left_ = std::min(joins_left_ + earned, static_cast<double>(context_->options.max_joins));
  if (joins_left_ < 1) return false;
  joins_left_ -= 1;
  return true;
}

std::shared_ptr<void> sio_connection::keep_place(const std::string& nsp) {
  auto& place = places_[nsp];
  auto kept = place.lock();
  if (!kept) {
    kept = std::make_shared<kept_place>(weak_from_this(), nsp);
    place = kept;
  }
  return kept;
}

void sio_connection::place_left(const std::string& nsp) {
  places_.erase(nsp);
  if (!waiting_.contains(nsp)) return;
  context_->timers.post([weak = weak_from_this(), nsp] {
    const auto self = weak.lock();
    if (!self) return;
    auto next = self->waiting_.extract(nsp);
    if (!next.empty()) self->join(std::move(next.mapped()));
  });
}

void sio_connection::leave(const std::string& nsp) {
  auto node = sockets_.extract(nsp);
  if (node.empty()) return;
  end_socket(std::move(node.mapped()));
  if (context_->namespaces.find(node.key())->second != nullptr && --served_ == 0) wait_for_namespace();
}

void sio_connection::end_socket(joined member) {
  member.socket->connected_ = false;
  if (member.handler) {
    context_->timers.post([handler = std::move(member.handler)] { handler->on_disconnect(); });
  }
}

void sio_connection::on_end(session_end) {
  connect_timer_.cancel();
  waiting_.clear();
  for (auto& [nsp, member] : std::exchange(sockets_, {}))
    end_socket(std::move(member));
}

void sio_connection::send(const encoded_packet& packet) {
  for (auto& frame : to_frames(session_->version(), packet))
    session_->send(std::move(frame));
}

}  // namespace roombus::socketio
