#pragma once

// A second socket.io namespace, for people without a login: they get one room's messages as they come, and may say
// something now and then.
//
// It stands beside the chat's namespace and uses only the service's public side: `watch_room` to listen, the server API
// to send and to read. Room events keep their encoding for chat clients, in which the chat's namespace stands; so this
// one encodes for itself (`nsp_socket::emit`).

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <roombus/roombus.hpp>

namespace example {

/// How much one listener may say.
struct public_limits {
  std::size_t listeners = 10'000;  ///< more are sent away
  unsigned burst = 3;              ///< messages at once
  std::int64_t refill_ms = 2'000;  ///< for one more message
  std::size_t text_bytes = 500;
};

class public_namespace final : public roombus::socketio::nsp_handler {
 public:
  public_namespace(roombus::service& chat, roombus::clock& time, roombus::room_name room, public_limits limits = {})
      : shared_(std::make_shared<shared>(chat, time, std::move(room), limits)) {
    watch_ = chat.watch_room(shared_->room, [to = shared_](const roombus::shared_event& e) { to->pass_on(*e); });
  }
  ~public_namespace() override { shared_->chat.unwatch_room(shared_->room, watch_); }

  std::shared_ptr<roombus::socketio::socket_handler> on_connect(std::shared_ptr<roombus::socketio::nsp_socket> socket,
                                                                roombus::handshake /*shown*/) override {
    auto made = std::make_shared<listener>(shared_, std::move(socket));
    made->start();
    return made;
  }

 private:
  class listener;

  /// What all listeners share; it lives as long as the last of them.
  struct shared {
    shared(roombus::service& c, roombus::clock& t, roombus::room_name r, public_limits l)
        : chat(c), time(t), room(std::move(r)), limits(l) {}

    void pass_on(const roombus::event& e) {
      if (e.id() != roombus::notification::room_message) return;  // who comes and goes is nobody's business here
      for (const auto& socket : sockets)
        socket->emit("roomMessage", e.args());
    }

    roombus::service& chat;
    roombus::clock& time;
    roombus::room_name room;
    public_limits limits;
    std::set<std::shared_ptr<roombus::socketio::nsp_socket>> sockets;
  };

  class listener final : public roombus::socketio::socket_handler, public std::enable_shared_from_this<listener> {
   public:
    listener(std::shared_ptr<shared> env, std::shared_ptr<roombus::socketio::nsp_socket> socket)
        : env_(std::move(env)),
          socket_(std::move(socket)),
          tokens_(env_->limits.burst),
          refilled_ms_(env_->time.steady_ms()) {}

    void start() {
      if (env_->sockets.size() >= env_->limits.listeners) {
        socket_->disconnect();
        return;
      }
      env_->sockets.insert(socket_);
      send_history(shared_from_this()).detach();
    }

    /// `say [text]` is all there is.
    void on_event(std::string name, roombus::value_list args, std::optional<std::uint64_t> ack) override {
      if (name != "say") return fail(ack, roombus::chat_error(roombus::errc::no_command, {roombus::value(name)}));
      const std::string* text = args.empty() ? nullptr : args[0].if_text();
      if (text == nullptr || text->empty() || text->size() > env_->limits.text_bytes) {
        roombus::value shown = args.empty() ? roombus::value() : std::move(args[0]);
        return fail(ack, roombus::chat_error(roombus::errc::bad_argument, {roombus::value(0), std::move(shown)}));
      }
      if (!take_token()) return fail(ack, roombus::chat_error(roombus::errc::rate_limited));
      say(shared_from_this(), *text, ack).detach();
    }

    void on_disconnect() override { env_->sockets.erase(socket_); }

   private:
    /// A bucket that holds `burst` tokens, and gets one more every `refill_ms`.
    bool take_token() {
      const std::int64_t now = env_->time.steady_ms();
      const std::int64_t earned = (now - refilled_ms_) / env_->limits.refill_ms;
      if (earned > 0) {
        refilled_ms_ += earned * env_->limits.refill_ms;
        tokens_ = std::min<std::int64_t>(env_->limits.burst, tokens_ + earned);
      }
      if (tokens_ == 0) return false;
      --tokens_;
      return true;
    }

    /// Arguments of execUserCommand for the service itself, which may do everything.
    static roombus::value as_service(const char* command, roombus::value_list args) {
      return roombus::value_map{{"bypassPermissions", roombus::value(true)},
                                {"command", roombus::value(command)},
                                {"args", roombus::value(std::move(args))}};
    }

    /// `welcome [room, messages]`, newest first. A message that comes at this moment may be in it and follow once more:
    /// its id tells.
    static roombus::task<void> send_history(std::shared_ptr<listener> self) {
      roombus::value_list args{roombus::value(self->env_->room.str())};
      roombus::value named = as_service("roomRecentHistory", std::move(args));
      roombus::reply answer = co_await self->env_->chat.call_api("execUserCommand", std::move(named));
      roombus::value_list welcome{roombus::value(self->env_->room.str())};
      if (answer) welcome.push_back(std::move(answer->front()));
      self->socket_->emit("welcome", welcome);
    }

    static roombus::task<void> say(std::shared_ptr<listener> self, std::string text, std::optional<std::uint64_t> ack) {
      roombus::value_map message{{"textMessage", roombus::value(std::move(text))},
                                 {"author", roombus::value("a listener")}};  // the service may say who it speaks for
      roombus::value_list args{roombus::value(self->env_->room.str()), roombus::value(std::move(message))};
      roombus::value named = as_service("roomMessage", std::move(args));
      roombus::reply answer = co_await self->env_->chat.call_api("execUserCommand", std::move(named));
      if (!answer) {
        self->fail(ack, answer.error());
        co_return;
      }
      if (!ack) co_return;
      roombus::value_list results{roombus::value(), answer->front()};
      self->socket_->acknowledge(*ack, results);
    }

    void fail(std::optional<std::uint64_t> ack, const roombus::chat_error& error) {
      if (!ack) return;
      roombus::value_list results{roombus::value(roombus::error_text(error)), roombus::value()};
      socket_->acknowledge(*ack, results);
    }

    std::shared_ptr<shared> env_;
    std::shared_ptr<roombus::socketio::nsp_socket> socket_;
    std::int64_t tokens_;
    std::int64_t refilled_ms_;
  };

  std::shared_ptr<shared> shared_;  // shared with the listeners, which end after the namespace
  std::uint64_t watch_ = 0;
};

}  // namespace example
