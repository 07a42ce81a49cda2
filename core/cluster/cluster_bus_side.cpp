// What instances tell each other.

#include <algorithm>
#include <utility>

#include "core/cluster/cluster_member.hpp"

namespace roombus {

namespace {

const std::string* text_at(const value_map& map, std::string_view key) {
  const value* v = map.find(key);
  return v == nullptr ? nullptr : v->if_text();
}

std::optional<notification> find_notification(std::string_view name) {
  for (const notification_descriptor& one : all_notifications()) {
    if (one.name == name) return one.id;
  }
  return std::nullopt;
}

}  // namespace

// ---- sending

void cluster_member::tell_user_elsewhere(const user_name& user, const shared_event& e, const connection_id& except,
                                         cluster_bus::done_handler done) {
  value_map body{{"t", value("user")}};
  body.append("i", value(incarnation()));
  body.append("u", value(user.str()));
  body.append("x", value(except.str()));
  body.append("n", value(e->name()));
  body.append("a", value(e->args()));
  parts_.bus.send_all(body, std::move(done));
}

void cluster_member::close_user_elsewhere(const user_name& user) {
  value_map body{{"t", value("close")}};
  body.append("i", value(incarnation()));
  body.append("u", value(user.str()));
  parts_.bus.send_all(body, nullptr);
}

void cluster_member::emit_elsewhere(const std::string& event, const value_list& args) {
  value_map body{{"t", value("emit")}};
  body.append("i", value(incarnation()));
  body.append("e", value(event));
  body.append("a", value(args));
  parts_.bus.send_all(body, nullptr);
}

void cluster_member::sync_elsewhere(const user_name& user, const room_name& room) {
  value_map body{{"t", value("sync")}};
  body.append("i", value(incarnation()));
  body.append("u", value(user.str()));
  body.append("r", value(room.str()));
  parts_.bus.send_all(body, nullptr);
}

task<result<value_map>> cluster_member::ask(std::string to, value_map question) {
  constexpr std::size_t most = 10'000;
  if (questions_.size() >= most) co_return chat_error(errc::unavailable);
  const std::uint64_t number = ++last_question_;
  completion<std::optional<value_map>> answered;
  questions_.emplace(number, answered);
  value_map body{{"t", value("ask")}};
  body.append("i", value(incarnation()));
  body.append("q", value(number));
  body.append("b", value(std::move(question)));
  parts_.bus.send_to(to, body, [answered](bool sent) {
    if (!sent) answered.complete(std::nullopt);
  });
  timer_handle limit = env_.timers.after(env_.options.bus_ack_timeout, [answered] { answered.complete(std::nullopt); });
  std::optional<value_map> answer = co_await answered;
  questions_.erase(number);
  if (!answer) co_return chat_error(errc::timeout);
  co_return std::move(*answer);
}

task<void> cluster_member::answer(value_map asked) {
  const std::string* from = text_at(asked, "i");
  value* body = asked.find("b");
  const value* number = asked.find("q");
  if (from == nullptr || body == nullptr || body->if_map() == nullptr || number == nullptr) co_return;
  const std::string to = *from;
  const value question_number = *number;
  value_map question = std::move(*body->if_map());
  const std::weak_ptr<bool> exists = exists_;
  task<value_map> running = host_.run_for_other(std::move(question));
  value_map done = co_await running;
  if (exists.expired()) co_return;
  value_map out{{"t", value("answer")}};
  out.append("q", question_number);
  out.append("b", value(std::move(done)));
  parts_.bus.send_to(to, out, nullptr);
}

// ---- receiving

void cluster_member::on_bus_up() {
  for (const completion<bool>& one : std::exchange(until_bus_up_, {}))
    one.complete(true);
  fill_all();
  publisher_.retry_all();
  take_over_unpublished();
}

void cluster_member::on_bus_message(const value_map& body) {
  const std::string* type = text_at(body, "t");
  if (type == nullptr || alive_.is_fallen()) return;
  if (*type == "entry") return on_room_entry(body, false);
  if (*type == "removed") return on_room_entry(body, true);
  const std::string* from = text_at(body, "i");
  if (*type == "confirmed") {
    const std::string* room = text_at(body, "room");
    const value* sequence = body.find("s");
    if (from == nullptr || room == nullptr || sequence == nullptr || !sequence->floor_to_uint()) return;
    const std::string* epoch = text_at(body, "e");
    if (epoch == nullptr) return;
    return let_go_by({room_name(*room), *sequence->floor_to_uint()}, *epoch, *from);
  }
  if (*type == "answer") {
    const value* number = body.find("q");
    const value* answer_body = body.find("b");
    if (number == nullptr || !number->floor_to_uint() || answer_body == nullptr) return;
    const auto it = questions_.find(*number->floor_to_uint());
    if (it == questions_.end() || answer_body->if_map() == nullptr) return;
    const completion<std::optional<value_map>> waiting = it->second;
    waiting.complete(*answer_body->if_map());
    return;
  }
  if (from == nullptr || *from == incarnation()) return;
  if (*type == "hello") return alive_.came(*from);
  if (*type == "bye") return alive_.left(*from);
  if (*type == "fall") return alive_.fall();
  if (*type == "fallen") return alive_.has_fallen(*from);
  if (*type == "ask") {
    value_map question = body;
    answer(std::move(question)).detach();
    return;
  }
  const std::string* user = text_at(body, "u");
  if (*type == "user" && user != nullptr) {
    const std::string* except = text_at(body, "x");
    const std::string* name = text_at(body, "n");
    const value* args = body.find("a");
    if (except == nullptr || name == nullptr || args == nullptr || args->if_list() == nullptr) return;
    const std::optional<notification> id = find_notification(*name);
    if (!id) return;
    host_.tell_user(user_name(*user), std::make_shared<const event>(*id, *args->if_list()), connection_id(*except));
  } else if (*type == "close" && user != nullptr) {
    host_.close_user_here(user_name(*user));
  } else if (*type == "emit") {
    const std::string* event_name = text_at(body, "e");
    const value* args = body.find("a");
    if (event_name != nullptr && args != nullptr && args->if_list() != nullptr) {
      host_.emit(*event_name, *args->if_list());
    }
  } else if (*type == "sync" && user != nullptr) {
    const std::string* room = text_at(body, "r");
    if (room != nullptr) host_.sync_here(user_name(*user), room_name(*room));
  }
}

void cluster_member::on_room_entry(const value_map& body, bool removal) {
  const std::string* room = text_at(body, "room");
  const value* fields = body.find("entry");
  if (room == nullptr || fields == nullptr || fields->if_map() == nullptr) return;
  std::optional<room_entry> entry = entry_from(*fields->if_map());
  if (!entry) return;
  const entry_ptr shared = std::make_shared<const log_entry>(room_name(*room), std::move(*entry));
  offer(shared);
  if (removal) apply_removal(shared).detach();
}

// ---- removals

void cluster_member::tell_removed_once(const log_entry& entry) {
  constexpr std::size_t remembered = 10'000;
  std::tuple<room_name, std::string, std::uint64_t> key(entry.room(), entry.entry().epoch, entry.entry().sequence);
  if (!told_removals_.insert(key).second) return;
  told_order_.push_back(std::move(key));
  while (told_order_.size() > remembered) {
    told_removals_.erase(told_order_.front());
    told_order_.pop_front();
  }
  host_.tell_removed_here(entry);
}

/// Lets go of who was removed, after all that came before it in the room, and says so to who did it.
task<void> cluster_member::apply_removal(entry_ptr entry) {
  const std::weak_ptr<bool> exists = exists_;
  const room_entry& e = entry->entry();
  const auto it = feeds_.find(entry->room());
  if (it != feeds_.end() && it->second->feed.started() && it->second->feed.epoch() == e.epoch) {
    task<bool> waiting = reached(entry->room(), e.sequence);
    const bool in_time = co_await waiting;
    if (exists.expired()) co_return;
    if (!in_time) break_off(entry->room());
  }
  tell_removed_once(*entry);
  // what their connections have been handed is written at the end of this turn: no word of ours overtakes it
  completion<bool> written;
  env_.timers.post([written] { written.complete(true); });
  co_await written;
  if (exists.expired()) co_return;
  if (e.origin == incarnation()) {
    removal_seen(*entry);
    co_return;
  }
  value_map body{{"t", value("confirmed")}};
  body.append("i", value(incarnation()));
  body.append("room", value(entry->room().str()));
  body.append("s", value(e.sequence));
  body.append("e", value(e.epoch));
  parts_.bus.send_to(e.origin, body, nullptr);
}

/// Our own removal came back over the bus.
void cluster_member::removal_seen(const log_entry& entry) {
  const removal_key key{entry.room(), entry.entry().sequence};
  let_go_by(key, entry.entry().epoch, incarnation());
}

/// `by` has let go; ourselves: it was published, too. Another instance may publish what we removed, and all may confirm
/// it, before the store's answer has reached us.
void cluster_member::let_go_by(const removal_key& key, const std::string& epoch, const std::string& by) {
  constexpr std::size_t most_early = 1000;
  const auto own = removals_.find(key);
  const bool known = own != removals_.end() && own->second.entry->entry().epoch == epoch;
  if (!known && early_removals_.try_emplace({key, epoch}).second) {
    early_order_.emplace_back(key, epoch);
    if (early_order_.size() > most_early) {
      early_removals_.erase(early_order_.front());
      early_order_.pop_front();
    }
  }
  own_removal& removal = known ? own->second : early_removals_.at({key, epoch});
  removal.confirmed.insert(by);
  removal.published = removal.published || by == incarnation();
  if (known) check_confirmed(key);
}

/// The store has answered.
void cluster_member::add_removal(const entry_ptr& own) {
  const removal_key key{own->room(), own->entry().sequence};
  removals_.erase(key);  // of an earlier room of this name
  own_removal& removal = removals_[key];
  if (const auto early = early_removals_.find({key, own->entry().epoch}); early != early_removals_.end()) {
    removal.confirmed.merge(early->second.confirmed);
    removal.published = removal.published || early->second.published;
    early_removals_.erase(early);
  }
  removal.entry = own;
}

void cluster_member::check_confirmed(const removal_key& key) {
  const auto it = removals_.find(key);
  if (it == removals_.end() || !it->second.published) return;
  for (const std::string& one : alive_.living()) {
    if (!it->second.confirmed.contains(one)) return;
  }
  const std::vector<completion<bool>> waiting = std::exchange(it->second.waiting, {});
  if (waiting.empty()) return;
  removals_.erase(it);
  for (const completion<bool>& one : waiting)
    one.complete(true);
}

/// Somebody who came a moment ago may have missed the question.
void cluster_member::ask_again(const removal_key& key) {
  const auto it = removals_.find(key);
  if (it == removals_.end() || !it->second.published || it->second.entry == nullptr) return;
  value_map body{{"t", value("removed")}};
  body.append("room", value(key.first.str()));
  body.append("entry", value(entry_to_map(it->second.entry->entry())));
  for (const std::string& one : alive_.living()) {
    if (!it->second.confirmed.contains(one)) parts_.bus.send_to(one, body, nullptr);
  }
}

task<bool> cluster_member::wait_for_confirmations(removal_key key) {
  const auto it = removals_.find(key);
  if (it == removals_.end()) co_return false;
  completion<bool> confirmed;
  it->second.waiting.push_back(confirmed);
  check_confirmed(key);
  timer_handle again = env_.timers.after(env_.options.bus_ack_timeout / 4, [this, key] { ask_again(key); });
  timer_handle once_more = env_.timers.after(env_.options.bus_ack_timeout / 2, [this, key] { ask_again(key); });
  timer_handle limit = env_.timers.after(env_.options.bus_ack_timeout, [confirmed] { confirmed.complete(false); });
  const bool in_time = co_await confirmed;
  co_return in_time;
}

task<result<void>> cluster_member::removal_confirmed(room_name room, log_position at) {
  const std::weak_ptr<bool> exists = exists_;
  const removal_key key{room, at.sequence};
  // not there: this instance has fallen since, and nobody answers to its old name
  if (!is_own_removal(key, at.epoch)) co_return chat_error(errc::timeout);
  // somebody who came a moment ago may not be known here yet
  task<result<std::vector<std::string>>> reading = alive_.read_living();
  const result<std::vector<std::string>> living = co_await reading;
  if (exists.expired()) co_return chat_error(errc::unavailable);
  if (!is_own_removal(key, at.epoch)) co_return chat_error(errc::timeout);
  if (living) {
    for (const std::string& one : *living)
      alive_.came(one);
  }
  task<bool> waiting = wait_for_confirmations(key);
  const bool confirmed = co_await waiting;
  if (exists.expired()) co_return chat_error(errc::unavailable);
  if (confirmed) co_return result<void>{};
  if (!is_own_removal(key, at.epoch)) co_return chat_error(errc::timeout);
  const own_removal removal = std::move(removals_.at(key));
  removals_.erase(key);
  if (!removal.published) co_return chat_error(errc::timeout);  // the broker is away: nobody is to blame
  for (const std::string& one : alive_.living()) {
    if (removal.confirmed.contains(one)) continue;
    alive_.declare_dead(one);
    host_.report_transport_failure(room, "busAck", chat_error(errc::timeout));
  }
  co_return result<void>{};
}

bool cluster_member::is_own_removal(const removal_key& key, const std::string& epoch) const {
  const auto it = removals_.find(key);
  return it != removals_.end() && it->second.entry->entry().epoch == epoch;
}

/// This instance has fallen: whoever confirms does so to a name that is not its own any more.
void cluster_member::give_up_removals() {
  auto all = std::exchange(removals_, {});
  early_removals_.clear();
  early_order_.clear();
  for (const auto& [key, removal] : all) {
    for (const completion<bool>& one : removal.waiting)
      one.complete(false);
  }
}

}  // namespace roombus
