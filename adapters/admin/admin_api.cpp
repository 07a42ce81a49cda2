#include "adapters/admin/admin_api.hpp"

#include <charconv>
#include <exception>
#include <utility>

#include "adapters/admin/admin_api_impl.hpp"
#include "adapters/http/uri.hpp"
#include "core/utf8.hpp"
#include "schemas/codec/batch_reply.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::admin {

namespace {

constexpr std::string_view base = "/api/v1/";
constexpr std::uint64_t ids_per_ms = 1000;  // no instance has more operator events in the long run

/// The key of `Authorization: Bearer KEY`, or "".
std::string_view bearer(std::string_view header) {
  constexpr std::string_view scheme = "bearer ";
  if (header.size() <= scheme.size()) return {};
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    const char c = header[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != scheme[i]) return {};
  }
  header.remove_prefix(scheme.size());
  while (!header.empty() && header.front() == ' ')
    header.remove_prefix(1);
  return header;
}

roombus::reply failed(chat_error error) {
  return roombus::reply(std::move(error));
}

std::uint64_t number_or_zero(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

admin_api::impl::impl(admin_options options, environment env)
    : options_(options),
      env_(env),
      streams_(options.streams, env.timers),
      history_(options.streams.kept_events, static_cast<std::uint64_t>(env.time.now_ms()) * ids_per_ms),
      calls_(env.metrics.add_counter("roombus_api_calls_total", "Calls of the server API.", "transport=\"http\"")),
      failed_calls_(env.metrics.add_counter("roombus_api_failed_calls_total", "Calls that were answered with an error.",
                                            "transport=\"http\"")),
      refused_keys_(env.metrics.add_counter("roombus_api_refused_keys_total",
                                            "Requests without a key, or with one that is not known.",
                                            "transport=\"http\"")) {}

void admin_api::impl::start() {
  env_.metrics.add_gauge("roombus_api_event_streams", "Open event streams of the server API.",
                         [weak = weak_from_this()] {
                           const auto alive = weak.lock();
                           return alive ? static_cast<double>(alive->streams_.size()) : 0.0;
                         });
  observer_ = env_.chat.events().add([this](const operator_event& e) { on_event(e); });
}

void admin_api::impl::detach() {
  env_.chat.events().remove(observer_);
  detached_ = true;
}

void admin_api::impl::on_event(const operator_event& e) {
  const std::string frame = history_.add(e.name, json::write(value(e.data)));
  const std::set<std::uint64_t> readers = event_readers_;
  for (const std::uint64_t number : readers)
    streams_.send(number, frame);
}

void admin_api::impl::take(http::request req, std::shared_ptr<http::responder> answer) {
  admitted a;
  a.form = accepted_encoding(req.header("accept"));
  const std::string_view key = bearer(req.header("authorization"));
  const std::optional<api_access> level = env_.keys.level_of(key);
  if (key.empty() || !level) {
    refused_keys_.add();
    const std::string_view text = env_.keys.empty() ? "This service has no API keys (admin.key): nobody may call it."
                                  : key.empty()     ? "A key is needed: Authorization: Bearer KEY."
                                                    : "The key is not known.";
    http::response r = fault(401, "unauthorized", text, a.form);
    r.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"roombus\"");
    return answer->send(std::move(r));
  }
  a.level = *level;
  a.req = std::move(req);
  a.answer = std::move(answer);
  route(std::move(a));
}

void admin_api::impl::route(admitted a) {
  const std::string path = a.req.path;
  const auto wrong_verb = [&a](const char* right) {
    http::response r = fault(405, "methodNotAllowed", std::string("Use ") + right + ".", a.form);
    r.headers.emplace_back("Allow", right);
    a.answer->send(std::move(r));
  };
  if (!path.starts_with(base)) return a.answer->send(fault(404, "notFound", "The API is at /api/v1/.", a.form));
  const std::string rest = path.substr(base.size());
  if (rest == "events") {
    if (a.req.method != "GET") return wrong_verb("GET");
    return stream_events(std::move(a));
  }
  constexpr std::string_view rooms = "rooms/";
  constexpr std::string_view events = "/events";
  if (rest.starts_with(rooms) && rest.ends_with(events) && rest.size() > rooms.size() + events.size()) {
    if (a.req.method != "GET") return wrong_verb("GET");
    return stream_room(std::move(a), rest.substr(rooms.size(), rest.size() - rooms.size() - events.size()));
  }
  if (rest.empty() || rest.find('/') != std::string::npos) {
    return a.answer->send(fault(404, "notFound", "Nothing is here; methods are at /api/v1/{method}.", a.form));
  }
  std::optional<std::string> method = http::percent_decode(rest);
  if (!method || !is_valid_utf8(*method)) {
    return a.answer->send(fault(400, "badRequest", "The path has a wrong % sequence.", a.form));
  }
  if (find_api_method(*method) == nullptr) {
    return a.answer->send(answer_of(failed(chat_error(errc::no_command, {value(*method)})), a.form));
  }
  if (a.req.method != "POST") return wrong_verb("POST");
  call(std::move(a), std::move(*method));
}

