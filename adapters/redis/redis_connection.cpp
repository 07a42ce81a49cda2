#include "adapters/redis/redis_connection.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "adapters/loop/event_loop.hpp"
#include "adapters/net/client_stream.hpp"
#include "adapters/redis/reply_reader.hpp"

namespace roombus::redis {

using boost::system::error_code;
using std::chrono::milliseconds;

class connection::machine : public std::enable_shared_from_this<machine> {
 public:
  machine(connection_options options, connection_environment env)
      : options_(std::move(options)), env_(env), pause_(options_.min_pause) {}

  void send(request r, std::function<void(outcome)> done) {
    if (waiting_.size() + sent_.size() >= options_.max_requests || bytes_ + r.bytes.size() > options_.max_bytes) {
      return env_.loop.post([done = std::move(done)] { done(outcome(outcome::kind::refused)); });
    }
    bytes_ += r.bytes.size();
    waiting_.push_back({std::move(r), std::move(done)});
    watch();
    if (state_ == state::idle) {
      connect();
    } else if (state_ == state::ready) {
      flush_soon();
    } else if (state_ == state::pausing && !options_.hold) {
      env_.loop.post([self = shared_from_this()] { self->return_waiting(); });
    }
  }

  void stop() {
    state_ = state::stopped;
    ++attempt_;
    waiting_.clear();
    sent_.clear();
    retry_.cancel();
    sweep_.cancel();
    connect_limit_.cancel();
    close_stream();
  }

  [[nodiscard]] bool ready() const { return state_ == state::ready; }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] const node_address& address() const { return options_.address; }
  [[nodiscard]] std::size_t pending() const { return waiting_.size() + sent_.size(); }
  [[nodiscard]] std::uint64_t lives() const { return lives_; }

 private:
  static constexpr std::size_t input_bytes = 64UL * 1024;
  enum class state { idle, connecting, greeting, ready, pausing, stopped };

  struct waiting_request {
    request what;
    std::function<void(outcome)> done;
  };

  /// What was written and not handed out yet, in order: requests, and with them what the machine adds itself.
  struct sent_request {
    enum class kind : std::uint8_t { request, asking, greeting, wait } type = kind::request;
    effect what = effect::none;
    bool has_wait = false;  ///< a WAIT follows in its batch: held until that is answered
    bool answered = false;
    bool needed = false;  ///< of a greeting: the connection is of no use when it is refused
    std::int64_t deadline_ms = 0;
    std::int64_t written_ms = 0;
    std::size_t size = 0;
    std::function<void(outcome)> done;  ///< empty once its time was over
    reply answer;
  };

  // --- connecting ---

  void connect() {
    state_ = state::connecting;
    ++attempt_;
    stream_ = std::make_unique<net::client_stream>(env_.loop, options_.tls, input_bytes);
    connect_limit_ = env_.loop.after(options_.connect_limit, [self = weak_from_this(), n = attempt_] {
      if (auto m = self.lock()) m->failed(n, m->nothing_in_time());
    });
    stream_->connect(
        options_.address.host, options_.address.port,
        [self = shared_from_this(), n = attempt_](std::string trouble) { self->on_connected(n, std::move(trouble)); });
  }

  [[nodiscard]] std::string nothing_in_time() const {
    std::string out = "no connection in time";
    if (state_ == state::connecting) out += ", still " + std::string(stream_->step());
    if (state_ == state::greeting) out += ", no answer to a PING";
    return out;
  }

  void on_connected(std::uint64_t n, std::string trouble) {
    if (n != attempt_ || state_ != state::connecting) return;
    if (!trouble.empty()) return failed(n, std::move(trouble));
    state_ = state::greeting;
    reader_ = std::make_unique<reply_reader>();
    output_.clear();
    greetings_ = 0;
    if (!options_.password.empty()) {
      if (options_.user.empty()) {
        greet({"AUTH", options_.password}, true);
      } else {
        greet({"AUTH", options_.user, options_.password}, true);
      }
    }
    const std::string database = std::to_string(options_.database);
    if (options_.database != 0) greet({"SELECT", database}, true);
    greet({"PING"}, false);
    introduced_ = false;
    write();
    read();
  }

