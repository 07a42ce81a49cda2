// Topics that strangers may send, against a naive model: what is accepted, what is read out of it, and that building
// gives the same topic again. As a libFuzzer target, and as a function that a unit test feeds.

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "bridge/mqtt/room_level.hpp"
#include "bridge/mqtt/topic.hpp"
#include "bridge/mqtt/topic_map.hpp"

namespace {

using namespace roombus;
using namespace roombus::mqtt;

constexpr std::size_t max_topic = 400;

void require(bool condition) {
  if (!condition) std::abort();
}

std::vector<std::string> split(const std::string& topic) {
  std::vector<std::string> levels(1);
  for (char c : topic) {
    if (c == '/') {
      levels.emplace_back();
    } else {
      levels.back() += c;
    }
  }
  return levels;
}

bool is_safe(const std::string& level, std::size_t longest) {
  return !level.empty() && level.size() <= longest &&
         level.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_~-.@") ==
             std::string::npos;
}

/// The levels of a request that is accepted.
std::optional<std::vector<std::string>> model(const std::string& topic) {
  if (topic.size() > max_topic || !is_topic_name(topic)) return std::nullopt;
  std::vector<std::string> l = split(topic);
  if (l.size() < 5 || l[0] != "roombus" || l[1] != "u" || !is_safe(l[2], 128) || !is_safe(l[3], 128)) {
    return std::nullopt;
  }
  if (l[4] == "status" && l.size() == 5) return l;
  if (l[4] == "send" && l.size() == 6 && decode_room_level(l[5])) return l;
  if (l[4] == "call" && l.size() == 6 && !l[5].empty()) return l;
  if (l[4] == "call" && l.size() == 7 && !l[5].empty() && is_safe(l[6], 64)) return l;
  return std::nullopt;
}

void check_device(const device_levels& device, const std::vector<std::string>& levels) {
  require(device.user == levels[2] && device.client == levels[3]);
  require(device.both == levels[2] + "/" + levels[3]);
}

void check_topic(const topic_map& topics, const std::string& topic) {
  const auto expected = model(topic);
  const parsed_topic parsed = topics.parse(topic);
  require(expected.has_value() != std::holds_alternative<ignored>(parsed));
  if (!expected) return;
  const std::vector<std::string>& l = *expected;
  const std::string base = topics.device_base(l[2], l[3]);
  require(topic.starts_with(base));
  if (const auto* asked = std::get_if<call_topic>(&parsed)) {
    check_device(asked->device, l);
    require(asked->command == l[5] && asked->id == (l.size() == 7 ? l[6] : std::string()));
    require(topics.is_response_topic(topic_map::reply(base, "1"), base));
  } else if (const auto* send = std::get_if<send_topic>(&parsed)) {
    check_device(send->device, l);
    require(base + "send/" + encode_room_level(send->room.str()) == topic);
  } else {
    check_device(std::get<status_topic>(parsed).device, l);
    require(base + "status" == topic);
  }
}

void check_room(const topic_map& topics, const std::string& text) {
  if (const auto room = decode_room_level(text)) require(encode_room_level(room->str()) == text);
  const std::string level = encode_room_level(text);
  const auto back = decode_room_level(level);
  require(!back || back->str() == text);
  require(is_topic_name("x" + level) && level.find('/') == std::string::npos);
  const std::string base = topics.device_base("u", "c");
  if (topics.is_response_topic(text, base)) require(is_topic_name(text) && text.starts_with("roombus/u/u/c/reply/"));
}

void check_match(const std::string& text) {
  const std::size_t cut = text.size() / 2;
  const std::string filter = text.substr(0, cut);
  const std::string name = text.substr(cut);
  if (is_topic_filter(filter) && is_topic_name(name)) {
    const bool matches = topic_matches(filter, name);
    if (filter == name) require(matches);
    if (filter == "#") require(matches == (name[0] != '$'));
  }
  if (is_topic_name(text)) require(is_topic_filter(text) && topic_matches(text, text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const topic_map topics("roombus", broker_profile::mosquitto, max_topic);
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_topic(topics, text);
  check_topic(topics, "roombus/u/" + text);
  check_topic(topics, "roombus/u/a/c/" + text);
  check_topic(topics, "roombus/u/a/c/call/" + text);
  check_topic(topics, "roombus/u/a/c/send/" + text);
  check_room(topics, text);
  check_room(topics, "roombus/u/u/c/reply/" + text);
  check_match(text);
  return 0;
}
