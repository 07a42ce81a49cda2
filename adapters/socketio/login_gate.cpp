#include "adapters/socketio/login_gate.hpp"

#include <algorithm>
#include <list>
#include <map>
#include <string>
#include <utility>

#include "adapters/http/address_key.hpp"

namespace roombus::socketio {

/// Invariant: an address stands in `round` exactly when one of its logins waits and may run as far as the address is
/// concerned; and while anybody stands there, `running` is at its bound. So who comes next is always the round's first.
class login_gate::impl {
 public:
  struct line {
    std::size_t running = 0;
    std::list<place*> waiting;
    bool in_round = false;
  };
  using line_ref = std::map<std::string, line>::iterator;

  impl(login_bounds b, scheduler& s) : bounds(b), timers(s) {}

  [[nodiscard]] bool may_run(const line& of) const {
    return bounds.running_per_address == 0 || of.running < bounds.running_per_address;
  }
  void join_round(line_ref at) {
    line& of = at->second;
    if (of.in_round || of.waiting.empty() || !may_run(of)) return;
    of.in_round = true;
    round.push_back(at);
  }
  /// After a change of `at`, which may go with it.
  void settle(line_ref at) {
    line& of = at->second;
    if (of.in_round && of.waiting.empty()) {
      round.remove(at);
      of.in_round = false;
    }
    join_round(at);
    if (of.running == 0 && of.waiting.empty()) lines.erase(at);
    advance();
  }
  void advance();

  const login_bounds bounds;
  scheduler& timers;
  std::map<std::string, line> lines;  // by address, those with a login that runs or waits
  std::list<line_ref> round;
  std::size_t running = 0;
  std::size_t waiting = 0;
};

class login_gate::place final : public login_place {
 public:
  explicit place(std::shared_ptr<impl> gate) : gate_(std::move(gate)) {}
  ~place() override {
    if (state_ == state::waiting) leave_line();
    if (std::exchange(state_, state::over) != state::running) return;
    --gate_->running;
    --line_->second.running;
    gate_->settle(line_);
  }
  place(const place&) = delete;
  place& operator=(const place&) = delete;

  [[nodiscard]] completion<std::optional<errc>> turn() const override { return turn_; }
  void withdraw() override { refuse(errc::unavailable); }

  void enter(std::string_view address, const std::shared_ptr<place>& self) {
    const login_bounds& most = gate_->bounds;
    line_ = gate_->lines.try_emplace(http::address_key(address)).first;
    impl::line& of = line_->second;
    if (gate_->running < most.running && gate_->may_run(of)) {
      run();
      turn_.complete(std::nullopt);
      return;
    }
    const bool address_full = most.waiting_per_address > 0 && of.waiting.size() >= most.waiting_per_address;
    if (address_full || gate_->waiting >= most.waiting) {
      if (of.running == 0 && of.waiting.empty()) gate_->lines.erase(line_);
      turn_.complete(address_full ? errc::rate_limited : errc::unavailable);
      return;
    }
    state_ = state::waiting;
    at_ = of.waiting.insert(of.waiting.end(), this);
    ++gate_->waiting;
    gate_->join_round(line_);
    limit_ = gate_->timers.after(most.longest_wait, [weak = std::weak_ptr(self)] {
      if (const auto alive = weak.lock()) alive->refuse(errc::unavailable);
    });
  }

  /// Its turn has come. Told later, so that who lets go of a place is not called back.
  void admit() {
    limit_.cancel();
    line_->second.waiting.erase(at_);
    --gate_->waiting;
    run();
    gate_->timers.post([turn = turn_] { turn.complete(std::nullopt); });
  }

 private:
  enum class state : std::uint8_t { over, waiting, running };
  using line_ref = impl::line_ref;

  void run() {
    state_ = state::running;
    ++gate_->running;
    ++line_->second.running;
  }
  void leave_line() {
    state_ = state::over;
    limit_.cancel();
    line_->second.waiting.erase(at_);
    --gate_->waiting;
    gate_->settle(line_);
  }
  void refuse(errc why) {
    if (state_ != state::waiting) return;
    leave_line();
    turn_.complete(why);  // last: who waits may let go of us
  }

  std::shared_ptr<impl> gate_;
  completion<std::optional<errc>> turn_;
  timer_handle limit_;
  line_ref line_;
  std::list<place*>::iterator at_;
  state state_ = state::over;
};

void login_gate::impl::advance() {
  while (running < bounds.running && !round.empty()) {
    const line_ref at = round.front();
    round.pop_front();
    at->second.in_round = false;
    at->second.waiting.front()->admit();
    join_round(at);  // behind the others
  }
}

login_gate::login_gate(login_bounds bounds, scheduler& timers) : impl_(std::make_shared<impl>(bounds, timers)) {}

std::shared_ptr<login_place> login_gate::enter(std::string_view address) {
  auto made = std::make_shared<place>(impl_);
  made->enter(address, made);
  return made;
}

std::function<login_gate::figures()> login_gate::reader() const {
  return [weak = std::weak_ptr(impl_)] {
    const auto alive = weak.lock();
    return alive ? figures{alive->running, alive->waiting} : figures{};
  };
}

}  // namespace roombus::socketio
