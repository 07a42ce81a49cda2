#pragma once

// The way to the writer's thread and back: changes go in order, many are committed at once, and answers come back on
// the core's thread in the order in which the changes were handed over.
//
// When a commit fails, none of its changes has happened, and neither does any change that was handed over before the
// core learned of the failure (it may rest on the failed ones): all of them answer false. Then `on_failure` is called,
// before the first of them answers, and what is handed over from then on is tried anew. When nothing is handed over,
// the queue tries by itself, so that it is known when the trouble is over.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "adapters/sqlite/tables.hpp"
#include "core/metrics.hpp"
#include "core/ports/environment.hpp"
#include "core/task.hpp"

namespace roombus::sqlite {

class commit_queue {
 public:
  struct bounds {
    std::size_t jobs = 0;
    std::size_t bytes = 0;
  };
  using job_function = std::function<void(tables&)>;

  commit_queue(std::unique_ptr<tables> rows, bounds limits, scheduler& turns, log_sink& log, metrics_registry& metrics,
               std::function<void()> on_failure);
  /// Commits what was handed over, and ends the thread. Who still waits is not answered.
  ~commit_queue();
  commit_queue(const commit_queue&) = delete;
  commit_queue& operator=(const commit_queue&) = delete;

  /// Whether another change of `bytes` fits. A change that does not is answered false at once, without a failure.
  [[nodiscard]] bool has_room(std::size_t bytes) const;
  /// Why the last commit failed; empty when it did not. While it is set, commits are tried until one succeeds.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  /// Completes with true when the change is committed.
  completion<bool> write(job_function change, std::size_t bytes);
  /// Completes with true behind everything handed over so far, whatever came of it.
  completion<bool> barrier();
  /// Runs `look` on committed rows, behind the changes handed over so far. Completes with false if it failed.
  completion<bool> read(job_function look);

 private:
  enum class kind : std::uint8_t { write, barrier, read };
  struct job {
    kind what;
    job_function fn;
    completion<bool> done;
    std::size_t bytes = 0;
    std::uint64_t generation = 0;
    bool good = false;
  };
  using job_list = std::vector<job>;
  struct life {
    commit_queue* owner;
  };

  completion<bool> push(kind what, job_function fn, std::size_t bytes);
  void run();
  std::string write_all(job_list& jobs);
  void read_all(job_list& jobs);
  void post_answers(std::shared_ptr<job_list> jobs, bool reads, std::string failure);
  void answer(job_list& jobs, bool reads, const std::string& failure);
  void try_again_later();

  std::unique_ptr<tables> rows_;
  bounds limits_;
  scheduler& turns_;
  log_sink& log_;
  std::function<void()> on_failure_;
  counter& commits_;
  counter& changes_;
  counter& failures_;
  std::shared_ptr<life> life_;  // shared with posted functions, which may run when the queue is gone

  // the core's thread
  std::uint64_t generation_ = 1;
  std::size_t pending_ = 0;
  std::size_t pending_bytes_ = 0;
  std::string trouble_;
  timer_handle next_try_;

  // the writer's thread
  std::uint64_t failed_generation_ = 0;

  // both
  std::mutex lock_;
  std::condition_variable wake_;
  job_list incoming_;
  bool ending_ = false;
  std::thread writer_;
};

}  // namespace roombus::sqlite
