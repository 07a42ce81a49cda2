#include "bridge/cluster/device_partitions.hpp"

#include <algorithm>
#include <utility>

#include "bridge/cluster/device_partitions_impl.hpp"

namespace roombus::cluster {

namespace {

constexpr std::chrono::milliseconds longest_pause{2000};

}  // namespace

device_partitions::impl::impl(partition_options options, environment env)
    : options_(options),
      env_(env),
      taken_(env.metrics.add_counter("roombus_devices_taken_over_total",
                                     "Connections of devices that another instance served before.")),
      moved_in_(env.metrics.add_counter("roombus_device_partition_moves_total",
                                        "Parts of the devices that came to this instance, or left it.",
                                        "direction=\"in\"")),
      moved_out_(env.metrics.add_counter("roombus_device_partition_moves_total",
                                         "Parts of the devices that came to this instance, or left it.",
                                         "direction=\"out\"")) {}

void device_partitions::impl::set(std::size_t number, stage now) {
  parts_[number].now = now;
  ++parts_[number].version;
}

device_partitions::impl::versions device_partitions::impl::current() const {
  versions out{};
  for (std::size_t i = 0; i < partition_count; ++i)
    out[i] = parts_[i].version;
  return out;
}

bool device_partitions::impl::is_living(const std::string& name) const {
  return std::find(living_.begin(), living_.end(), name) != living_.end();
}

bool device_partitions::impl::owns(std::string_view device) const {
  return confirmed_ && parts_[partition_of(device)].now == stage::open &&
         env_.time.steady_ms() - confirmed_ms_ < options_.lease.count();
}

std::size_t device_partitions::impl::open_count() const {
  return static_cast<std::size_t>(
      std::count_if(parts_.begin(), parts_.end(), [](const part& p) { return p.now == stage::open; }));
}

std::string device_partitions::impl::wanted() const {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < partition_count; i += 4) {
    std::size_t digit = 0;
    for (std::size_t bit = 0; bit < 4; ++bit) {
      const stage now = parts_[i + bit].now;
      if (now == stage::open || now == stage::adopting) digit |= std::size_t{1} << bit;
    }
    out.push_back(digits[digit]);
  }
  return out;
}

void device_partitions::impl::start(std::string self) {
  if (self == self_) return;
  const bool renamed = !self_.empty();
  self_ = std::move(self);
  ++life_;
  living_.clear();
  confirmed_ = false;
  handing_over_ = false;
  giving_ = false;
  for (std::size_t i = 0; i < partition_count; ++i) {
    set(i, stage::foreign);
    parts_[i].entry.clear();
  }
  if (!renamed) return;
  env_.log.write(log_level::warning, "devices_forgotten",
                 "this instance goes by another name; others serve its devices, or it takes them over again");
  auto everybody = [](std::string_view) { return true; };
  env_.devices.let_go(std::move(everybody), std::chrono::milliseconds(0)).detach();
}

void device_partitions::impl::members_changed(std::vector<std::string> living) {
  std::sort(living.begin(), living.end());
  if (living != living_) wait_ = options_.pause;
  living_ = std::move(living);
  told_ms_ = env_.time.steady_ms();
  look();
}

void device_partitions::impl::detach() {
  ++life_;
  handing_over_ = true;
  look_timer_.cancel();
}

// ---- reading the table

void device_partitions::impl::look() {
  if (self_.empty() || handing_over_) return;
  look_again_ = true;
  if (looking_) return;
  looking_ = true;
  look_on(shared_from_this()).detach();
}

void device_partitions::impl::look_later() {
  look_timer_ = env_.timers.after(wait_, [this] { look(); });
  wait_ = std::min(wait_ * 2, longest_pause);
}

task<void> device_partitions::impl::look_on(std::shared_ptr<impl> self) {
  while (std::exchange(self->look_again_, false) && !self->handing_over_)
    co_await look_once(self);
  self->looking_ = false;
  if (self->handing_over_) co_return;
  if (self->due_) {
    self->look_later();
  } else {
    self->look_timer_.cancel();
    self->wait_ = self->options_.pause;
  }
}

task<void> device_partitions::impl::look_once(std::shared_ptr<impl> self) {
  const std::uint64_t life = self->life_;
  const versions before = self->current();
  const std::int64_t told = self->told_ms_;
  self->due_ = true;  // unless it turns out otherwise
  auto table = co_await self->env_.table.partitions();
  if (life != self->life_) co_return;
  if (!table || table->size() != partition_count) {
    self->env_.log.write(log_level::warning, "partitions_unknown", "the store does not tell who serves which devices");
    co_return;
  }
  self->confirmed_ = true;
  self->confirmed_ms_ = told;
  self->note_who_left(*table);
  part_set lost;
  part_set resume;
  part_set unsettled;
  for (std::size_t i = 0; i < partition_count; ++i) {
    part& p = self->parts_[i];
    if (p.version != before[i] || p.now == stage::adopting || p.now == stage::giving) continue;
    p.entry = (*table)[i].incarnation;
    const partition_entry entry = partition_entry::parse(p.entry);
    const bool ours = entry.owner == self->self_;
    if (p.now == stage::open && !ours) {
      lost.set(i);
      self->set(i, stage::foreign);
    } else if (p.now == stage::open) {
      unsettled.set(i, !entry.leavers.empty());
    } else if (ours) {
      resume.set(i);
      p.gave_it.clear();
      self->set(i, stage::adopting);
    }
  }
  if (lost.any()) {
    // others took us for dead, and go on with these devices
    self->env_.log.write(log_level::warning, "partitions_lost",
                         std::to_string(lost.count()) + " parts of the devices are served by others now");
    auto selected = [lost](std::string_view device) { return lost.test(partition_of(device)); };
    self->env_.devices.let_go(std::move(selected), std::chrono::milliseconds(0)).detach();
  }
  if (unsettled.any()) settle(self, unsettled).detach();
  if (resume.any()) {
    std::string nobody;
    std::vector<connection_record> none;
    adopt(self, resume, true, std::move(nobody), std::move(none)).detach();
  }

  std::set<std::string> registered;
  const bool strangers = self->has_strangers();
  if (strangers) {
    auto lives = co_await self->env_.table.lives();
    if (life != self->life_ || !lives) co_return;
    for (const instance_life& one : *lives)
      registered.insert(one.incarnation);
  }
  const part_set wanted = self->claimable(registered);
  if (wanted.any()) {
    auto got = co_await take(self, wanted);
    if (life != self->life_ || !got) co_return;
    if (got->any()) {
      self->wait_ = self->options_.pause;
      std::string nobody;
      std::vector<connection_record> none;
      adopt(self, *got, false, std::move(nobody), std::move(none)).detach();
    }
  }
  self->give_some();
  bool due = unsettled.any() || self->giving_;
  for (std::size_t i = 0; i < partition_count && !due; ++i) {
    const std::string target = partition_target(i, self->sharing_);
    const bool ours = self->parts_[i].now == stage::open || self->parts_[i].now == stage::adopting;
    due = !target.empty() && (target == self->self_) != ours;
  }
  self->due_ = due;
}

