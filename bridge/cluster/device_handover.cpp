// Devices that come from another instance, and devices that go to another one.

#include <algorithm>
#include <utility>

#include "bridge/cluster/device_partitions_impl.hpp"

namespace roombus::cluster {

namespace {

constexpr std::string_view device_prefix = "mqtt#";
constexpr std::size_t adopted_at_once = 64;
constexpr std::chrono::milliseconds retry_pause{200};
constexpr int move_attempts = 5;

/// "user/client" of a connection that is a device; "" for others.
std::string_view device_of(const connection_record& record) {
  const std::string_view id = record.id.str();
  return id.starts_with(device_prefix) ? id.substr(device_prefix.size()) : std::string_view();
}

bool is_within(const connection_record& record, const part_set& numbers) {
  const std::string_view device = device_of(record);
  return !device.empty() && numbers.test(partition_of(device));
}

}  // namespace

task<bool> device_partitions::impl::pause(std::shared_ptr<impl> self, std::chrono::milliseconds how_long) {
  const std::uint64_t life = self->life_;
  completion<bool> over;
  timer_handle timer = self->env_.timers.after(how_long, [over] { over.complete(true); });
  co_await over;
  co_return life == self->life_;
}

// ---- taking over

/// Makes them ours in the table, as it was last read. Answers those that are ours now, being adopted; the others belong
/// to somebody else, or nobody knows yet.
task<result<part_set>> device_partitions::impl::take(std::shared_ptr<impl> self, part_set wanted) {
  const std::uint64_t life = self->life_;
  std::map<std::string, std::vector<std::size_t>> by_entry;
  for (std::size_t i = 0; i < partition_count; ++i) {
    if (!wanted.test(i)) continue;
    by_entry[self->parts_[i].entry].push_back(i);
    self->set(i, stage::adopting);
  }
  part_set got;
  std::optional<chat_error> failed;
  for (auto& [from, numbers] : by_entry) {
    const partition_entry entry = partition_entry::parse(from);
    const std::string to = entry.taken_by(self->self_).str();
    const std::string giver = entry.owner.empty() && !entry.leavers.empty() ? entry.leavers.front() : std::string();
    auto moved = co_await self->env_.table.move_partitions(numbers, from, to);
    if (life != self->life_) co_return chat_error(errc::unavailable);
    if (moved) {
      for (const std::size_t number : *moved) {
        if (number >= partition_count || !wanted.test(number)) continue;
        got.set(number);
        self->parts_[number].entry = to;
        self->parts_[number].gave_it = giver;
        self->moved_in_.add();
      }
    } else {
      failed = moved.error();
    }
  }
  for (std::size_t i = 0; i < partition_count; ++i) {
    if (wanted.test(i) && !got.test(i)) self->set(i, stage::foreign);
  }
  if (failed && got.none()) co_return std::move(*failed);
  co_return got;
}

/// Takes over the devices of parts that are ours in the table. `devices` are those of `dead`; of other leavers they are
/// asked from the store. `resumed`: we may have taken over some before. An error leaves the parts to the next look.
task<device_partitions::impl::outcome> device_partitions::impl::adopt(std::shared_ptr<impl> self, part_set numbers,
                                                                      bool resumed, std::string dead,
                                                                      std::vector<connection_record> devices) {
  const std::uint64_t life = self->life_;
  ++self->adoptions_;
  task<void> caught_up = self->env_.devices.catch_up();
  std::map<std::string, part_set> leavers;
  for (std::size_t i = 0; i < partition_count; ++i) {
    if (!numbers.test(i)) continue;
    for (const std::string& name : partition_entry::parse(self->parts_[i].entry).leavers)
      leavers[name].set(i);
    if (resumed) leavers[self->self_].set(i);
  }
  bool complete = true;
  for (auto& [from, of] : leavers) {
    std::vector<connection_record> records;
    if (from == dead) {
      records = devices;
    } else {
      auto known = co_await self->env_.instances.instance_connections(from);
      if (known) {
        records = std::move(*known);
      } else {
        complete = false;
        break;
      }
    }
    const bool all = co_await adopt_from(self, from, of, std::move(records));
    if (life != self->life_) break;
    complete = complete && all;
  }
  --self->adoptions_;
  if (life != self->life_) co_return chat_error(errc::unavailable);
  if (!complete) {
    self->env_.log.write(log_level::warning, "devices_not_taken_over",
                         "the store failed; " + std::to_string(numbers.count()) + " parts of the devices wait");
    for (std::size_t i = 0; i < partition_count; ++i) {
      if (numbers.test(i) && self->parts_[i].now == stage::adopting) self->set(i, stage::foreign);
    }
    self->due_ = true;
    if (!self->looking_) self->look_later();
    co_return chat_error(errc::unavailable);
  }
  open_after(self, numbers, std::move(caught_up)).detach();
  co_return std::vector<connection_record>();
}

/// False when the store failed for some.
task<bool> device_partitions::impl::adopt_from(std::shared_ptr<impl> self, std::string from, part_set numbers,
                                               std::vector<connection_record> devices) {
  using answer = result<std::optional<std::vector<joined_room>>>;
  const std::uint64_t life = self->life_;
  std::erase_if(devices, [&](const connection_record& record) {
    return !is_within(record, numbers) || self->env_.devices.serves(record.id);
  });
  bool all = true;
  for (std::size_t begin = 0; begin < devices.size(); begin += adopted_at_once) {
    const std::size_t end = std::min(begin + adopted_at_once, devices.size());
    std::vector<task<answer>> asked;
    std::vector<std::pair<std::size_t, std::vector<joined_room>>> in_rooms;
    for (std::size_t i = begin; i < end; ++i)
      asked.push_back(self->env_.table.adopt(devices[i].user, devices[i].id, from, self->self_));
    for (std::size_t i = begin; i < end; ++i) {
      answer rooms = co_await asked[i - begin];
      if (life != self->life_) continue;  // nobody's, or already somebody else's
      if (!rooms) {
        all = false;
        continue;
      }
      const part& of = self->parts_[partition_of(device_of(devices[i]))];
      if (!*rooms || of.now != stage::adopting) continue;
      mqtt::adopted_device device;
      device.user = devices[i].user;
      device.id = devices[i].id;
      device.rooms = std::move(**rooms);
      device.sure = of.gave_it == from;
      if (!device.rooms.empty()) in_rooms.emplace_back(i, device.rooms);
      std::vector<mqtt::adopted_device> one;
      one.push_back(std::move(device));
      self->env_.devices.take_over(std::move(one));
      self->taken_.add();
    }
    if (life != self->life_) co_return false;
    const bool right = co_await check_rooms(self, devices, std::move(in_rooms));
    if (life != self->life_) co_return false;
    all = all && right;
  }
  co_return all;
}

/// Who was put out of a room between the store's answer and the registration here was not seen by anybody.
task<bool> device_partitions::impl::check_rooms(
    std::shared_ptr<impl> self, std::vector<connection_record> devices,
    std::vector<std::pair<std::size_t, std::vector<joined_room>>> in_rooms) {
  const std::uint64_t life = self->life_;
  std::vector<task<result<std::optional<std::vector<joined_room>>>>> asked;
  for (const auto& [i, rooms] : in_rooms)
    asked.push_back(self->env_.table.adopt(devices[i].user, devices[i].id, self->self_, self->self_));
  const auto same_room = [](const joined_room& a, const joined_room& b) { return a.room == b.room; };
  bool all = true;
  for (std::size_t k = 0; k < in_rooms.size(); ++k) {
    const auto now = co_await asked[k];
    if (life != self->life_) continue;
    if (!now) {
      all = false;
    } else if (*now && !std::equal((*now)->begin(), (*now)->end(), in_rooms[k].second.begin(), in_rooms[k].second.end(),
                                   same_room)) {
      self->env_.devices.correct_rooms(devices[in_rooms[k].first].id, **now);
    }
  }
  co_return all;
}

/// Serves them once everything has passed that the one before may have served.
task<void> device_partitions::impl::open_after(std::shared_ptr<impl> self, part_set numbers, task<void> caught_up) {
  const std::uint64_t life = self->life_;
  co_await caught_up;
  if (life != self->life_) co_return;
  part_set opened;
  for (std::size_t i = 0; i < partition_count; ++i) {
    if (!numbers.test(i) || self->parts_[i].now != stage::adopting) continue;
    self->set(i, stage::open);
    opened.set(i);
  }
  if (opened.none()) co_return;
  self->env_.log.write(log_level::info, "partitions_taken",
                       std::to_string(opened.count()) + " parts of the devices are served here now, " +
                           std::to_string(self->open_count()) + " in all");
  self->env_.devices.presence_again();
  co_await settle(self, opened);
}

/// Nothing is left to take over: the table needs not name the leavers any more.
task<void> device_partitions::impl::settle(std::shared_ptr<impl> self, part_set numbers) {
  const std::uint64_t life = self->life_;
  std::map<std::string, std::vector<std::size_t>> by_entry;
  for (std::size_t i = 0; i < partition_count; ++i) {
    if (numbers.test(i) && self->parts_[i].entry != self->self_) by_entry[self->parts_[i].entry].push_back(i);
  }
  for (auto& [from, of] : by_entry) {
    auto moved = co_await self->env_.table.move_partitions(of, from, self->self_);
    if (life != self->life_ || !moved) co_return;  // the next look tries again
    for (const std::size_t number : *moved) {
      if (number < partition_count && self->parts_[number].entry == from) self->parts_[number].entry = self->self_;
    }
  }
}

task<device_partitions::impl::outcome> device_partitions::impl::take_devices_of(
    std::shared_ptr<impl> self, std::string dead, std::vector<connection_record> devices) {
  const std::uint64_t life = self->life_;
  if (self->self_.empty() || self->handing_over_) co_return chat_error(errc::unavailable);
  const versions before = self->current();
  auto table = co_await self->env_.table.partitions();
  if (life != self->life_ || self->handing_over_) co_return chat_error(errc::unavailable);
  if (!table) co_return table.error();
  if (table->size() != partition_count) co_return chat_error(errc::unavailable);
  part_set wanted;
  for (std::size_t i = 0; i < partition_count; ++i) {
    part& p = self->parts_[i];
    if (p.version != before[i] || p.now != stage::foreign) continue;
    p.entry = (*table)[i].incarnation;
    const partition_entry entry = partition_entry::parse(p.entry);
    wanted.set(i, entry.owner == dead || (entry.owner.empty() && entry.names(dead)));
  }
  auto taken = co_await take(self, wanted);
  if (!taken) co_return taken.error();
  if (taken->any()) {
    auto adopted = co_await adopt(self, *taken, false, dead, devices);
    if (!adopted) co_return adopted.error();
  }
  const part_set done = *taken;
  std::erase_if(devices, [&done](const connection_record& record) { return is_within(record, done); });
  if (devices.empty()) co_return std::vector<connection_record>();
  auto left = co_await others_devices(self, std::move(dead), std::move(devices));
  co_return left;
}

/// Devices of the dead one whose parts somebody else has: waits until that one has taken them over. Answers those that
/// nobody will.
task<device_partitions::impl::outcome> device_partitions::impl::others_devices(std::shared_ptr<impl> self,
                                                                               std::string dead,
                                                                               std::vector<connection_record> devices) {
  std::vector<connection_record> hopeless;
  std::erase_if(devices, [&hopeless](const connection_record& record) {
    if (!device_of(record).empty()) return false;
    hopeless.push_back(record);
    return true;
  });
  const std::int64_t until = self->env_.time.steady_ms() + self->options_.lease.count();
  while (!devices.empty()) {
    auto table = co_await self->env_.table.partitions();
    auto records = co_await self->env_.instances.instance_connections(dead);
    if (!table) co_return table.error();
    if (!records) co_return records.error();
    if (table->size() != partition_count) co_return chat_error(errc::unavailable);
    std::set<std::string> there;
    for (const connection_record& record : *records)
      there.insert(record.id.str());
    const bool late = self->env_.time.steady_ms() >= until;
    std::vector<connection_record> waiting;
    for (connection_record& record : devices) {
      if (!there.contains(record.id.str())) continue;  // ended, or taken over
      const std::size_t number = partition_of(device_of(record));
      const bool expected = partition_entry::parse((*table)[number].incarnation).names(dead);
      (expected && !late ? waiting : hopeless).push_back(std::move(record));
    }
    devices = std::move(waiting);
    if (devices.empty()) break;
    const bool same_life = co_await pause(self, self->options_.pause);
    if (!same_life) co_return chat_error(errc::unavailable);
  }
  co_return hopeless;
}

// ---- letting go

/// Takes our name from their entries. Answers those of which it could not.
task<result<part_set>> device_partitions::impl::move_out(std::shared_ptr<impl> self, part_set numbers) {
  const std::uint64_t life = self->life_;
  auto table = co_await self->env_.table.partitions();
  if (!table) co_return table.error();
  if (life != self->life_ || table->size() != partition_count) co_return chat_error(errc::unavailable);
  std::map<std::string, std::vector<std::size_t>> by_entry;
  part_set left;
  for (std::size_t i = 0; i < partition_count; ++i) {
    const std::string& entry = (*table)[i].incarnation;
    if (!numbers.test(i) || partition_entry::parse(entry).owner != self->self_) continue;  // not ours any more
    by_entry[entry].push_back(i);
    left.set(i);
  }
  for (auto& [from, of] : by_entry) {
    const std::string to = partition_entry::parse(from).taken_by("").str();
    auto moved = co_await self->env_.table.move_partitions(of, from, to);
    if (!moved) co_return moved.error();
    self->moved_out_.add(moved->size());
    for (const std::size_t number : *moved) {
      if (number < partition_count) left.reset(number);
    }
  }
  co_return left;
}

/// Lets go of their devices, then gives the parts to whoever takes them.
task<void> device_partitions::impl::give(std::shared_ptr<impl> self, part_set numbers) {
  const std::uint64_t life = self->life_;
  self->giving_ = true;
  for (std::size_t i = 0; i < partition_count; ++i) {
    if (numbers.test(i)) self->set(i, stage::giving);
  }
  auto selected = [numbers](std::string_view device) { return numbers.test(partition_of(device)); };
  co_await self->env_.devices.let_go(std::move(selected), self->options_.patience);
  if (life != self->life_) co_return;
  part_set left = numbers;
  for (int attempt = 1; attempt <= move_attempts && left.any(); ++attempt) {
    if (attempt > 1) {
      const bool same_life = co_await pause(self, retry_pause);
      if (!same_life) co_return;
    }
    auto still = co_await move_out(self, left);
    if (life != self->life_) co_return;
    if (still) left = *still;
  }
  // what could not be given away is taken over again at the next look
  for (std::size_t i = 0; i < partition_count; ++i) {
    if (numbers.test(i)) self->set(i, stage::foreign);
  }
  self->giving_ = false;
  self->env_.log.write(log_level::info, "partitions_given",
                       std::to_string(numbers.count()) + " parts of the devices go to others, " +
                           std::to_string(self->open_count()) + " stay");
}

task<void> device_partitions::impl::hand_over_all(std::shared_ptr<impl> self) {
  self->handing_over_ = true;
  self->look_timer_.cancel();
  const std::int64_t until = self->env_.time.steady_ms() + self->options_.patience.count();
  while ((self->adoptions_ > 0 || self->giving_) && self->env_.time.steady_ms() < until) {
    const bool same_life = co_await pause(self, retry_pause);
    if (!same_life) co_return;
  }
  part_set all;
  for (std::size_t i = 0; i < partition_count; ++i)
    all.set(i, self->parts_[i].now == stage::open || self->parts_[i].now == stage::adopting);
  if (all.any()) co_await give(self, all);
}

}  // namespace roombus::cluster
