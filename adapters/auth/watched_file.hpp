#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>

namespace roombus::auth {

/// A file of keys or passwords that is read again when it has changed.
class watched_file {
 public:
  watched_file(std::string path, std::size_t max_bytes) : path_(std::move(path)), max_bytes_(max_bytes) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  /// True when the file is another one than at the last `read`, or cannot be looked at for the first time.
  [[nodiscard]] bool has_changed() const;
  /// Reads all of it. An answer that is not empty tells why that was not possible.
  [[nodiscard]] std::string read(std::string& content);

 private:
  /// device, inode, size, times of change in ns; zeros: none
  using stamp = std::tuple<std::uint64_t, std::uint64_t, std::int64_t, std::int64_t, std::int64_t>;
  [[nodiscard]] stamp look(bool& regular) const;

  std::string path_;
  std::size_t max_bytes_;
  stamp seen_{};
};

}  // namespace roombus::auth
