#include "adapters/socketio/engine_server.hpp"

#include <utility>

#include "adapters/http/address_key.hpp"

namespace roombus::socketio {

/// What a request's query says.
struct engine_server::parameters {
  explicit parameters(query_list list) : query(std::move(list)) {
    const auto* eio = find_parameter(query, "EIO");
    // exactly these two: the Node.js server takes anything else for 3, which the protocol's own tests refuse
    if (eio != nullptr && (*eio == "3" || *eio == "4")) version = *eio == "3" ? eio_version::v3 : eio_version::v4;
    const auto* name = find_parameter(query, "transport");
    if (name != nullptr && *name == "polling") transport = engine_transport::polling;
    if (name != nullptr && *name == "websocket") transport = engine_transport::websocket;
    if (const auto* given = find_parameter(query, "sid"); given != nullptr && !given->empty()) sid = *given;
    const auto* b64 = find_parameter(query, "b64");
    base64 = b64 != nullptr && !b64->empty() && *b64 != "0" && *b64 != "false";
  }

  query_list query;
  std::optional<eio_version> version;
  std::optional<engine_transport> transport;
  std::optional<std::string> sid;
  bool base64 = false;
};

engine_server::engine_server(engine_options options, engine_environment env, open_function on_open)
    : context_(std::make_shared<engine_context>(std::move(options), env.timers, env.time, env.metrics)),
      random_(env.random),
      on_open_(std::move(on_open)),
      self_(std::make_shared<engine_server*>(this)) {
  context_->forget = [this](const std::string& sid) { forget(sid); };
}

engine_server::~engine_server() {
  *self_ = nullptr;
  context_->forget = nullptr;
  const auto sessions = std::exchange(sessions_, {});
  for (const auto& [sid, session] : sessions)
    session->close();
}

void engine_server::close_all() {
  closing_ = true;
  const auto sessions = sessions_;
  for (const auto& [sid, session] : sessions)
    session->close();
}

void engine_server::forget(const std::string& sid) {
  const auto node = sessions_.extract(sid);
  if (node.empty()) return;
  const auto count = per_address_.find(http::address_key(node.mapped()->first_request().address));
  if (count != per_address_.end() && --count->second == 0) per_address_.erase(count);
}

bool engine_server::refuse(std::optional<engine_refusal> why) {
  if (!why) return false;
  context_->metrics.count(*why == engine_refusal::unknown_sid ? bad_input::unknown_sid
                          : *why == engine_refusal::overload  ? bad_input::overload
                                                              : bad_input::handshake);
  return true;
}

std::optional<engine_refusal> engine_server::check_handshake(const http::request& req, const parameters& given) const {
  if (!given.transport) return engine_refusal::unknown_transport;
  if (given.sid) return std::nullopt;
  if (req.method != "GET") return engine_refusal::bad_method;
  if (!given.version) return engine_refusal::unsupported_version;
  if (*given.version == eio_version::v3 && !context_->options.allow_eio3) return engine_refusal::unsupported_version;
  const bool full = sessions_.size() >= context_->options.max_sessions && context_->half_open.empty();
  if (full || closing_) return engine_refusal::overload;
  if (const std::size_t most = context_->options.max_sessions_per_address; most > 0) {
    const auto count = per_address_.find(http::address_key(req.remote_address));
    if (count != per_address_.end() && count->second >= most) return engine_refusal::overload;
  }
  return std::nullopt;
}

std::shared_ptr<engine_session> engine_server::find(const std::string& sid) {
  const auto found = sessions_.find(sid);
  if (found == sessions_.end()) return nullptr;
  const auto session = found->second;
  session->expire_if_due();
  return sessions_.contains(sid) ? session : nullptr;
}

std::shared_ptr<engine_session> engine_server::create(http::request& req, const parameters& given) {
  // The oldest goes rather than the new one being refused: honest clients show themselves in no time, so that many who
  // do not cannot keep them out.
  const bool full = sessions_.size() >= context_->options.max_sessions ||
                    context_->half_open.size() >= context_->options.max_half_open;
  if (full && !context_->half_open.empty()) {
    context_->metrics.count(bad_input::overload);
    context_->half_open.front()->fail(session_end::overload);
  }
  session_request first;
  first.query = given.query;
  first.headers = std::move(req.headers);
  first.address = req.remote_address;
  auto session =
      std::make_shared<engine_session>(context_, random_id(random_), *given.version, given.base64, std::move(first));
  sessions_.emplace(session->sid(), session);
  ++per_address_[http::address_key(session->first_request().address)];
  return session;
}

void engine_server::on_request(http::request req, std::shared_ptr<http::responder> answer) {
  const cors_policy& cors = context_->options.cors;
  if (req.method == "OPTIONS" && !cors.origins.empty()) {
    answer->send(preflight_response(cors, req));
    return;
  }
  const parameters given(parse_query(req.query));
  auto refusal = check_handshake(req, given);
  std::shared_ptr<engine_session> session;
  if (!refusal && *given.transport == engine_transport::websocket) refusal = engine_refusal::bad_request;
  if (!refusal && given.sid) {
    session = find(*given.sid);
    if (!session) {
      refusal = engine_refusal::unknown_sid;
    } else if ((given.version && *given.version != session->version()) ||
               (req.method != "GET" && req.method != "POST")) {
      refusal = engine_refusal::bad_request;
    }
  }
  if (refuse(refusal)) {
    answer->send(refusal_response(*refusal, cors, req));
    return;
  }
  if (session) {
    if (req.method == "GET") {
      session->on_get(req, std::move(answer));
    } else {
      session->on_post(req, answer);
    }
    return;
  }
  http::request poll;  // the handshake's request is the session's first poll
  poll.method = req.method;
  poll.headers = req.headers;
  session = create(req, given);
  session->start(nullptr);
  session->set_receiver(on_open_(session));
  session->on_get(poll, std::move(answer));
}

void engine_server::on_upgrade(http::request req, std::shared_ptr<http::upgrade_responder> answer) {
  const parameters given(parse_query(req.query));
  auto refusal = check_handshake(req, given);
  if (!refusal && *given.transport != engine_transport::websocket) refusal = engine_refusal::bad_request;
  std::shared_ptr<engine_session> session;
  if (!refusal && given.sid) {
    session = find(*given.sid);
    if (!session) {
      refusal = engine_refusal::unknown_sid;
    } else if (given.version && *given.version != session->version()) {
      refusal = engine_refusal::bad_request;
    }
  }
  if (refuse(refusal)) {
    answer->reject(refusal_response(*refusal, context_->options.cors, req));
    return;
  }
  if (!session) {
    open_websocket(std::move(req), given, answer);
    return;
  }
  const auto link = std::make_shared<ws_link>();
  answer->accept(link, [link, session, base64 = given.base64](std::shared_ptr<http::ws_connection> connection) {
    if (link->is_closed()) return;
    link->attach(session, connection.get());
    session->begin_upgrade(std::move(connection), base64);
  });
}

void engine_server::open_websocket(http::request req, const parameters& given,
                                   const std::shared_ptr<http::upgrade_responder>& answer) {
  const auto link = std::make_shared<ws_link>();
  auto open = [this, alive = self_, link, req = std::move(req),
               given](std::shared_ptr<http::ws_connection> connection) mutable {
    if (link->is_closed()) return;
    if (*alive == nullptr || refuse(check_handshake(req, given))) {  // may have become too many since
      connection->close(1013, "");
      return;
    }
    const auto session = create(req, given);
    link->attach(session, connection.get());
    session->start(std::move(connection));
    session->set_receiver(on_open_(session));
  };
  const auto delay = context_->options.open_packet_delay;
  if (delay.count() == 0) {
    answer->accept(link, std::move(open));
    return;
  }
  answer->accept(link, [timers = &context_->timers, delay,
                        open = std::move(open)](std::shared_ptr<http::ws_connection> connection) mutable {
    // the timer keeps itself until it ran
    auto timer = std::make_shared<timer_handle>();
    *timer = timers->after(delay, [timer, connection = std::move(connection), open = std::move(open)]() mutable {
      open(std::move(connection));
      *timer = timer_handle();
    });
  });
}

}  // namespace roombus::socketio