  /// Only whom Redis knows may send long commands: it resets the connections of others, and its refusal with them.
  void introduce() {
    introduced_ = true;
    output_.clear();
    // beforehand, since a call that comes back with NOSCRIPT is overtaken by those sent after it
    for (const std::string_view script : options_.scripts)
      greet({"SCRIPT", "LOAD", script}, false);
    greet({"CLIENT", "SETNAME", options_.client_name}, false);
    write();
  }

  void greet(const std::vector<std::string_view>& words, bool needed) {
    append_command(output_, words);
    sent_request entry;
    entry.type = sent_request::kind::greeting;
    entry.needed = needed;
    entry.written_ms = env_.time.steady_ms();
    sent_.push_back(std::move(entry));
    ++greetings_;
  }

  void on_greeting(const reply& answer, bool needed) {
    --greetings_;
    // without a login nothing will be answered; whoever may not load scripts may not run them (our name, set last, is
    // not important)
    needed = needed || answer.is_error("NOAUTH") || (answer.is_error("NOPERM") && greetings_ > 0);
    if (answer.is_error() && needed) return failed(attempt_, "refused: " + answer.text);
    if (greetings_ > 0) return;
    if (!introduced_) return introduce();
    connect_limit_.cancel();
    state_ = state::ready;
    pause_ = options_.min_pause;
    ++lives_;
    env_.log.write(log_level::info, "redis_connected", options_.address.str());
    trouble_.clear();
    flush_soon();
  }

  /// The connection is of no use any more: what was written is lost, what was not waits for the next one.
  void failed(std::uint64_t n, std::string why) {
    if (n != attempt_ || state_ == state::stopped || state_ == state::pausing) return;
    state_ = state::pausing;
    ++attempt_;
    connect_limit_.cancel();
    close_stream();
    if (trouble_ != why) env_.log.write(log_level::warning, "redis_lost", options_.address.str() + ": " + why);
    trouble_ = std::move(why);
    std::array<std::uint8_t, 2> dice{};
    env_.random.fill(dice);
    const auto jitter = (dice[0] * 256 + dice[1]) % (pause_.count() / 2 + 1);
    retry_ = env_.loop.after(pause_ / 2 + milliseconds(jitter), [self = weak_from_this()] {
      auto m = self.lock();
      if (!m || m->state_ != state::pausing) return;
      if (m->waiting_.empty() && m->options_.hold == false) {
        m->state_ = state::idle;  // a node that nobody asks may be gone for good
      } else {
        m->connect();
      }
    });
    pause_ = std::min(pause_ * 2, options_.max_pause);

    std::deque<sent_request> lost = std::exchange(sent_, {});
    handed_out_ = 0;
    if (!options_.hold) return_waiting();
    for (sent_request& entry : lost) {
      if (entry.answered) {
        reply answer = std::move(entry.answer);
        finish(std::move(entry), std::move(answer), false);
      } else if (entry.type == sent_request::kind::request) {
        bytes_ -= entry.size;
        if (entry.done) entry.done(outcome(outcome::kind::lost));
      }
    }
  }

  void return_waiting() {
    if (state_ == state::ready) return;
    std::deque<waiting_request> back = std::exchange(waiting_, {});
    for (waiting_request& r : back) {
      bytes_ -= r.what.bytes.size();
      r.done(outcome(outcome::kind::not_sent));
    }
  }

  void close_stream() {
    if (stream_) stream_->close();
    writing_ = false;
  }

  // --- writing ---

  void flush_soon() {
    if (flushing_) return;
    flushing_ = true;
    env_.loop.post([self = shared_from_this()] {
      self->flushing_ = false;
      self->flush();
    });
  }

