// The least of MQTT 3.1.1 and 5 that a device needs: requests with an id at QoS 0, everything else at QoS 0 too.

#include "tests/bench/chat_client.hpp"

namespace roombus::bench {

namespace {

void put_text(std::string& out, std::string_view text) {
  out += static_cast<char>(text.size() >> 8);
  out += static_cast<char>(text.size() & 0xff);
  out += text;
}

void put_length(std::string& out, std::size_t length) {
  do {
    const auto digit = static_cast<unsigned char>(length & 0x7f);
    length >>= 7;
    out += static_cast<char>(length > 0 ? digit | 0x80 : digit);
  } while (length > 0);
}

class mqtt_client final : public chat_client {
 public:
  mqtt_client(poll_loop& loop, const address& to, int version, const std::string& user)
      : chat_client(loop, to), version_(version), base_("roombus/u/" + user + "/" + user + "/") {
    std::string body;
    put_text(body, "MQTT");
    body += static_cast<char>(version);
    body += static_cast<char>(0xa6);       // user name, retained will, clean start
    put_properties(body.append(2, '\0'));  // no keep alive
    put_text(body, user);
    put_properties(body);
    put_text(body, base_ + "status");
    put_text(body, "offline");
    put_text(body, user);
    send_packet(0x10, body);
    flush();
  }

 private:
  void queue_call(std::string_view command, std::string_view json_arguments) override {
    body_.clear();
    topic_ = base_;
    topic_ += "call/";
    topic_ += command;
    topic_ += '/';
    topic_ += std::to_string(next_id_++);
    put_text(body_, topic_);
    put_properties(body_);
    body_ += '[';
    body_ += json_arguments;
    body_ += ']';
    send_packet(0x30, body_);
  }

  void put_properties(std::string& out) const {
    if (version_ == 5) out += '\0';
  }

  void send_packet(unsigned char type, std::string_view body) {
    std::string packet(1, static_cast<char>(type));
    put_length(packet, body.size());
    packet += body;
    queue(packet);
  }

  std::size_t consume(std::string_view input) override {
    std::size_t used = 0;
    for (;;) {
      const std::string_view in = input.substr(used);
      std::size_t length = 0;
      std::size_t head = 1;
      bool complete = false;
      for (unsigned shift = 0; head < in.size() && head < 5; shift += 7) {
        const auto digit = static_cast<unsigned char>(in[head++]);
        length |= std::size_t{digit & 0x7fU} << shift;
        if ((digit & 0x80) == 0) {
          complete = true;
          break;
        }
      }
      if (!complete || in.size() - head < length) return used;
      on_packet(static_cast<unsigned char>(in[0]), in.substr(head, length));
      used += head + length;
    }
  }

  void on_packet(unsigned char type, std::string_view body) {
    switch (type >> 4) {
      case 2:
        on_connected(body);
        break;
      case 9:
        on_subscribed();
        break;
      case 3:
        on_publish(body);
        break;
      case 14:
        fail("the broker disconnected a client");
        break;
      default:
        break;
    }
  }

  void on_connected(std::string_view body) {
    if (body.size() < 2 || body[1] != 0) fail("the broker refused a client");
    std::string subscribe("\0\1", 2);
    put_properties(subscribe);
    for (const char* part : {"reply/#", "room/+/roomMessage"}) {
      put_text(subscribe, base_ + part);
      subscribe += '\0';
    }
    // broker delivery: the plugin lets through what the device has joined
    put_text(subscribe, "roombus/r/+/json/roomMessage");
    subscribe += '\0';
    send_packet(0x82, subscribe);
  }

  // The service learns of a device by its birth.
  void on_subscribed() {
    std::string birth;
    put_text(birth, base_ + "status");
    put_properties(birth);
    send_packet(0x31, birth + "online");
    set_ready();
  }

  void on_publish(std::string_view body) {
    const std::size_t size =
        std::size_t{static_cast<unsigned char>(body[0])} << 8 | static_cast<unsigned char>(body[1]);
    const std::string_view topic = body.substr(2, size);
    std::string_view payload = body.substr(2 + size);
    if (version_ == 5)
      payload.remove_prefix(1U + static_cast<unsigned char>(payload[0]));  // properties below 128 bytes
    if (topic.starts_with(base_) && topic.substr(base_.size()).starts_with("reply/")) {
      answered(payload.starts_with("{\"result\""), payload);
    } else {
      notified();
    }
  }

  int version_;
  std::string base_;
  std::uint64_t next_id_ = 0;
  std::string topic_;
  std::string body_;
};

}  // namespace

std::unique_ptr<chat_client> connect_mqtt(poll_loop& loop, const address& to, int version, const std::string& user) {
  return std::make_unique<mqtt_client>(loop, to, version, user);
}

}  // namespace roombus::bench
