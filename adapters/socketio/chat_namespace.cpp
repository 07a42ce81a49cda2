#include "adapters/socketio/chat_namespace.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "adapters/socketio/attachment_budget.hpp"
#include "schemas/codec/error_codec.hpp"

namespace roombus::socketio {

struct chat_namespace::shared {
  shared(chat_environment env, chat_namespace_options o)
      : chat(env.chat),
        auth(env.auth),
        log(env.log),
        timers(env.timers),
        time(env.time),
        options(o),
        gate(o.logins, env.timers),
        logins(env.metrics.add_counter("roombus_socketio_logins_total", "Accepted logins of socket.io clients.")),
        rejections(env.metrics.add_counter("roombus_socketio_login_rejections_total",
                                           "Rejected logins of socket.io clients.")),
        commands(env.metrics.add_counter("roombus_socketio_commands_total", "Commands from socket.io clients.")),
        limited(env.metrics.add_counter("roombus_socketio_rate_limited_total",
                                        "Commands refused because too many of the connection were running.")),
        crowded(env.metrics.add_counter("roombus_socketio_logins_crowded_out_total",
                                        "Logins and renewals refused because too many were under way.")),
        expired(env.metrics.add_counter("roombus_socketio_logins_expired_total", "Logins that ended by expiring.")),
        renewals(env.metrics.add_counter("roombus_socketio_logins_renewed_total", "Logins that were renewed.")) {
    env.metrics.add_gauge("roombus_socketio_logins_running", "Logins of socket.io clients that are checked now.",
                          [read = gate.reader()] { return static_cast<double>(read().running); });
    env.metrics.add_gauge("roombus_socketio_logins_waiting", "Logins of socket.io clients that wait to be checked.",
                          [read = gate.reader()] { return static_cast<double>(read().waiting); });
  }

