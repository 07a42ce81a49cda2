// Messages: stored under the next id, and read back.

#include "adapters/sqlite/store_impl.hpp"
#include "schemas/codec/cbor.hpp"

namespace roombus::sqlite {

namespace {
/// A history that moves on faster than it can be read is out of reach after so many tries.
constexpr int max_fetches = 16;
}  // namespace

task<result<appended>> sqlite_store::append(append_request request) {
  room_pointer entry = co_await enter_room(request.room, request.by.user);
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_room(request.room.str());
  auto allowed = entry->state->check_send(request.by);
  if (!allowed) co_return allowed.error();

  appended out;
  out.id = entry->log.find_token(request);
  if (out.id != 0) {
    out.repeated = true;
    if (out.id <= entry->log.position().last_message_id) co_return out;
    auto settled = queue_.barrier();  // the first one still waits for its commit
    const bool good = co_await settled;
    const bool known = good && entry->log.find_token(request) == out.id;
    if (!known) co_return unavailable();
    co_return out;
  }

  stored_message body;
  std::size_t bytes = job_bytes;
  if (entry->log.keeps_messages()) {
    value_map message = *request.message;
    message.set("id", value(entry->log.next_id()));
    const value whole(std::move(message));
    body = std::make_shared<const encoded_map>(cbor::write(whole), cbor::has_bytes(whole));
    bytes += body->cbor().size();
  }
  if (!queue_.has_room(bytes)) co_return unavailable();
  auto row = std::make_shared<message_row>(entry->log.reserve(request));
  row->room = entry->row;
  row->body = body;
  out.id = row->id;
  appending_.insert(entry);
  auto write = queue_.write([row](tables& rows) { rows.append(*row); }, bytes);
  const bool good = co_await write;
  if (!good) co_return unavailable();
  entry->log.committed(out.id, std::move(body));
  if (!entry->log.has_pending()) appending_.erase(entry);
  co_return out;
}

task<bool> sqlite_store::fetch(room_pointer entry, std::uint64_t first, std::uint64_t last,
                               std::shared_ptr<fetched_messages> fetched) {
  using found_messages = std::vector<std::pair<std::uint64_t, stored_message>>;
  auto found = std::make_shared<found_messages>();
  const std::int64_t row = entry->row;
  auto read = queue_.read([found, row, first, last](tables& rows) { *found = rows.messages(row, first, last); });
  const bool good = co_await read;
  for (auto& [id, message] : *found)
    fetched->insert_or_assign(id, std::move(message));
  co_return good;
}

task<result<history_page>> sqlite_store::read_history(room_name room, actor by, history_request request) {
  room_pointer entry = co_await enter_room(room, by.user);
  if (!entry) co_return unavailable();
  if (entry->log.has_pending()) {
    auto settled = queue_.barrier();
    const bool good = co_await settled;
    if (!good) co_return unavailable();
  }
  // The state is the committed one whatever has been handed over since, so its gate is not passed a second time: what
  // was asked for later would get in between.
  auto fetched = std::make_shared<fetched_messages>();
  std::int64_t row = entry->row;
  for (int tries = 0; tries < max_fetches; ++tries) {
    if (!entry->state) co_return no_room(room.str());
    auto allowed = entry->state->check_read(by);
    if (!allowed) co_return allowed.error();
    if (std::exchange(row, entry->row) != row) fetched->clear();  // created anew meanwhile
    history_plan plan = entry->log.plan(request);
    if (entry->log.fill(plan, *fetched)) co_return std::move(plan.page);
    const auto [first, last] = entry->log.missing(plan);
    const bool good = co_await fetch(entry, first, last, fetched);
    if (!good) break;
  }
  co_return unavailable();
}

}  // namespace roombus::sqlite
