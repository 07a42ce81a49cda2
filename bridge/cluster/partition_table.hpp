#pragma once

// The table of who serves which part of the devices, without any waiting: how devices are divided, whose turn a part
// is, and what an entry of the table says.
//
// An entry is a text, names separated by `<`, which no incarnation's name has:
//   ""       nobody has the part, nobody left anything
//   "<A"     nobody has it; the devices that A served go on under whoever takes it
//   "B<A"    B has it, and is taking over what A left (there may be more: "B<A<C")
//   "B"      B has it, and serves all its devices

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace roombus::cluster {

/// Number of the part that a device "user/client" belongs to: the 64 bits of FNV-1a, both halves xor-ed, modulo
/// `partition_count`.
[[nodiscard]] std::size_t partition_of(std::string_view device);

/// Who of `living` a part should belong to: the highest hash of name and number wins, so that each has about its share,
/// and a change of the members moves no more than it must. "" when nobody lives.
[[nodiscard]] std::string partition_target(std::size_t number, const std::vector<std::string>& living);

struct partition_entry {
  std::string owner;                 ///< "" for nobody
  std::vector<std::string> leavers;  ///< whose devices are to be taken over, the latest first

  [[nodiscard]] static partition_entry parse(std::string_view text);
  [[nodiscard]] std::string str() const;
  /// The entry after `next` has taken it: what the owner served, unless that is `next`, is to be taken over, too.
  /// Names beyond 8 are dropped, the oldest first.
  [[nodiscard]] partition_entry taken_by(const std::string& next) const;
  [[nodiscard]] bool names(std::string_view who) const;
};

}  // namespace roombus::cluster
