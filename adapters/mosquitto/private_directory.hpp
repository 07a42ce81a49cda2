#pragma once

#include <string>

namespace roombus::mosquitto {

/// A directory below TMPDIR that nobody else may read and that goes with the object. Started as root it belongs to the
/// given account, as which the child then runs. A new one first removes those that killed processes left behind: the
/// owner of each holds a lock in it.
class private_directory {
 public:
  explicit private_directory(std::string account);
  private_directory(const private_directory&) = delete;
  private_directory& operator=(const private_directory&) = delete;
  ~private_directory();

  /// Empty when it could not be made.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  /// Writes a file of mode 0600 as a whole: whoever reads it meanwhile reads the old or the new one.
  [[nodiscard]] bool write(const std::string& name, const std::string& content) const;
  /// To the account, when started as root.
  void give_away(const std::string& path) const;

 private:
  void remove_abandoned(const std::string& parent) const;

  std::string account_;
  std::string path_;
  int lock_ = -1;
};

}  // namespace roombus::mosquitto
