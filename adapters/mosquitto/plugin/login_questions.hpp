#pragma once

// Logins that nobody in the broker can judge: the bridge asks the onConnect hook. The broker has one thread and wants
// an answer at once, so a CONNECT without a verdict is put off ("busy") and a question goes out; the verdict waits for
// the next CONNECT that shows exactly the same. One verdict, one login: whoever comes again is asked about again.
// Credentials are kept as keyed hashes only. Each entry is
//
//   asked ──verdict──► accepted ──the next CONNECT──► gone
//     │  └──verdict──► rejected, for some seconds
//     └── no verdict in time: gone
//
// Bounded: entries (the oldest goes), questions that are open, questions of one address per second; an address with too
// many rejections is put off like one with too many wrong passwords.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "adapters/auth/failure_limit.hpp"
#include "adapters/mosquitto/plugin/keyed_proof.hpp"
#include "schemas/codec/login_codec.hpp"

namespace roombus::plugin {

struct login_question_options {
  std::int64_t wait_ms = 10'000;      ///< for a verdict; then the device is asked about anew
  std::int64_t accepted_ms = 30'000;  ///< how long an accepted login may take to come again
  std::int64_t rejected_ms = 5'000;   ///< how long it is told so
  std::size_t max_open = 1000;        ///< questions without a verdict
  std::size_t max_entries = 10'000;   ///< and with one
  std::size_t max_per_second = 50;    ///< questions about one address
  std::size_t max_failures = 10;      ///< rejections of one address in a window
  std::int64_t failure_window_ms = 60'000;
  std::size_t max_password = 16'384;  ///< bytes; longer ones are wrong
};

class login_questions {
 public:
  login_questions(login_question_options options, const secret_key& key);
  ~login_questions();
  login_questions(const login_questions&) = delete;
  login_questions& operator=(const login_questions&) = delete;

  struct shown {
    std::string_view user;
    std::string_view client;
    std::string_view password;
    std::string_view address;
  };
  [[nodiscard]] keyed_proof proof_of(const shown& s) const;

  struct answer {
    enum class outcome : std::uint8_t {
      accepted,  ///< `limits` say how far; the verdict is used up
      rejected,
      busy,  ///< try again: a question is open, or may not be asked now
      ask    ///< the question `id` is to be asked now, and the device is to try again
    };
    outcome what = outcome::busy;
    payload::login_limits limits;
    std::string id;
  };
  /// `may_ask`: somebody is there who could answer.
  [[nodiscard]] answer judge(const shown& s, std::int64_t now_ms, bool may_ask);

  enum class verdict : std::uint8_t {
    accepted,
    rejected,
    unavailable  ///< the hook gave no answer: the device may ask again
  };
  /// Those of unknown and expired questions are ignored, and a second one.
  void settle(std::string_view id, verdict v, payload::login_limits limits, std::int64_t now_ms);

  /// Who could have answered has begun anew: what is open is asked again with the next CONNECT.
  void forget_open();

  /// Called now and then: forgets what is over.
  void tick(std::int64_t now_ms);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t open() const { return by_id_.size(); }

 private:
  enum class state : std::uint8_t { asked, accepted, rejected };
  struct entry {
    std::uint64_t number = 0;  ///< grows
    std::string id;
    state what = state::asked;
    std::int64_t until_ms = 0;
    std::string address;
    payload::login_limits limits;
  };
  using entries = std::map<keyed_proof, entry>;

  entries::iterator forget(entries::iterator it);

  login_question_options options_;
  secret_key key_;
  auth::failure_limit rejections_;
  auth::failure_limit asked_;
  entries entries_;
  std::map<std::uint64_t, keyed_proof> by_age_;
  std::map<std::string, keyed_proof, std::less<>> by_id_;  ///< questions that are open
  std::uint64_t last_number_ = 0;
  std::int64_t next_look_ms_ = 0;
};

}  // namespace roombus::plugin
