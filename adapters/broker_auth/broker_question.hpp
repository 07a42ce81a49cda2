#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/http/http_types.hpp"

namespace roombus::broker_auth {

enum class broker : std::uint8_t { emqx, vernemq, rabbitmq };

/// "emqx", "vernemq" or "rabbitmq".
[[nodiscard]] std::optional<broker> broker_of(std::string_view name);

struct asked_topic {
  asked_topic() = default;
  std::string topic;
  bool write = false;
  bool retain = false;
};

/// What a broker wants to know.
struct question {
  enum class kind : std::uint8_t {
    login,   ///< may `user` with `password` connect as `client`?
    topics,  ///< may they use each of `topics`?
    vhost,   ///< RabbitMQ: may they use the virtual host? `vhost`
    queue,   ///< RabbitMQ: may they use the queue of the session of `client`?
    granted  ///< goes with what `topics` decides
  };
  question() = default;

  kind what = kind::login;
  std::string user;
  std::string client;
  std::string password;
  std::string address;  ///< the device's, for limits; never empty
  std::string vhost = "/";
  std::vector<asked_topic> topics;
};

/// Reads a request. `action` is the path behind the broker's name. Nothing for what no such broker sends.
[[nodiscard]] std::optional<question> read_question(broker from, std::string_view action, const http::request& req);

/// RabbitMQ's routing key as the MQTT topic it was made from: `.` was `/` there, `*` was `+`, and `/` was `.`.
[[nodiscard]] std::string topic_of_routing_key(std::string_view key);

}  // namespace roombus::broker_auth
