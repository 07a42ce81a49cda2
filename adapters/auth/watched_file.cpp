#include "adapters/auth/watched_file.hpp"

#include <sys/stat.h>

#include <fstream>

namespace roombus::auth {

namespace {

std::int64_t in_ns(const timespec& time) {
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

}  // namespace

watched_file::stamp watched_file::look(bool& regular) const {
  struct stat info {};
  regular = stat(path_.c_str(), &info) == 0 && S_ISREG(info.st_mode);
  if (!regular) return {};
  return {info.st_dev, info.st_ino, info.st_size, in_ns(info.st_mtim), in_ns(info.st_ctim)};
}

bool watched_file::has_changed() const {
  bool regular = false;
  return look(regular) != seen_;
}

std::string watched_file::read(std::string& content) {
  bool regular = false;
  seen_ = look(regular);  // before reading: what is written meanwhile counts as a change
  if (!regular) return path_ + ": cannot be read, or is no regular file";
  std::ifstream in(path_, std::ios::binary);
  content.clear();
  char block[4096];
  while (in && content.size() <= max_bytes_) {
    in.read(block, sizeof block);
    content.append(block, static_cast<std::size_t>(in.gcount()));
  }
  if (content.size() > max_bytes_) return path_ + ": longer than " + std::to_string(max_bytes_) + " bytes";
  if (!in.eof() || in.bad()) return path_ + ": cannot be read";
  return "";
}

}  // namespace roombus::auth
