#include "adapters/sqlite/commit_queue.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace roombus::sqlite {

namespace {
constexpr std::chrono::milliseconds retry_pause{1000};
}  // namespace

commit_queue::commit_queue(std::unique_ptr<tables> rows, bounds limits, scheduler& turns, log_sink& log,
                           metrics_registry& metrics, std::function<void()> on_failure)
    : rows_(std::move(rows)),
      limits_(limits),
      turns_(turns),
      log_(log),
      on_failure_(std::move(on_failure)),
      commits_(metrics.add_counter("roombus_store_commits_total", "Commits of the SQLite store.")),
      changes_(metrics.add_counter("roombus_store_changes_total", "Changes committed by the SQLite store.")),
      failures_(metrics.add_counter("roombus_store_failures_total", "Commits of the SQLite store that failed.")),
      life_(std::make_shared<life>(life{this})) {
  metrics.add_gauge("roombus_store_pending", "Changes and reads that wait for the SQLite store.",
                    [weak = std::weak_ptr<life>(life_)] {
                      const auto living = weak.lock();
                      return living && living->owner != nullptr ? static_cast<double>(living->owner->pending_) : 0.0;
                    });
  writer_ = std::thread([this] { run(); });
}

commit_queue::~commit_queue() {
  life_->owner = nullptr;
  {
    const std::lock_guard guard(lock_);
    ending_ = true;
  }
  wake_.notify_one();
  writer_.join();
}

bool commit_queue::has_room(std::size_t bytes) const {
  return pending_ < limits_.jobs && pending_bytes_ + bytes <= limits_.bytes;
}

completion<bool> commit_queue::write(job_function change, std::size_t bytes) {
  return push(kind::write, std::move(change), bytes);
}

completion<bool> commit_queue::barrier() {
  return push(kind::barrier, nullptr, 0);
}

completion<bool> commit_queue::read(job_function look) {
  return push(kind::read, std::move(look), 0);
}

completion<bool> commit_queue::push(kind what, job_function fn, std::size_t bytes) {
  completion<bool> done;
  if (!has_room(bytes)) {
    done.complete(false);
    return done;
  }
  ++pending_;
  pending_bytes_ += bytes;
  {
    const std::lock_guard guard(lock_);
    incoming_.push_back(job{what, std::move(fn), done, bytes, generation_});
  }
  wake_.notify_one();
  return done;
}

void commit_queue::run() {
  for (;;) {
    auto writes = std::make_shared<job_list>();
    auto reads = std::make_shared<job_list>();
    {
      std::unique_lock guard(lock_);
      wake_.wait(guard, [this] { return ending_ || !incoming_.empty(); });
      if (incoming_.empty()) return;
      *writes = std::exchange(incoming_, {});
    }
    // reads come after the commit: they may then see what was handed over behind them, and are answered behind it too
    const auto first_read =
        std::stable_partition(writes->begin(), writes->end(), [](const job& j) { return j.what != kind::read; });
    std::move(first_read, writes->end(), std::back_inserter(*reads));
    writes->erase(first_read, writes->end());
    if (!writes->empty()) {
      std::string failure = write_all(*writes);
      post_answers(std::move(writes), false, std::move(failure));
    }
    if (!reads->empty()) {
      read_all(*reads);
      post_answers(std::move(reads), true, "");
    }
  }
}

std::string commit_queue::write_all(job_list& jobs) {
  std::uint64_t generation = 0;  // of the changes in the transaction; they all have the same
  bool begun = false;
  try {
    for (job& j : jobs) {
      j.good = j.what == kind::barrier || j.generation > failed_generation_;
      if (j.what != kind::write || !j.good) continue;
      generation = j.generation;
      if (!begun) rows_->begin();
      begun = true;
      j.fn(*rows_);
    }
    if (begun) rows_->commit();
  } catch (const std::exception& e) {
    rows_->roll_back();
    failed_generation_ = generation;
    for (job& j : jobs)
      j.good = j.what == kind::barrier;
    return e.what();
  }
  for (job& j : jobs)
    j.fn = nullptr;
  return "";
}

void commit_queue::read_all(job_list& jobs) {
  for (job& j : jobs) {
    try {
      j.fn(*rows_);
      j.good = true;
    } catch (const std::exception& e) {
      log_.write(log_level::error, "store_read_failed", e.what());
    }
  }
}

void commit_queue::post_answers(std::shared_ptr<job_list> jobs, bool reads, std::string failure) {
  turns_.post([living = life_, jobs = std::move(jobs), reads, failure = std::move(failure)] {
    if (living->owner != nullptr) living->owner->answer(*jobs, reads, failure);
  });
}

void commit_queue::try_again_later() {
  next_try_ = turns_.after(retry_pause, [this] {
    if (!has_room(0)) return try_again_later();
    (void)push(
        kind::write, [](tables& rows) { rows.touch(); }, 0);
  });
}

void commit_queue::answer(job_list& jobs, bool reads, const std::string& failure) {
  const std::shared_ptr<life> living = life_;
  if (!failure.empty()) {
    failures_.add();
    if (trouble_.empty()) {
      log_.write(log_level::error, "store_write_failed", failure + "; changes are refused until it passes");
    }
    trouble_ = failure;
    try_again_later();
    ++generation_;
    on_failure_();
  } else if (!reads) {
    const auto committed =
        std::count_if(jobs.begin(), jobs.end(), [](const job& j) { return j.what == kind::write && j.good; });
    if (committed > 0) {
      commits_.add();
      changes_.add(static_cast<std::uint64_t>(committed));
      if (!trouble_.empty()) log_.write(log_level::info, "store_write_recovered", "changes are taken again");
      trouble_.clear();
      next_try_.cancel();
    }
  }
  for (job& j : jobs) {
    pending_ -= 1;
    pending_bytes_ -= j.bytes;
    j.done.complete(j.good);
    if (living->owner == nullptr) return;  // whoever was answered has ended the store
  }
}

}  // namespace roombus::sqlite
