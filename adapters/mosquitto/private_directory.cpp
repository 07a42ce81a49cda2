#include "adapters/mosquitto/private_directory.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace roombus::mosquitto {

namespace {

constexpr std::string_view name_begins = "roombus-mosquitto-";
constexpr const char* lock_name = "lock";

/// A lock that ends with the process; -1 when somebody else has it, or without such a file.
int take_lock(const std::string& path, int more_flags) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | more_flags, 0600);
  if (fd < 0) return -1;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  close(fd);
  return -1;
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

private_directory::private_directory(std::string account) : account_(std::move(account)) {
  std::error_code ignored;
  std::string parent = std::filesystem::temp_directory_path(ignored).string();
  if (parent.empty()) parent = "/tmp";
  remove_abandoned(parent);
  std::string pattern = parent + "/" + std::string(name_begins) + "XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) return;  // made with mode 0700
  path_ = pattern;
  // whoever finds the lock's file finds it locked
  lock_ = take_lock(file("lock.new"), O_CREAT | O_EXCL);
  if (lock_ >= 0) (void)std::rename(file("lock.new").c_str(), file(lock_name).c_str());
  give_away(path_);
}

private_directory::~private_directory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  if (lock_ >= 0) close(lock_);
}

void private_directory::remove_abandoned(const std::string& parent) const {
  const passwd* account = geteuid() == 0 ? getpwnam(account_.c_str()) : nullptr;
  std::error_code error;
  for (std::filesystem::directory_iterator it(parent, error), end; !error && it != end; it.increment(error)) {
    const std::string path = it->path().string();
    if (!it->path().filename().string().starts_with(name_begins)) continue;
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) continue;
    if (info.st_uid != geteuid() && (account == nullptr || info.st_uid != account->pw_uid)) continue;
    const int lock = take_lock(path + "/" + lock_name, 0);
    if (lock < 0) continue;  // in use, or about to be
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
    close(lock);
  }
}

bool private_directory::write(const std::string& name, const std::string& content) const {
  const std::string made = file(name) + ".new";
  // the account may write here, too: nothing that it put there is followed
  (void)unlink(made.c_str());
  const int fd = open(made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const passwd* account = geteuid() == 0 ? getpwnam(account_.c_str()) : nullptr;
  if (account != nullptr) (void)!fchown(fd, account->pw_uid, account->pw_gid);
  const bool written = write_all(fd, content);
  close(fd);
  return written && std::rename(made.c_str(), file(name).c_str()) == 0;
}

void private_directory::give_away(const std::string& path) const {
  if (geteuid() != 0) return;
  if (const passwd* account = getpwnam(account_.c_str())) {
    (void)!lchown(path.c_str(), account->pw_uid, account->pw_gid);
  }
}

}  // namespace roombus::mosquitto
