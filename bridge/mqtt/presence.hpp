#pragma once

// When a device counts as connected, as far as its messages tell (no broker plugin). Source: design §4, "Lives".
//
//   absent ──birth, request──► present ──offline──► leaving ──grace over──► absent
//                                 ▲────birth, request────┘
// Beside that a present device has up to two more deadlines: one that never published a birth must send a request now
// and then (idle), and after the link was lost everybody must show itself (probation), since a killed broker publishes
// no wills. A retained birth does not count as showing itself: it may be older than what killed the broker. (Where it
// cannot, because the broker keeps nothing when it dies, the caller passes it as a plain `online`.)
// Time is passed in (steady ms); nothing here waits.

#include <chrono>
#include <cstdint>
#include <optional>

namespace roombus::mqtt {

struct presence_times {
  using ms = std::chrono::milliseconds;
  ms offline_grace{2000};     ///< From `offline` to the end, unless the device shows itself.
  ms idle_timeout{120000};    ///< Longest pause between requests of a device without a birth.
  ms reconnect_grace{60000};  ///< Time to show itself after the link came up again, or after a retained birth.
};

/// What a status message says, and how it came.
enum class sign : std::uint8_t {
  online,           ///< birth, published now
  online_retained,  ///< birth that the broker kept
  offline,          ///< will or farewell, kept or not
  request           ///< a call or a send
};

/// What is to be done now.
enum class presence_change : std::uint8_t { none, connect, disconnect };

/// Presence of one device.
class presence {
 public:
  explicit presence(const presence_times& times) : times_(&times) {}

  [[nodiscard]] presence_change on_sign(sign s, std::int64_t now_ms);
  /// The link to the broker is lost: nobody can show itself, so only a farewell that came before still counts.
  void on_link_down();
  void on_link_up(std::int64_t now_ms);
  /// Answers `disconnect` once the earliest deadline has passed; cheap, may come too early.
  [[nodiscard]] presence_change on_tick(std::int64_t now_ms);
  /// The broker's plugin says that the device is connected: from now until the end only the plugin's word counts, there
  /// are no deadlines.
  [[nodiscard]] presence_change on_attested();
  /// Another instance served it until now. Unless that one was sure that it is there, it has to show itself.
  void on_taken_over(bool sure, std::int64_t now_ms);
  /// Leaving, or on probation, or bound to be once the link is back.
  [[nodiscard]] bool is_doubtful() const {
    return connected_ && (leaves_at_ || probation_ends_at_ || (!link_up_ && !attested_));
  }
  /// Present with the link up, neither leaving nor on probation, and seen since it was taken over.
  [[nodiscard]] bool is_certain() const {
    return connected_ && link_up_ && !unseen_ && !leaves_at_ && !probation_ends_at_;
  }
  /// The connection ended for another reason (closed by the service, could not be connected).
  void on_ended();

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] bool born() const { return born_; }
  /// When `on_tick` is to be called next.
  [[nodiscard]] std::optional<std::int64_t> deadline() const;

 private:
  const presence_times* times_;  // of the bridge's options; outlives all devices
  bool connected_ = false;
  bool attested_ = false;
  bool born_ = false;
  bool unseen_ = false;  // taken over, no sign since then
  bool link_up_ = true;
  bool shown_since_down_ = false;  // a broker session may bring messages before the link counts as up
  std::optional<std::int64_t> leaves_at_;
  std::optional<std::int64_t> probation_ends_at_;
  std::int64_t idles_out_at_ = 0;
};

}  // namespace roombus::mqtt
