#pragma once

// The inside of `device_partitions`: device_partitions.cpp reads the table and decides what to take and what to give
// away, device_handover.cpp takes devices over and lets them go.

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "bridge/cluster/device_partitions.hpp"
#include "bridge/cluster/partition_table.hpp"

namespace roombus::cluster {

using part_set = std::bitset<partition_count>;

class device_partitions::impl final : public std::enable_shared_from_this<device_partitions::impl> {
 public:
  impl(partition_options options, environment env);

  void start(std::string self);
  void members_changed(std::vector<std::string> living);
  static task<result<std::vector<connection_record>>> take_devices_of(std::shared_ptr<impl> self, std::string dead,
                                                                      std::vector<connection_record> devices);
  static task<void> hand_over_all(std::shared_ptr<impl> self);
  [[nodiscard]] bool owns(std::string_view device) const;
  [[nodiscard]] std::size_t open_count() const;
  /// Parts that are open, or about to be, as 64 hexadecimal digits.
  [[nodiscard]] std::string wanted() const;
  /// Nothing is done any more.
  void detach();

 private:
  enum class stage : std::uint8_t { foreign, adopting, open, giving };
  struct part {
    stage now = stage::foreign;
    std::string entry;          ///< of the table, as last read or written
    std::string gave_it;        ///< who gave it away to us, being sure of its devices; "" otherwise
    std::uint64_t version = 0;  ///< new with each change of `now`, so that whoever waited sees it
  };
  using versions = std::array<std::uint64_t, partition_count>;
  using outcome = result<std::vector<connection_record>>;

  void set(std::size_t number, stage now);
  [[nodiscard]] versions current() const;
  [[nodiscard]] bool is_living(const std::string& name) const;

  // reading the table
  void look();
  void look_later();
  static task<void> look_on(std::shared_ptr<impl> self);
  static task<void> look_once(std::shared_ptr<impl> self);
  [[nodiscard]] part_set claimable(const std::set<std::string>& registered) const;
  [[nodiscard]] bool has_strangers() const;
  void note_who_left(const std::vector<partition_owner>& table);
  void give_some();

  // taking over
  static task<result<part_set>> take(std::shared_ptr<impl> self, part_set wanted);
  static task<outcome> adopt(std::shared_ptr<impl> self, part_set numbers, bool resumed, std::string dead,
                             std::vector<connection_record> devices);
  static task<bool> adopt_from(std::shared_ptr<impl> self, std::string from, part_set numbers,
                               std::vector<connection_record> devices);
  static task<bool> check_rooms(std::shared_ptr<impl> self, std::vector<connection_record> devices,
                                std::vector<std::pair<std::size_t, std::vector<joined_room>>> in_rooms);
  static task<void> open_after(std::shared_ptr<impl> self, part_set numbers, task<void> caught_up);
  static task<void> settle(std::shared_ptr<impl> self, part_set numbers);
  static task<outcome> others_devices(std::shared_ptr<impl> self, std::string dead,
                                      std::vector<connection_record> devices);

  // letting go
  static task<result<part_set>> move_out(std::shared_ptr<impl> self, part_set numbers);
  static task<void> give(std::shared_ptr<impl> self, part_set numbers);
  static task<bool> pause(std::shared_ptr<impl> self, std::chrono::milliseconds how_long);

  const partition_options options_;
  environment env_;
  counter& taken_;
  counter& moved_in_;
  counter& moved_out_;
  std::string self_;
  std::uint64_t life_ = 0;  ///< changes with the name; whoever waited under another one stops
  std::vector<std::string> living_;
  std::set<std::string> left_;        ///< of these, who has given everything away and takes nothing any more
  std::vector<std::string> sharing_;  ///< the others
  std::array<part, partition_count> parts_;
  std::int64_t told_ms_ = 0;       ///< steady time of the last `members_changed`
  std::int64_t confirmed_ms_ = 0;  ///< the same, of the last one that was followed by a successful look
  bool confirmed_ = false;
  bool looking_ = false;
  bool look_again_ = false;
  bool due_ = false;  ///< parts are to change hands
  std::chrono::milliseconds wait_{0};
  timer_handle look_timer_;
  std::size_t adoptions_ = 0;  ///< running
  bool giving_ = false;
  bool handing_over_ = false;
};

}  // namespace roombus::cluster
