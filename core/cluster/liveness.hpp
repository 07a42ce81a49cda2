#pragma once

// Who of the instances lives. Each shows it by a heartbeat in the store; one whose heartbeat has not changed for
// `heartbeat_timeout`, by our own steady clock, is dead and gets recovered: for that, wall clocks of different machines
// are not compared. An instance that could not show itself for so long, or that others took for dead, has fallen: it
// serves nobody until it has a new name. Source: design §5, "Stalled instances", §6, "Instances".

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/options.hpp"
#include "core/ports/cluster_store.hpp"
#include "core/ports/environment.hpp"

namespace roombus {

class liveness_owner {
 public:
  virtual ~liveness_owner() = default;
  /// Recovers what a dead incarnation left behind; called once at a time.
  virtual task<result<void>> recover_dead(std::string dead) = 0;
  /// `living` has changed, or a heartbeat has passed.
  virtual void members_changed() = 0;
  /// Nobody may be served from now on.
  virtual void fallen() = 0;
  /// An incarnation was declared dead; if it lives, it is to let go of everybody and say so.
  virtual void tell_dead(const std::string& incarnation) = 0;
  /// It has a new name: completes when whatever goes by it is known under it, false when that cannot be now.
  virtual task<bool> renamed() = 0;
};

class liveness {
 public:
  struct environment {
    cluster_store& data;
    clock& time;
    random_source& random;
    scheduler& timers;
    log_sink& log;
    const chat_options& options;
  };

  liveness(liveness_owner& owner, std::string instance, environment env);

  /// Registers and looks around. Errors: unavailable.
  task<result<void>> start();
  /// No more heartbeats.
  void stop();

  [[nodiscard]] const std::string& instance() const { return instance_; }
  [[nodiscard]] const std::string& incarnation() const { return incarnation_; }
  /// True for lives of the given instance.
  [[nodiscard]] static bool is_life_of(const std::string& incarnation, const std::string& instance);
  [[nodiscard]] bool is_living(const std::string& incarnation) const { return seen_.contains(incarnation); }
  [[nodiscard]] std::vector<std::string> living() const;
  /// Looks at the clock, too: after a pause of the whole process this is what finds it out.
  [[nodiscard]] bool is_fallen();

  /// Another instance said so itself.
  void came(const std::string& incarnation);
  void left(const std::string& incarnation);
  /// It did not answer in time: it is dead from now on. It is recovered as soon as it has said that it serves nobody,
  /// or can be sure to have noticed by itself.
  void declare_dead(const std::string& incarnation);
  /// It has said that it serves nobody under this name.
  void has_fallen(const std::string& incarnation);
  /// Others have taken this incarnation for dead.
  void fall();
  /// Reads who lives; for those who must not miss anybody. Errors: unavailable.
  task<result<std::vector<std::string>>> read_living();
  /// Recovers an incarnation now.
  task<result<void>> recover(std::string dead);
  /// Asked between the steps of a long recovery. False: somebody else is at it now.
  task<bool> keep_recovery(std::string dead);

 private:
  struct sighting {
    std::string beat;
    std::int64_t since_ms = 0;  ///< steady: when `beat` was seen first
  };

  [[nodiscard]] std::string fresh_incarnation();
  task<result<void>> enter();
  void beat_later(std::chrono::milliseconds delay);
  task<void> beat();
  task<void> rise();
  task<void> look_around();
  task<void> recover_all_dead();
  task<void> mark_dead(std::string incarnation);
  void recover_soon();

  liveness_owner& owner_;
  std::string instance_;
  std::string incarnation_;
  environment env_;
  std::shared_ptr<bool> exists_ = std::make_shared<bool>(true);
  std::map<std::string, sighting> seen_;  ///< those who live, as far as we know
  std::set<std::string> dead_;            ///< to be recovered
  /// Dead, but may not know it before this time (steady); none while the store could not be told.
  std::map<std::string, std::optional<std::int64_t>> declared_;
  std::map<std::string, std::int64_t> recovery_lease_;  ///< of the dead that are being recovered, since when (steady)
  std::int64_t shown_ms_ = 0;                           ///< steady: begin of the last heartbeat that succeeded
  bool started_ = false;
  bool fallen_ = false;
  bool rising_ = false;
  bool recovering_ = false;
  timer_handle timer_;
};

}  // namespace roombus