/// One that stops gives everything away, also what should be its own; for a while it may still be taken for living.
void device_partitions::impl::note_who_left(const std::vector<partition_owner>& table) {
  std::set<std::string> owners;
  std::set<std::string> givers;
  for (std::size_t i = 0; i < partition_count; ++i) {
    const partition_entry entry = partition_entry::parse(table[i].incarnation);
    if (!entry.owner.empty()) {
      owners.insert(entry.owner);
    } else if (!entry.leavers.empty() && partition_target(i, living_) == entry.leavers.front()) {
      givers.insert(entry.leavers.front());
    }
  }
  left_.merge(givers);
  std::erase_if(left_,
                [&](const std::string& name) { return name == self_ || owners.contains(name) || !is_living(name); });
  sharing_.clear();
  for (const std::string& name : living_)
    if (!left_.contains(name)) sharing_.push_back(name);
}

/// Some part belongs to somebody who is not known to live.
bool device_partitions::impl::has_strangers() const {
  return std::any_of(parts_.begin(), parts_.end(), [this](const part& p) {
    if (p.now != stage::foreign) return false;
    const std::string owner = partition_entry::parse(p.entry).owner;
    return !owner.empty() && !is_living(owner);
  });
}

/// Parts that should be ours, and that nobody has, or somebody who has been forgotten by everybody: `registered` are
/// those who live, and those who are still to be recovered.
part_set device_partitions::impl::claimable(const std::set<std::string>& registered) const {
  part_set out;
  for (std::size_t i = 0; i < partition_count; ++i) {
    if (parts_[i].now != stage::foreign || partition_target(i, sharing_) != self_) continue;
    const std::string owner = partition_entry::parse(parts_[i].entry).owner;
    out.set(i, owner.empty() || (!is_living(owner) && !registered.contains(owner)));
  }
  return out;
}

/// The next portion of what should belong to others.
void device_partitions::impl::give_some() {
  if (giving_) return;
  // one who has to show itself does so to one instance; parts without such devices go first
  part_set doubtful;
  env_.devices.for_each_uncertain([&doubtful](std::string_view device) { doubtful.set(partition_of(device)); });
  part_set surplus;
  for (std::size_t i = 0; i < partition_count && surplus.count() < options_.portion; ++i) {
    if (parts_[i].now != stage::open || doubtful.test(i)) continue;
    const std::string target = partition_target(i, sharing_);
    surplus.set(i, !target.empty() && target != self_);
  }
  if (surplus.none()) return;
  give(shared_from_this(), surplus).detach();
}

// ---- device_partitions

device_partitions::device_partitions(partition_options options, environment env)
    : impl_(std::make_shared<impl>(options, env)) {
  const std::weak_ptr<impl> weak = impl_;
  mqtt::device_sharing how;
  how.owns = [weak](std::string_view device) {
    const auto self = weak.lock();
    return self && self->owns(device);
  };
  how.nonce = random_hex(env.random, 8);
  how.parts = [weak] {
    const auto self = weak.lock();
    return self ? self->wanted() : std::string();
  };
  env.devices.share_devices(std::move(how));
  env.metrics.add_gauge("roombus_device_partitions", "Parts of the devices, of 256, that this instance serves.",
                        [weak] {
                          const auto self = weak.lock();
                          return self ? static_cast<double>(self->open_count()) : 0.0;
                        });
}

device_partitions::~device_partitions() {
  impl_->detach();
}

void device_partitions::start(std::string self) {
  impl_->start(std::move(self));
}

void device_partitions::members_changed(std::vector<std::string> living) {
  impl_->members_changed(std::move(living));
}

task<result<std::vector<connection_record>>> device_partitions::take_devices_of(
    std::string dead, std::vector<connection_record> devices) {
  return impl::take_devices_of(impl_, std::move(dead), std::move(devices));
}

task<void> device_partitions::hand_over_all() {
  return impl::hand_over_all(impl_);
}

bool device_partitions::owns(std::string_view device) const {
  return impl_->owns(device);
}

std::size_t device_partitions::open_count() const {
  return impl_->open_count();
}

}  // namespace roombus::cluster