  void flush() {
    if (state_ != state::ready || writing_ || waiting_.empty()) return;
    output_.clear();
    constexpr std::size_t batch_bytes = 1024UL * 1024;
    const std::int64_t now = env_.time.steady_ms();
    const std::size_t begin = sent_.size();
    bool writes = false;
    while (!waiting_.empty() && output_.size() < batch_bytes) {
      waiting_request r = std::move(waiting_.front());
      waiting_.pop_front();
      if (r.what.deadline_ms <= now) {
        // its time was over while this process stood still: others may act in its place by now
        bytes_ -= r.what.bytes.size();
        env_.loop.post([done = std::move(r.done)] { done(outcome(outcome::kind::not_sent)); });
        continue;
      }
      if (r.what.asking) {
        append_command(output_, {"ASKING"});
        sent_request asking;
        asking.type = sent_request::kind::asking;
        asking.written_ms = now;
        sent_.push_back(std::move(asking));
      }
      output_ += r.what.bytes;
      writes = writes || r.what.what != effect::none;
      sent_request entry;
      entry.what = r.what.what;
      entry.deadline_ms = r.what.deadline_ms;
      entry.written_ms = now;
      entry.size = r.what.bytes.size();
      entry.done = std::move(r.done);
      sent_.push_back(std::move(entry));
    }
    if (output_.empty()) return;
    if (writes && options_.replicas) {
      for (std::size_t i = begin; i < sent_.size(); ++i)
        sent_[i].has_wait = true;
      append_command(output_, {"WAIT", "1", std::to_string(options_.replica_limit.count())});
      sent_request wait;
      wait.type = sent_request::kind::wait;
      wait.written_ms = now;
      sent_.push_back(std::move(wait));
    }
    write();
  }

  void write() {
    writing_ = true;
    // the stream keeps the bytes: what is left of a write must never reach the next connection
    auto bytes = std::make_shared<const std::string>(std::move(output_));
    stream_->write(std::move(bytes),
                   [self = shared_from_this(), n = attempt_](const error_code& error, bool /*may_have_left*/) {
                     if (n != self->attempt_) return;
                     self->writing_ = false;
                     if (error) return self->failed(n, "cannot write: " + net::text_of(error));
                     self->flush();
                   });
  }

  // --- reading ---

  void read() {
    stream_->read([self = shared_from_this(), n = attempt_](const error_code& error, std::string_view bytes) {
      if (n != self->attempt_) return;
      if (error) return self->failed(n, self->closed_text(error));
      self->on_bytes(n, bytes);
    });
  }

  [[nodiscard]] std::string closed_text(const error_code& error) const {
    std::string out = "closed: " + net::text_of(error);
    // a server with TLS takes our first command for a broken handshake
    if (state_ == state::greeting && lives_ == 0 && !options_.tls) out += " (is TLS spoken there? then rediss://)";
    return out;
  }

  void on_bytes(std::uint64_t n, std::string_view bytes) {
    bool fine = reader_->feed(bytes);
    // each reply may end this connection, or this object's use
    while (fine && n == attempt_) {
      std::optional<reply> answer = reader_->next();
      fine = !reader_->failed();
      if (!answer) break;
      if (handed_out_ >= sent_.size()) {
        fine = false;
        break;
      }
      on_reply(std::move(*answer));
    }
    if (n != attempt_) return;
    if (!fine) {
      const bool alert = !options_.tls && bytes.starts_with("\x15\x03");
      return failed(n, alert ? "TLS is spoken there: rediss:// is needed" : "not the language of Redis");
    }
    stream_->read_on();
  }

  void on_reply(reply answer) {
    last_reply_ms_ = env_.time.steady_ms();
    sent_request& entry = sent_[handed_out_];
    if (entry.has_wait) {
      entry.answer = std::move(answer);
      entry.answered = true;
      ++handed_out_;
      return;
    }
    if (entry.type == sent_request::kind::wait) return on_wait(answer);
    sent_request done = std::move(entry);
    sent_.pop_front();
    if (done.type == sent_request::kind::greeting) return on_greeting(answer, done.needed);
    finish(std::move(done), std::move(answer), true);
  }

