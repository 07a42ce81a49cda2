// The broker's plugin against a naive model: devices come, go and take over, bridges grant, revoke, restart and fall
// silent, in any order; nobody may read a room but by a grant for this life, from a bridge that is there. And what
// strangers or other versions may send as a control message or a word about a login. As a libFuzzer target, and as a
// function that a unit test feeds.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/mosquitto/plugin/broker_guard.hpp"
#include "schemas/codec/login_codec.hpp"
#include "tests/support/fakes.hpp"

namespace {

using namespace roombus::plugin;

constexpr std::size_t keys = 4;
constexpr std::int64_t lease_ms = 100;
const std::array<std::string, 2> users = {"ann", "bob"};
const std::array<std::string, 3> clients = {"c1", "c2", "c3"};
const std::array<std::string, 2> rooms = {"r1", "r2"};
const std::array<std::string, 2> bridges = {"x", "y"};

void require(bool ok) {
  if (!ok) std::abort();
}

/// Reads choices; zeros at the end.
class choices {
 public:
  choices(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  [[nodiscard]] bool empty() const { return size_ == 0; }
  std::size_t of(std::size_t count) {
    if (size_ == 0) return 0;
    --size_;
    return *data_++ % count;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

class world final : public broker_actions {
 public:
  world() : guard_(options(), "inc", *this, time_, log_) {
    // the password "secret"
    require(guard_
                .load_bridges("bridge:$7$1$AAAAAAAAAAAAAAAA$ngMlAIpWjm3phrxkG1xGT8fJUIJBShWrEYm7pbBnkGIKxx9SQ8I+9+"
                              "JzFQNfgJNOsliwQFwo10K4oTe/LI6elw==\n")
                .empty());
    require(guard_.authenticate(&bridge_, "bridge", "secret", "b") == broker_guard::login::accepted);
  }

  void step(choices& c) {
    const std::size_t k = c.of(keys);
    switch (c.of(5)) {
      case 0:
        begin(k, users[c.of(users.size())], clients[c.of(clients.size())]);
        break;
      case 1:
        end(k);
        break;
      case 2:
        now_ += static_cast<std::int64_t>(c.of(60));
        if (c.of(2) == 1) {
          guard_.tick(now_);
          expire();
          require(guard_.grants() == grants_.size());  // nothing is kept for who is gone
        }
        break;
      default:
        control(c);
    }
    check();
  }

  void publish(const std::string& topic, std::string payload) override {
    if (topic.find("/answer/") != std::string::npos) {
      answered(payload);
    } else if (payload.starts_with("connected ")) {
      // connected inc EVENT GENERATION …
      last_generation_ = std::stoull(payload.substr(payload.find(' ', std::string("connected inc ").size()) + 1));
    }
  }
  void kick(const std::string& client) override {
    for (std::size_t k = 0; k < keys; ++k) {
      if (lives_[k] && !lives_[k]->superseded && lives_[k]->client == client) return end(k);
    }
  }

 private:
  struct life {
    std::string user;
    std::string client;
    std::uint64_t generation = 0;
    std::uint64_t since = 0;
    bool superseded = false;
  };
  struct bridge_state {
    std::uint64_t sequence = 0;
    std::uint64_t seen = 0;  ///< the last one that was not old
    bool known = false;      ///< it has said hello
    std::size_t life = 0;
    std::int64_t until = 0;
  };
  struct order {
    enum class verb : std::uint8_t { alone, sync, grant, revoke, revoke_any, kick };
    verb what = verb::sync;
    std::string user;
    std::string client;
    std::uint64_t generation = 0;
    std::string room;
    std::size_t epoch = 0;  ///< 0: not said
    std::size_t sequence = 0;
  };
  struct known_grant {
    std::size_t bridge = 0;
    std::size_t epoch = 0;
    std::size_t sequence = 0;
  };

  static guard_options options() {
    guard_options o;
    o.dev = true;
    return o;
  }

  void begin(std::size_t k, const std::string& user, const std::string& client) {
    if (lives_[k]) end(k);
    bool taken = false;
    for (const auto& other : lives_)
      taken = taken || (other && other->client == client && other->user != user);
    const auto outcome = guard_.authenticate(&key_[k], user, "", client);
    require((outcome == broker_guard::login::accepted) != taken);
    if (taken) return;
    for (auto& other : lives_) {
      if (!other || other->client != client) continue;
      other->superseded = true;
      forget(other->generation);
    }
    lives_[k] = life{user, client, last_generation_, ++logins_, false};
  }

  void end(std::size_t k) {
    guard_.disconnected(&key_[k], 0);
    if (!lives_[k]) return;
    const life gone = *std::exchange(lives_[k], std::nullopt);
    forget(gone.generation);
    if (gone.superseded) return;
    life* next = nullptr;  // a takeover that failed: who was there before lives on, anew
    for (auto& other : lives_) {
      if (other && other->client == gone.client && (next == nullptr || next->since < other->since)) next = &*other;
    }
    if (next == nullptr) return;
    forget(next->generation);
    next->superseded = false;
    next->generation = last_generation_;
  }

  void forget(std::uint64_t generation) {
    std::erase_if(grants_, [generation](const auto& g) { return g.first.first == generation; });
  }
  void drop(std::size_t bridge) {
    std::erase_if(grants_, [bridge](const auto& g) { return g.second.bridge == bridge; });
  }
  [[nodiscard]] const life* current(const std::string& client) const {
    for (const auto& l : lives_) {
      if (l && !l->superseded && l->client == client) return &*l;
    }
    return nullptr;
  }

  void control(choices& c) {
    sender_ = c.of(bridges.size());
    bridge_state& b = bridges_[sender_];
    says_hello_ = c.of(4) == 0;
    restarted_ = says_hello_ && c.of(2) == 1;
    if (restarted_) ++b.life;
    b.sequence += c.of(5);  // 0 and 1 are old sometimes
    std::string text = "roombus 1 " + bridges[sender_] + " l" + std::to_string(b.life) + " inc " +
                       std::to_string(b.sequence) + " " + std::to_string(lease_ms);
    if (says_hello_) text += "\nhello";
    orders_.clear();
    for (std::size_t lines = c.of(4); lines > 0; --lines) {
      order o;
      o.what = static_cast<order::verb>(c.of(6));
      const std::optional<life>& target = lives_[c.of(keys)];
      o.user = target && c.of(8) != 0 ? target->user : users[c.of(users.size())];
      o.client = target && c.of(8) != 0 ? target->client : clients[c.of(clients.size())];
      o.generation = target && c.of(8) != 0 ? target->generation : 1 + c.of(20);
      o.room = rooms[c.of(rooms.size())];
      o.epoch = c.of(3);
      o.sequence = c.of(12);
      const std::string at =
          o.epoch == 0 ? " - " : " e" + std::to_string(o.epoch) + "." + std::to_string(o.sequence) + " ";
      const std::string who = o.user + " " + o.client + " ";
      const std::string life_of = who + std::to_string(o.generation);
      switch (o.what) {
        case order::verb::alone:
          text += "\nalone";
          break;
        case order::verb::sync:
          text += "\nsync";
          break;
        case order::verb::grant:
          text += "\ngrant " + life_of + at + o.room;
          break;
        case order::verb::revoke:
          text += "\nrevoke " + life_of + at + o.room;
          break;
        case order::verb::revoke_any:
          text += "\nrevoke " + who + "0" + at + o.room;
          break;
        case order::verb::kick:
          text += "\nkick " + life_of;
          break;
      }
      orders_.push_back(std::move(o));
    }
    expire();
    bool answered_now = false;
    answered_ = &answered_now;
    require(guard_.control(&bridge_, text, now_));
    require(answered_now);
  }

  /// Before anybody is kicked.
  void answered(const std::string& how) {
    *answered_ = true;
    for (const order& o : orders_) {
      if (o.what != order::verb::revoke_any) continue;
      const life* l = current(o.client);
      if (l == nullptr || l->user != o.user) continue;
      const auto grant = grants_.find({l->generation, o.room});
      if (grant == grants_.end()) continue;
      const known_grant& g = grant->second;
      const bool of_one_log = g.epoch == o.epoch && g.sequence < o.sequence;
      if (g.epoch == 0 || o.epoch == 0 || of_one_log) grants_.erase(grant);
    }
    const bool applied = how.starts_with("state ") || how.ends_with(" ok");
    bridge_state& b = bridges_[sender_];
    const bool stale = !says_hello_ && !b.known;
    const bool old = !says_hello_ && b.known && b.sequence <= b.seen;
    require(how.ends_with(" stale") == stale);
    require(how.ends_with(" old") == old);
    if (stale || old) return;
    require(applied || (how.ends_with(" lapsed") && !says_hello_));
    b.known = true;
    b.seen = b.sequence;
    b.until = now_ + lease_ms;
    if (restarted_) drop(sender_);
    if (!applied) return;
    for (const order& o : orders_) {
      const life* l = current(o.client);
      switch (o.what) {
        case order::verb::alone:
          drop(1 - sender_);
          break;
        case order::verb::sync:
          drop(sender_);
          break;
        case order::verb::grant:
          if (l != nullptr && l->user == o.user && l->generation == o.generation) {
            grants_[{o.generation, o.room}] = {sender_, o.epoch, o.sequence};
          }
          break;
        case order::verb::revoke:
          grants_.erase({o.generation, o.room});
          break;
        case order::verb::revoke_any:
        case order::verb::kick:
          break;
      }
    }
  }

  void expire() {
    for (std::size_t b = 0; b < bridges_.size(); ++b) {
      if (bridges_[b].until <= now_) drop(b);
    }
  }

  void check() {
    expire();
    for (std::size_t k = 0; k < keys; ++k) {
      for (const std::string& room : rooms) {
        const bool granted = lives_[k] && grants_.contains({lives_[k]->generation, room});
        const std::string user = lives_[k] ? lives_[k]->user : users[0];
        const std::string client = lives_[k] ? lives_[k]->client : clients[0];
        require(guard_.may_read(&key_[k], user, client, "roombus/r/" + room + "/json/roomMessage", now_) == granted);
        require(!guard_.may_write(&key_[k], user, client, "roombus/r/" + room + "/json/roomMessage", false, 0));
      }
    }
  }

  roombus::test::fake_clock time_;
  roombus::test::recording_log log_;
  broker_guard guard_;
  char bridge_ = 0;
  std::array<char, keys> key_{};
  std::array<std::optional<life>, keys> lives_;
  std::array<bridge_state, 2> bridges_;
  std::map<std::pair<std::uint64_t, std::string>, known_grant> grants_;  // of (generation, room)
  std::uint64_t last_generation_ = 0;
  std::uint64_t logins_ = 0;
  std::int64_t now_ = 1000;

  // the message under way
  std::size_t sender_ = 0;
  bool says_hello_ = false;
  bool restarted_ = false;
  std::vector<order> orders_;
  bool* answered_ = nullptr;
};

void read(std::string_view text) {
  if (const auto m = parse_control(text)) {
    require(is_name_level(m->instance));
    for (const control_line& line : m->lines) {
      require(line.client.empty() || (is_name_level(line.client) && is_name_level(line.user)));
      require(line.room_level.find_first_of("/+# \n") == std::string_view::npos);
    }
  }
  if (const auto limits = roombus::payload::read_login_word(text)) {
    require(roombus::payload::login_word(*limits) == text);
    require(text.find_first_of(" \n") == std::string_view::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  if (data[0] == 'r') {
    read({reinterpret_cast<const char*>(data) + 1, size - 1});
    return 0;
  }
  choices c(data, size);
  world w;
  while (!c.empty())
    w.step(c);
  return 0;
}
