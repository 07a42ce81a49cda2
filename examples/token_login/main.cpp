// Logins by token, and a message format of one's own: rooms in which only shapes are drawn.

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <roombus/roombus.hpp>

namespace {

using roombus::value;
using roombus::value_map;

/// What is known about the bearer of a token.
struct account {
  std::string user;
  std::string role;
};

using account_table = std::map<std::string, account, std::less<>>;

/// Knows clients by `?token=…` in the query, or `{token}` in the auth payload of socket.io 3 and later.
class token_authenticator final : public roombus::authenticator {
 public:
  explicit token_authenticator(account_table accounts) : accounts_(std::move(accounts)) {}

  roombus::task<roombus::result<roombus::login>> authenticate(roombus::connection_id /*id*/,
                                                              roombus::handshake shown) override {
    const std::string* token = token_of(shown);
    if (token == nullptr) co_return roombus::chat_error(roombus::errc::no_login);
    // a real table keeps hashes of tokens, and finds them in constant time
    const auto found = accounts_.find(*token);
    if (found == accounts_.end()) co_return roombus::chat_error::custom("badToken");
    roombus::login who;
    who.user = roombus::user_name(found->second.user);
    who.auth_data.set("role", value(found->second.role));  // the client gets it in loginConfirmed
    co_return who;
  }

 private:
  static const std::string* token_of(const roombus::handshake& shown) {
    if (const value* in_query = shown.query.find("token")) return in_query->if_text();
    const value_map* auth = shown.auth.if_map();
    const value* in_auth = auth != nullptr ? auth->find("token") : nullptr;
    return in_auth != nullptr ? in_auth->if_text() : nullptr;
  }

  account_table accounts_;
};

/// `{type: "shape", x, y}` with numbers, and whatever else is in it.
bool is_shape(const value& message) {
  const value_map* fields = message.if_map();
  if (fields == nullptr) return false;
  const value* type = fields->find("type");
  const value* x = fields->find("x");
  const value* y = fields->find("y");
  return type != nullptr && *type == value("shape") && x != nullptr && x->is_number() && y != nullptr && y->is_number();
}

roombus::task<roombus::result<void>> check_shape(value message) {
  if (!is_shape(message)) co_return roombus::chat_error(roombus::errc::bad_argument, {value(1), std::move(message)});
  co_return roombus::result<void>{};
}

/// Nothing is served before this has completed.
roombus::task<roombus::result<void>> create_rooms(roombus::service& chat) {
  roombus::room_settings settings = chat.default_room_settings();
  settings.owner = roombus::user_name("ann");
  roombus::room_name canvas("canvas");
  roombus::result<void> added = co_await chat.add_room(std::move(canvas), std::move(settings));
  co_return added;
}

}  // namespace

int main(int argc, char** argv) {
  roombus::embedded_options options;
  options.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
  roombus::embedded_server server(std::move(options));

  account_table accounts;
  accounts["red-4711"] = {"ann", "painter"};
  accounts["blue-0815"] = {"bob", "guest"};
  server.set_authenticator(std::make_unique<token_authenticator>(std::move(accounts)));

  // hooks are plain lambdas that call coroutine functions (docs/embedding.md, "Hooks", says why)
  roombus::service_hooks hooks;
  hooks.room_messages_checker = [](value message) { return check_shape(std::move(message)); };
  hooks.on_start = [&server](value_map /*info*/) { return create_rooms(server.chat()); };
  server.chat().set_hooks(std::move(hooks));

  const roombus::result<void> ended = server.run([&server] {
    std::printf("listening on http://127.0.0.1:%u\n", unsigned{server.port()});
    std::fflush(stdout);
  });
  if (ended) return EXIT_SUCCESS;
  std::fprintf(stderr, "%s\n", roombus::error_text(ended.error()).c_str());
  return EXIT_FAILURE;
}
