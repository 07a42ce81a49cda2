// The notifications of one room as an event stream, for operators.

#include <algorithm>
#include <charconv>
#include <deque>
#include <utility>

#include "adapters/admin/admin_api_impl.hpp"
#include "adapters/http/uri.hpp"
#include "core/utf8.hpp"
#include "schemas/codec/cbor.hpp"

namespace roombus::admin {

namespace {

constexpr std::size_t max_waiting = 1000;  // live notifications that wait for the history

roombus::reply failed(chat_error error) {
  return roombus::reply(std::move(error));
}

std::uint64_t message_id(const value& message) {
  const value plain = message.if_encoded() != nullptr ? cbor::materialize(message) : message;
  const value_map* map = plain.if_map();
  const value* id = map != nullptr ? map->find("id") : nullptr;
  return id != nullptr ? id->floor_to_uint().value_or(0) : 0;
}

std::uint64_t id_of(const event& e) {
  return e.id() == notification::room_message && e.args().size() > 1 ? message_id(e.args()[1]) : 0;
}

}  // namespace

/// One reader. Until the history was sent, live notifications wait; messages that the history had already are dropped.
struct admin_api::impl::room_reader {
  explicit room_reader(room_name r) : room(std::move(r)) {}
  room_name room;
  std::uint64_t watch = 0;
  std::uint64_t number = 0;  // of the stream; 0 until it began
  bool overrun = false;
  std::deque<shared_event> waiting;
};

void admin_api::impl::stream_room(admitted a, std::string encoded_room) {
  std::optional<std::string> room = http::percent_decode(encoded_room);
  if (!room || !is_valid_utf8(*room)) {
    return a.answer->send(fault(400, "badRequest", "The path has a wrong % sequence.", a.form));
  }
  std::uint64_t history = 0;
  const auto query = http::parse_query(a.req.query);
  if (!query) return a.answer->send(fault(400, "badRequest", "The query has a wrong % sequence.", a.form));
  for (const auto& [name, text] : *query) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), history);
    if (name == "history" && read.ec == std::errc() && read.ptr == text.data() + text.size() && !text.empty()) continue;
    return a.answer->send(fault(400, "badRequest", "Of the query only history=N is known.", a.form));
  }
  history = std::min<std::uint64_t>(history, env_.chat.options().history_max_get_messages);
  run_stream(shared_from_this(), std::move(a), room_name(std::move(*room)), history).detach();
}

task<roombus::reply> admin_api::impl::ask(const char* command, value_list args) {
  roombus::call c;
  c.command = command;
  c.args = std::move(args);
  c.local = true;
  c.bypass_permissions = true;
  c.bypass_hooks = true;
  return env_.chat.execute(std::move(c));
}

task<roombus::reply> admin_api::impl::last_messages(std::shared_ptr<impl> self, room_name room, std::uint64_t count) {
  value_list about;
  about.emplace_back(room.str());
  roombus::reply info = co_await self->ask("roomHistoryInfo", std::move(about));
  if (!info || count == 0) co_return info ? roombus::reply(value_list()) : info;
  const value_map* fields = info->front().if_map();
  const value* last = fields != nullptr ? fields->find("lastMessageId") : nullptr;
  const std::uint64_t last_id = last != nullptr ? last->floor_to_uint().value_or(0) : 0;
  value_list args;
  args.emplace_back(room.str());
  args.emplace_back(last_id > count ? last_id - count : std::uint64_t{0});
  args.emplace_back(count);
  roombus::reply messages = co_await self->ask("roomHistoryGet", std::move(args));
  if (!messages) co_return messages;
  value_list found;
  if (const value_list* list = messages->front().if_list()) found = *list;
  std::reverse(found.begin(), found.end());
  co_return roombus::reply(std::move(found));
}

task<void> admin_api::impl::run_stream(std::shared_ptr<impl> self, admitted a, room_name room, std::uint64_t history) {
  auto reader = std::make_shared<room_reader>(room);
  // shared: the watch may be called until it is taken back, whatever became of the stream
  reader->watch = self->env_.chat.watch_room(room, [weak = std::weak_ptr(self), reader](const shared_event& e) {
    const auto alive = weak.lock();
    if (!alive || alive->detached_) return;
    if (reader->number != 0) {
      alive->streams_.send(reader->number,
                           sse_frame(e->name(), id_of(*e), payload::notification_payload(*e, payload::encoding::json)));
    } else if (reader->waiting.size() < max_waiting) {
      reader->waiting.push_back(e);
    } else {
      reader->overrun = true;
    }
  });
  roombus::reply messages = failed(errc::internal_error);
  try {
    messages = co_await last_messages(self, room, history);
  } catch (const std::exception& e) {
    self->env_.log.write(log_level::error, "api_fault", std::string("events of a room: ") + e.what());
  }
  if (self->detached_) co_return;
  std::uint64_t number = 0;
  if (!messages) {
    a.answer->send(answer_of(messages, a.form));
  } else if (reader->overrun) {
    a.answer->send(fault(503, "unavailable", "The room is too busy for its history to be read.", a.form));
  } else {
    number = self->open_stream(a, [weak = std::weak_ptr(self), reader] {
      if (auto alive = weak.lock(); alive && !alive->detached_) {
        alive->env_.chat.unwatch_room(reader->room, reader->watch);
      }
    });
  }
  if (number == 0) {
    self->env_.chat.unwatch_room(room, reader->watch);
    co_return;
  }
  std::uint64_t last_id = 0;
  for (const value& message : *messages) {
    last_id = message_id(message);
    const std::string data = payload::encode(message, payload::encoding::json);
    self->streams_.send(number, sse_frame("roomMessage", last_id, data));
  }
  reader->number = number;
  for (const shared_event& e : std::exchange(reader->waiting, {})) {
    const std::uint64_t id = id_of(*e);
    if (id != 0 && id <= last_id) continue;
    const std::string data = payload::notification_payload(*e, payload::encoding::json);
    self->streams_.send(number, sse_frame(e->name(), id, data));
  }
}

}  // namespace roombus::admin