void admin_api::impl::call(admitted a, std::string method) {
  calls_.add();
  const auto refuse = [this, &a](http::response r) {
    failed_calls_.add();
    a.answer->send(std::move(r));
  };
  const std::string_view type = a.req.header("content-type");
  if (!type.empty() && !a.req.body.empty() && !payload::encoding_of(type)) {
    return refuse(fault(415, "unsupportedMediaType", "Send application/json or application/cbor.", a.form));
  }
  std::string content_type(type.empty() ? payload::content_type_of(payload::encoding::json) : type);
  if (a.req.body.empty()) content_type.clear();
  auto decoded = payload::decode_request(
      a.req.body, content_type.empty() ? std::nullopt : std::optional<std::string_view>(content_type),
      options_.payload);
  if (!decoded) {
    chat_error error(errc::payload_too_large);
    if (decoded.error().code != codec_errc::too_large) {
      error = chat_error(errc::bad_argument, {value(0), value(to_text(decoded.error()))});
    }
    return refuse(answer_of(failed(std::move(error)), a.form));
  }
  const api_access needed = needed_access(method, decoded->arguments);
  if (needed > a.level) {
    http::response r = answer_of(failed(errc::not_allowed), a.form);
    env_.log.write(log_level::warning, "api_not_allowed",
                   method + " from " + a.req.remote_address + " needs a key for " + std::string(to_text(needed)));
    return refuse(std::move(r));
  }
  if (needed > api_access::read) {
    env_.log.write(log_level::info, "api_call", method + " from " + a.req.remote_address);
  }
  run_call(shared_from_this(), std::move(a), std::move(method), std::move(decoded->arguments)).detach();
}

task<void> admin_api::impl::run_call(std::shared_ptr<impl> self, admitted a, std::string method, value args) {
  std::optional<roombus::reply> outcome;
  std::string problem;
  try {
    service& chat = self->env_.chat;
    outcome = co_await chat.call_api(method, std::move(args));
  } catch (const std::exception& e) {
    problem = e.what();
  }
  if (self->detached_) co_return;
  if (!outcome) {
    self->env_.log.write(log_level::error, "api_fault", method + ": " + problem);
    outcome = failed(chat_error(errc::internal_error, {value("the call failed")}));
  }
  if (method == "batch") outcome = with_error_texts(std::move(*outcome));
  if (!*outcome) self->failed_calls_.add();
  a.answer->send(answer_of(*outcome, a.form));
}

std::uint64_t admin_api::impl::open_stream(const admitted& a, std::function<void()> ended) {
  if (streams_.is_full()) {
    http::response r = fault(429, "rateLimited", "Too many event streams are open.", a.form);
    r.headers.emplace_back("Retry-After", "5");
    a.answer->send(std::move(r));
    return 0;
  }
  http::response head;
  head.headers = {
      {"Content-Type", "text/event-stream; charset=utf-8"}, {"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  auto stream = a.answer->start_stream(std::move(head));
  if (!stream) return 0;
  const std::uint64_t number = streams_.add(std::move(stream), std::move(ended));
  streams_.send(number, "retry: 2000\n: roombus\n\n");
  return number;
}

void admin_api::impl::stream_events(admitted a) {
  auto number = std::make_shared<std::uint64_t>(0);
  *number = open_stream(a, [weak = weak_from_this(), number] {
    if (auto self = weak.lock()) self->event_readers_.erase(*number);
  });
  if (*number == 0) return;
  event_readers_.insert(*number);
  const std::string_view last = a.req.header("last-event-id");
  if (last.empty()) return;
  history_.since(number_or_zero(last), [&](std::string_view frame) { streams_.send(*number, frame); });
}

admin_api::admin_api(admin_options options, environment env) : impl_(std::make_shared<impl>(options, env)) {
  impl_->start();
}

admin_api::~admin_api() {
  impl_->detach();
}

void admin_api::on_request(http::request req, std::shared_ptr<http::responder> answer) {
  impl_->take(std::move(req), std::move(answer));
}

http::response admin_api::on_too_large(const http::request& req) {
  return answer_of(failed(errc::payload_too_large), accepted_encoding(req.header("accept")));
}

}  // namespace roombus::admin
