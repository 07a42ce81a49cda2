#include "bridge/server/serve.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ostream>

#include "adapters/loop/event_loop.hpp"
#include "bridge/server/admin_keys.hpp"
#include "bridge/server/descriptor_limit.hpp"
#include "bridge/server/dev_hints.hpp"
#include "bridge/server/instance.hpp"
#include "bridge/server/ready_file.hpp"
#include "bridge/server/stream_log.hpp"

namespace roombus::server {

namespace {

roombus::log_level least_level(log_level configured) {
  switch (configured) {
    case log_level::error:
      return roombus::log_level::error;
    case log_level::warning:
      return roombus::log_level::warning;
    case log_level::info:
      return roombus::log_level::info;
    case log_level::debug:
      return roombus::log_level::debug;
  }
  return roombus::log_level::info;
}

/// Adds a key of the server API for this run, where --dev asks for one; answers it, or "".
std::string make_dev_key(config& settings) {
  system_random random;
  std::string key = random_id(random);
  return add_dev_key(settings, key) ? key : std::string();
}

/// One run of the program, from start to exit code.
class run {
 public:
  run(config settings, std::string ready_file, std::ostream& out, std::ostream& err)
      : dev_key_(make_dev_key(settings)),
        few_descriptors_(fit_connections(settings, raise_descriptor_limit())),
        settings_(std::move(settings)),
        ready_file_(std::move(ready_file)),
        out_(out),
        log_(err, settings_.log.format, least_level(settings_.log.level)),
        instance_(settings_, loop_, log_) {}

  int to_the_end() {
    if (!few_descriptors_.empty()) log_.write(roombus::log_level::warning, "few_descriptors", few_descriptors_);
    loop_.on_signal([this](int number) { on_signal(number); });
    instance_.start([this] { on_ready(); },
                    [this](const std::string& reason) {
                      log_.write(roombus::log_level::error, "start_failed", reason);
                      stop(EXIT_FAILURE);
                    });
    loop_.run();
    if (ready_ && !ready_file_.empty()) std::remove(ready_file_.c_str());
    return exit_code_;
  }

 private:
  void on_ready() {
    ready_ = true;
    ready_info info;
    info.http = instance_.http_address().str();
    info.admin = instance_.admin_address().str();
    if (auto mqtt = instance_.mqtt_address()) info.mqtt = mqtt->str();
    info.instance = instance_.id();
    log_.write(roombus::log_level::info, "ready",
               "instance " + info.instance + " serves http://" + info.http +
                   (info.mqtt ? " and devices at " + *info.mqtt : std::string()));
    if (settings_.auth.dev) {
      dev_addresses where;
      where.http = instance_.http_address();
      where.admin = instance_.admin_address();
      where.api_key = dev_key_;
      // of a given broker we do not know where and how devices get in
      if (settings_.mqtt.broker.kind == broker_kind::embedded) where.mqtt = instance_.mqtt_address();
      where.prefix = settings_.mqtt.prefix;
      if (!settings_.rooms.empty()) where.room = settings_.rooms.front().name.str();
      print_dev_hints(out_, where);
    }
    if (ready_file_.empty()) return;
    const std::string problem = write_ready_file(ready_file_, info);
    if (problem.empty()) return;
    log_.write(roombus::log_level::error, "ready_file_failed", problem);
    stop(EXIT_FAILURE);
  }

  void on_signal(int number) {
    if (number == SIGHUP) {
      log_.write(roombus::log_level::info, "reload", "files with keys and passwords are read again");
      instance_.reload();
      return;
    }
    if (stopping_) {
      log_.write(roombus::log_level::warning, "stop_forced", "second signal, ending at once");
      exit_code_ = EXIT_FAILURE;
      loop_.stop();
      return;
    }
    log_.write(roombus::log_level::info, "stopping", "signal " + std::to_string(number));
    stop(EXIT_SUCCESS);
  }

  void stop(int code) {
    if (stopping_) return;
    stopping_ = true;
    exit_code_ = code;
    instance_.stop([this](bool clean) {
      if (!clean) {
        log_.write(roombus::log_level::error, "stop_incomplete", "not everything ended within chat.close_timeout");
        exit_code_ = EXIT_FAILURE;
      }
      log_.write(roombus::log_level::info, "stopped", "exit code " + std::to_string(exit_code_));
      loop_.stop();
    });
  }

  std::string dev_key_;          // before settings_, to which it is added
  std::string few_descriptors_;  // before settings_, whose connections they bound
  const config settings_;
  std::string ready_file_;
  std::ostream& out_;
  stream_log log_;
  event_loop loop_;
  instance instance_;
  bool ready_ = false;
  bool stopping_ = false;
  int exit_code_ = EXIT_SUCCESS;
};

}  // namespace

int serve(const config& settings, const std::string& ready_file, std::ostream& out, std::ostream& err) {
  return run(settings, ready_file, out, err).to_the_end();
}

}  // namespace roombus::server