  /// Ends a batch: all before the WAIT are handed out now.
  void on_wait(const reply& answer) {
    const bool confirmed = answer.type == reply::kind::integer && answer.number >= 1;
    std::vector<sent_request> batch;
    for (std::size_t i = 0; i < handed_out_; ++i) {
      batch.push_back(std::move(sent_.front()));
      sent_.pop_front();
    }
    sent_.pop_front();
    handed_out_ = 0;
    for (sent_request& entry : batch) {
      reply stored = std::move(entry.answer);
      finish(std::move(entry), std::move(stored), confirmed);
    }
  }

  void finish(sent_request entry, reply answer, bool confirmed) {
    if (entry.type != sent_request::kind::request) return;
    bytes_ -= entry.size;
    if (!entry.done) return;
    outcome out;
    if (entry.what != effect::none && !confirmed && !answer.is_error()) out.result = outcome::kind::unconfirmed;
    out.answer = std::move(answer);
    entry.done(std::move(out));
  }

  // --- time ---

  void watch() {
    if (watching_) return;
    watching_ = true;
    const milliseconds step = std::clamp(options_.stall_limit / 20, milliseconds(10), milliseconds(100));
    sweep_ = env_.loop.after(step, [self = weak_from_this()] {
      auto m = self.lock();
      if (!m || m->state_ == state::stopped) return;
      m->watching_ = false;
      m->sweep();
      if (m->pending() > 0) m->watch();
    });
  }

  void sweep() {
    const std::int64_t now = env_.time.steady_ms();
    std::vector<std::pair<std::function<void(outcome)>, outcome::kind>> over;
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      if (it->what.deadline_ms > now) {
        ++it;
        continue;
      }
      bytes_ -= it->what.bytes.size();
      over.emplace_back(std::move(it->done), outcome::kind::not_sent);
      it = waiting_.erase(it);
    }
    for (sent_request& entry : sent_) {
      if (entry.done && entry.deadline_ms <= now) {
        over.emplace_back(std::exchange(entry.done, nullptr), outcome::kind::late);
      }
    }
    const bool stalled = state_ == state::ready && handed_out_ < sent_.size() &&
                         now - std::max(sent_[handed_out_].written_ms, last_reply_ms_) >= options_.stall_limit.count();
    if (stalled) failed(attempt_, "answers nothing");
    for (auto& [done, kind] : over)
      done(outcome(kind));
  }

  connection_options options_;
  connection_environment env_;
  state state_ = state::idle;
  std::uint64_t attempt_ = 0;  // tells handlers of earlier sockets from the present one's
  std::unique_ptr<net::client_stream> stream_;
  std::unique_ptr<reply_reader> reader_;
  std::string output_;
  bool writing_ = false;
  bool flushing_ = false;
  bool watching_ = false;
  std::size_t greetings_ = 0;
  bool introduced_ = false;
  std::size_t handed_out_ = 0;  // the first so many of `sent_` are answered, and held for their WAIT
  std::int64_t last_reply_ms_ = 0;
  std::deque<waiting_request> waiting_;
  std::deque<sent_request> sent_;
  std::size_t bytes_ = 0;
  milliseconds pause_;
  std::string trouble_;
  std::uint64_t lives_ = 0;
  timer_handle retry_;
  timer_handle sweep_;
  timer_handle connect_limit_;
};

connection::connection(connection_options options, connection_environment env)
    : machine_(std::make_shared<machine>(std::move(options), env)) {}

connection::~connection() {
  machine_->stop();
}

void connection::send(request r, std::function<void(outcome)> done) {
  machine_->send(std::move(r), std::move(done));
}

bool connection::ready() const {
  return machine_->ready();
}

const std::string& connection::trouble() const {
  return machine_->trouble();
}

const node_address& connection::address() const {
  return machine_->address();
}

std::size_t connection::pending() const {
  return machine_->pending();
}

std::uint64_t connection::lives() const {
  return machine_->lives();
}

}  // namespace roombus::redis