  service& chat;
  authenticator& auth;
  log_sink& log;
  scheduler& timers;
  clock& time;
  chat_namespace_options options;
  login_gate gate;
  counter& logins;
  counter& rejections;
  counter& commands;
  counter& limited;
  counter& crowded;
  counter& expired;
  counter& renewals;
};

/// A wall clock can be set, so the end of a login is looked at again and again.
constexpr std::chrono::milliseconds longest_look{600'000};

/// One client of the chat service.
class chat_namespace::connection final : public socket_handler,
                                         public connection_sink,
                                         public std::enable_shared_from_this<connection> {
 public:
  connection(std::shared_ptr<shared> env, std::shared_ptr<nsp_socket> socket)
      : env_(std::move(env)), socket_(std::move(socket)), id_(socket_->id()), nsp_place_(socket_->keep_place()) {}

  void start(handshake shown) {
    transport_ = shown.transport;
    address_ = shown.address;
    login_ = env_->gate.enter(address_);
    log_in(shared_from_this(), std::move(shown)).detach();
  }

  void on_event(std::string name, value_list args, std::optional<std::uint64_t> ack) override {
    env_->commands.add();
    look_at_end();
    if (state_ != state::logged_in) {
      answer_error(ack, chat_error(errc::no_login));
      return;
    }
    if (pending_ >= env_->options.max_pending_requests) {
      env_->limited.add();
      answer_error(ack, chat_error(errc::rate_limited));
      return;
    }
    if (name == "renewLogin") {
      renew(std::move(args), ack);
      return;
    }
    call c;
    c.user = user_;
    c.id = id_;
    c.command = std::move(name);
    c.args = std::move(args);
    ++pending_;
    run(shared_from_this(), std::move(c), ack).detach();
  }

  void on_disconnect() override {
    state_ = state::gone;
    end_.cancel();
    if (const auto login = login_) login->withdraw();
    leave(shared_from_this()).detach();
  }

  void deliver(const shared_event& e) override {
    const eio_version version = socket_->version();
    const auto slot = version == eio_version::v3 ? event::slot::socketio_eio3 : event::slot::socketio_eio4;
    const auto frames = e->encoded<frame_list>(slot, [&] {
      return std::make_shared<const frame_list>(to_frames(version, encode_event(socket_->nsp(), e->name(), e->args())));
    });
    socket_->send(*frames);
  }

  void close(close_reason reason) override {
    switch (reason) {
      case close_reason::disconnected:
      case close_reason::login_rejected:
        socket_->disconnect();
        return;
      case close_reason::server_shutdown:
      case close_reason::slow_consumer:
      case close_reason::instance_stalled:
        socket_->close_connection();  // not a disconnect packet: after one, clients do not come back by themselves
        return;
    }
  }

 private:
  enum class state : std::uint8_t { logging_in, logged_in, expired, gone };

  /// Lets go of the login's place, and when the client has gone meanwhile also of that in the namespace.
  struct login_end {
    explicit login_end(connection& c) : of(c) {}
    ~login_end() {
      of.login_.reset();
      if (of.has_left_) of.nsp_place_.reset();
    }
    login_end(const login_end&) = delete;
    login_end& operator=(const login_end&) = delete;
    connection& of;
  };

  static task<void> log_in(std::shared_ptr<connection> self, handshake shown) {
    const login_end at_end(*self);
    const std::optional<errc> full = co_await self->login_->turn();
    if (self->state_ == state::gone) co_return;
    if (full) {
      self->env_->crowded.add();
      self->reject(chat_error(*full));
      co_return;
    }
    result<login> who = co_await self->env_->auth.authenticate(self->id_, std::move(shown));
    if (self->state_ == state::gone) co_return;
    if (!who) {
      self->reject(who.error());
      co_return;
    }
    self->user_ = who->user;
    std::shared_ptr<connection_sink> sink = self;
    login_rights rights = who->rights;
    result<void> connected =
        co_await self->env_->chat.connect(self->user_, self->id_, std::move(sink), false, std::move(rights));
    if (self->state_ == state::gone) {  // it went while the service took it in
      if (connected) co_await self->env_->chat.disconnect(self->id_);
      co_return;
    }
    if (!connected) {
      self->reject(connected.error());
      co_return;
    }
    self->state_ = state::logged_in;
    self->rights_ = std::move(who->rights);
    self->expires_at_ms_ = who->expires_at_ms;
    self->socket_->set_known();
    self->env_->logins.add();
    self->env_->log.write(log_level::debug, "socketio_login",
                          "connection " + self->id_.str() + " is user " + self->user_.str());
    value_map data = std::move(who->auth_data);
    data.set("id", value(self->id_.str()));
    value_list args;
    args.emplace_back(self->user_.str());
    args.emplace_back(std::move(data));
    self->socket_->emit(describe(notification::login_confirmed).name, args);
    self->look_at_end();
  }

  /// The next socket of this client comes when this one has ended, too: theirs may be the same id.
  static task<void> leave(std::shared_ptr<connection> self) {
    // also when the login is still under way: unknown ids are fine, and log_in looks again when it goes on
    co_await self->env_->chat.disconnect(self->id_);
    self->has_left_ = true;
    if (!self->login_) self->nsp_place_.reset();
  }

  /// Ends the login when it has expired, else comes back when it may have.
  void look_at_end() {
    if (state_ != state::logged_in || !expires_at_ms_) return;
    const std::int64_t left = *expires_at_ms_ - env_->time.now_ms();
    if (left > 0) {
      if (looking_) return;
      looking_ = true;
      const auto wait = std::min(std::chrono::milliseconds(left), longest_look);
      end_ = env_->timers.after(wait, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        self->looking_ = false;
        self->look_at_end();
      });
      return;
    }
    state_ = state::expired;
    end_.cancel();
    env_->expired.add();
    env_->log.write(log_level::info, "socketio_login_expired", "connection " + id_.str());
    value_list args;
    args.push_back(shown(chat_error::custom("loginExpired")));
    socket_->emit(describe(notification::login_rejected).name, args);
    socket_->disconnect();
  }

  /// One at a time: each may cost the authenticator some work.
  void renew(value_list args, std::optional<std::uint64_t> ack) {
    const std::string* token = args.empty() ? nullptr : args.front().if_text();
    if (args.empty()) {
      answer_error(ack, chat_error(errc::wrong_arguments_count, {value(1), value(0)}));
    } else if (token == nullptr) {
      answer_error(ack, chat_error(errc::bad_argument, {value(0), std::move(args.front())}));
    } else if (renewing_) {
      env_->limited.add();
      answer_error(ack, chat_error(errc::rate_limited));
    } else {
      renewing_ = true;
      handshake shown_now;
      shown_now.transport = transport_;
      shown_now.address = address_;
      shown_now.auth = value(value_map{{"token", value(*token)}});
      login_ = env_->gate.enter(address_);
      run_renewal(shared_from_this(), std::move(shown_now), ack).detach();
    }
  }

  static task<void> run_renewal(std::shared_ptr<connection> self, handshake shown_now,
                                std::optional<std::uint64_t> ack) {
    const login_end at_end(*self);
    const std::optional<errc> full = co_await self->login_->turn();
    result<login> who = chat_error(full.value_or(errc::unavailable));
    if (full) {
      self->env_->crowded.add();
    } else {
      who = co_await self->env_->auth.authenticate(self->id_, std::move(shown_now));
    }
    self->renewing_ = false;
    if (self->state_ != state::logged_in) co_return;
    if (!who) {
      self->answer_error(ack, who.error());
      co_return;
    }
    // neither another user nor other rights: rooms were joined under those that were there
    if (who->user != self->user_ || !(who->rights == self->rights_)) {
      self->answer_error(ack, chat_error(errc::not_allowed));
      co_return;
    }
    self->expires_at_ms_ = who->expires_at_ms;
    self->looking_ = false;
    self->end_.cancel();
    self->look_at_end();
    self->env_->renewals.add();
    if (!ack || self->state_ != state::logged_in) co_return;
    value_map answer;
    answer.set("expiresAt", who->expires_at_ms ? value(*who->expires_at_ms) : value());
    value_list results;
    results.emplace_back(nullptr);
    results.emplace_back(std::move(answer));
    self->socket_->acknowledge(*ack, results);
  }

  static task<void> run(std::shared_ptr<connection> self, call c, std::optional<std::uint64_t> ack) {
    const std::string command = c.command;
    reply answer = co_await self->env_->chat.execute(std::move(c));
    --self->pending_;
    if (!ack) co_return;
    if (!answer) {
      self->answer_error(ack, answer.error());
      co_return;
    }
    keep_within_attachments(command, *answer, self->env_->options.max_answer_attachments);
    value_list args;
    args.reserve(answer->size() + 2);
    args.emplace_back(nullptr);
    for (value& item : *answer)
      args.push_back(std::move(item));
    if (args.size() == 1) args.emplace_back(nullptr);
    self->socket_->acknowledge(*ack, args);
  }

  void reject(const chat_error& error) {
    env_->rejections.add();
    env_->log.write(log_level::info, "socketio_login_rejected",
                    "connection " + id_.str() + ": " + std::string(error.code_name()));
    value_list args;
    args.push_back(shown(error));
    socket_->emit(describe(notification::login_rejected).name, args);
    socket_->disconnect();
  }

  void answer_error(std::optional<std::uint64_t> ack, const chat_error& error) {
    if (!ack) return;
    value_list args;
    args.push_back(shown(error));
    args.emplace_back(nullptr);
    socket_->acknowledge(*ack, args);
  }

  [[nodiscard]] value shown(const chat_error& error) const {
    return env_->chat.options().use_raw_error_objects ? value(error_object(error)) : value(error_text(error));
  }

  std::shared_ptr<shared> env_;
  std::shared_ptr<nsp_socket> socket_;
  connection_id id_;
  user_name user_;
  std::string transport_;
  std::string address_;
  login_rights rights_;
  std::optional<std::int64_t> expires_at_ms_;
  timer_handle end_;
  std::shared_ptr<login_place> login_;  // while a login or its renewal is under way
  std::shared_ptr<void> nsp_place_;     // until both the login and the socket have ended
  bool has_left_ = false;               // the socket has ended, and the service knows
  bool looking_ = false;                // `end_` is set
  bool renewing_ = false;               // the authenticator is asked
  state state_ = state::logging_in;
  std::size_t pending_ = 0;
};

chat_namespace::chat_namespace(chat_environment env, chat_namespace_options options)
    : shared_(std::make_shared<shared>(env, options)) {}

chat_namespace::~chat_namespace() = default;

std::shared_ptr<socket_handler> chat_namespace::on_connect(std::shared_ptr<nsp_socket> socket, handshake shown) {
  auto made = std::make_shared<connection>(shared_, std::move(socket));
  made->start(std::move(shown));
  return made;
}

}  // namespace roombus::socketio
