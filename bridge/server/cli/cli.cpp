#include "bridge/server/cli/cli.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fstream>
#include <istream>
#include <optional>
#include <ostream>
#include <utility>

#include "bridge/server/cli/api_client.hpp"
#include "bridge/server/cli/cli_options.hpp"
#include "bridge/server/cli/cli_output.hpp"
#include "bridge/server/cli/completion.hpp"
#include "core/api_keys.hpp"
#include "core/utf8.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::server {

namespace {

constexpr std::uint64_t page_size = 500;

std::uint64_t number(const cli_options& options, std::string_view flag, std::uint64_t otherwise) {
  if (!options.has(flag)) return otherwise;
  const std::string text = options.get(flag);
  std::uint64_t n = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), n);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    throw cli_failure(exit_wrong_usage, std::string(flag) + ": expected a whole number, got " + text);
  }
  return n;
}

value names_value(const std::string& text) {
  value_list names;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    if (comma > at) names.emplace_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return names;
}

std::optional<value> read_json(const std::string& text) {
  codec_limits limits;
  limits.max_bytes = 64U << 20U;
  auto read = json::read(text, limits);
  if (!read) return std::nullopt;
  return std::move(*read);
}

const value* find(const value& map, std::string_view key) {
  const value_map* fields = map.if_map();
  return fields != nullptr ? fields->find(key) : nullptr;
}

value user_call(const std::string& user, std::string_view command, value_list args) {
  value_map call;
  if (!user.empty()) call.append("userName", value(user));
  call.append("bypassPermissions", value(true));
  call.append("command", value(command));
  call.append("args", value(std::move(args)));
  return call;
}

/// One run of one command.
class cli_run {
 public:
  cli_run(const cli_options& options, const cli_io& io, api_client client)
      : options_(options), io_(io), client_(std::move(client)) {}

  int run() {
    const std::string_view name = options_.command->name;
    if (name == "call") return call();
    if (name == "rooms list") return list("listRooms", "rooms", "ROOM");
    if (name == "rooms create") return create_room();
    if (name == "rooms show") return show_room();
    if (name == "rooms lists") return room_lists();
    if (name == "rooms delete") return simple("deleteRoom", "room", "deleted");
    if (name == "send") return send();
    if (name == "tail") return tail();
    if (name == "users list") return list("listUsers", "users", "USER");
    if (name == "users show") return show_user();
    return simple("disconnectUserSockets", "user", "disconnected");
  }

 private:
  [[nodiscard]] bool as_json() const { return options_.has("--json"); }
  [[nodiscard]] const std::string& argument(std::size_t i) const { return options_.arguments[i]; }

  /// The result; an error of the service ends the command.
  value ask(std::string_view method, const value& args) {
    api_outcome outcome = client_.call(method, args);
    if (!outcome.ok) refused(outcome.error, outcome.body);
    return std::move(outcome.result);
  }

  [[noreturn]] void refused(const value_map& error, const std::string& body) {
    if (as_json()) io_.out << body << (body.ends_with('\n') ? "" : "\n");
    const value* code = error.find("code");
    const value* text = error.find("text");
    std::string message = code != nullptr ? shown(*code) : "error";
    if (text != nullptr) {
      message += ": " + shown(*text);
    } else if (const value* args = error.find("args")) {
      message += " " + shown(*args);
    }
    throw cli_failure(exit_refused, message);
  }

  /// Several commands of users or of the service itself in one request; their first results.
  value_list ask_all(const std::vector<value>& calls) {
    value_list list;
    for (const value& one : calls)
      list.emplace_back(value_map{{"method", value("execUserCommand")}, {"args", one}});
    value answers = ask("batch", value(value_map{{"calls", value(std::move(list))}}));
    value_list results;
    if (value_list* all = answers.if_list()) {
      for (value& answer : *all) {
        if (const value* error = find(answer, "error"); error != nullptr && error->if_map() != nullptr) {
          refused(*error->if_map(), json::write(answer));
        }
        const value* result = find(answer, "result");
        results.push_back(result != nullptr ? *result : value());
      }
    }
    if (results.size() != calls.size()) throw cli_failure(exit_no_service, "the service answered too few results");
    return results;
  }

  void print_json(const value& v) { io_.out << json::write(v) << '\n'; }

  int call() {
    const std::string& method = argument(0);
    const value args = call_arguments(method);
    api_outcome outcome = client_.call(method, args);
    if (!outcome.ok) refused(outcome.error, outcome.body);
    if (as_json()) {
      io_.out << outcome.body << (outcome.body.ends_with('\n') ? "" : "\n");
      return 0;
    }
    print_json(outcome.result);
    for (const value& more : outcome.extra)
      print_json(more);
    return 0;
  }

  value call_arguments(const std::string& method) {
    if (options_.arguments.size() == 1) return value_list();
    if (options_.arguments.size() == 2 && (argument(1).starts_with('{') || argument(1).starts_with('['))) {
      auto args = read_json(argument(1));
      if (!args) throw cli_failure(exit_wrong_usage, argument(1) + ": expected a JSON object or array");
      return std::move(*args);
    }
    const api_descriptor* known = find_api_method(method);
    value_map named;
    for (std::size_t i = 1; i < options_.arguments.size(); ++i) {
      const std::size_t equals = argument(i).find('=');
      if (equals == std::string::npos || equals == 0) {
        throw cli_failure(exit_wrong_usage, argument(i) + ": expected NAME=VALUE, or one JSON object or array");
      }
      const std::string name = argument(i).substr(0, equals);
      const std::string text = argument(i).substr(equals + 1);
      named.set(name, is_text(known, name) ? value(text) : read_json(text).value_or(value(text)));
    }
    return named;
  }

  /// Whether the method wants a text there, so that user=42 names the user "42".
  static bool is_text(const api_descriptor* method, const std::string& name) {
    if (method == nullptr) return false;
    return std::any_of(method->arguments.begin(), method->arguments.end(), [&](const api_argument& a) {
      return a.name == name && (a.type == api_type::text || a.type == api_type::optional_text);
    });
  }

  int list(std::string_view method, std::string_view key, std::string_view title) {
    const std::uint64_t limit = number(options_, "--limit", UINT64_MAX);
    value after = options_.has("--after") ? value(options_.get("--after")) : value();
    value_list all;
    while (all.size() < limit) {
      const std::uint64_t most = std::min<std::uint64_t>(page_size, limit - all.size());
      value page = ask(method, value(value_map{{"after", after}, {"limit", value(most)}}));
      const value_list* names = page.if_list();
      if (names == nullptr || names->empty()) break;
      all.insert(all.end(), names->begin(), names->end());
      if (names->size() < most) break;
      after = all.back();
    }
    if (as_json()) {
      value_map out;
      out.append(std::string(key), value(std::move(all)));
      print_json(value(std::move(out)));
      return 0;
    }
    std::vector<std::vector<std::string>> rows;
    for (const value& name : all)
      rows.push_back({shown(name)});
    print_table(io_.out, {std::string(title)}, rows, io_.to_terminal);
    return 0;
  }

  int simple(std::string_view method, const char* name, std::string_view done) {
    const value result = ask(method, value(value_map{{name, value(argument(0))}}));
    if (as_json()) {
      print_json(value(value_map{{"result", result}}));
    } else {
      io_.out << harmless(argument(0)) << ' ' << done << '\n';
    }
    return 0;
  }

  int create_room() {
    value_map state;
    const auto add_names = [&](std::string_view flag, const char* field) {
      if (options_.has(flag)) state.append(field, names_value(options_.get(flag)));
    };
    if (options_.has("--owner")) state.append("owner", value(options_.get("--owner")));
    add_names("--admins", "adminlist");
    add_names("--whitelist", "whitelist");
    add_names("--blacklist", "blacklist");
    if (options_.has("--whitelist-only")) state.append("whitelistOnly", value(true));
    if (options_.has("--history")) state.append("historyMaxSize", value(number(options_, "--history", 0)));
    if (options_.has("--userlist-updates")) state.append("enableUserlistUpdates", value(true));
    if (options_.has("--access-lists-updates")) state.append("enableAccessListsUpdates", value(true));
    value_map args{{"room", value(argument(0))}, {"state", value(std::move(state))}};
    const value result = ask("addRoom", value(std::move(args)));
    if (as_json()) {
      print_json(value(value_map{{"result", result}}));
    } else {
      io_.out << harmless(argument(0)) << " created\n";
    }
    return 0;
  }

  int show_room() {
    const value room(argument(0));
    const std::vector<value> calls{user_call({}, "roomGetOwner", {room}), user_call({}, "roomGetWhitelistMode", {room}),
                                   user_call({}, "roomHistoryInfo", {room}),
                                   user_call({}, "roomNotificationsInfo", {room}),
                                   user_call({}, "roomGetAccessList", {room, value("userlist")})};
    const value_list got = ask_all(calls);
    if (as_json()) {
      print_json(value(value_map{{"room", room},
                                 {"owner", got[0]},
                                 {"whitelistOnly", got[1]},
                                 {"history", got[2]},
                                 {"notifications", got[3]},
                                 {"userlist", got[4]}}));
      return 0;
    }
    const auto part = [](const value& map, std::string_view key) {
      const value* v = find(map, key);
      return v != nullptr ? shown(*v) : std::string("-");
    };
    print_table(io_.out, {"", ""},
                {{"room", shown(room)},
                 {"owner", shown(got[0])},
                 {"whitelist mode", shown(got[1])},
                 {"messages kept", part(got[2], "historySize") + " of at most " + part(got[2], "historyMaxSize")},
                 {"last message id", part(got[2], "lastMessageId")},
                 {"userlist updates", part(got[3], "enableUserlistUpdates")},
                 {"access list updates", part(got[3], "enableAccessListsUpdates")},
                 {"joined users", shown_list(got[4])}},
                false);
    return 0;
  }

  int room_lists() {
    const value room(argument(0));
    const std::vector<const char*> lists{"adminlist", "whitelist", "blacklist", "userlist"};
    std::vector<value> calls;
    for (const char* list : lists)
      calls.push_back(user_call({}, "roomGetAccessList", {room, value(list)}));
    const value_list got = ask_all(calls);
    value_map all;
    std::vector<std::vector<std::string>> rows;
    for (std::size_t i = 0; i < lists.size(); ++i) {
      all.append(lists[i], got[i]);
      rows.push_back({lists[i], shown_list(got[i])});
    }
    if (as_json()) {
      print_json(value(std::move(all)));
    } else {
      print_table(io_.out, {"LIST", "USERS"}, rows, io_.to_terminal);
    }
    return 0;
  }

  int send() {
    if (argument(1) != "-") {
      send_one(argument(1));
      return 0;
    }
    std::string line;
    while (std::getline(io_.in, line)) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (!line.empty()) send_one(line);
    }
    return 0;
  }

  void send_one(const std::string& text) {
    if (!is_valid_utf8(text)) throw cli_failure(exit_wrong_usage, "the message is not valid UTF-8");
    value message;
    if (text.starts_with('{')) message = read_json(text).value_or(value());
    if (message.if_map() == nullptr) message = value_map{{"textMessage", value(text)}};
    const value id = ask("execUserCommand",
                         user_call(options_.get("--as"), "roomMessage", {value(argument(0)), std::move(message)}));
    if (as_json()) {
      print_json(value(value_map{{"id", id}}));
    } else {
      io_.out << shown(id) << '\n';
    }
    io_.out.flush();
  }

  int tail() {
    std::uint64_t left = number(options_, "--count", 0);
    const bool counted = options_.has("--count");
    if (counted && left == 0) return 0;
    std::string path = "rooms/" + percent_encoded(argument(0)) + "/events";
    if (options_.has("--history")) path += "?history=" + std::to_string(number(options_, "--history", 0));
    const api_outcome outcome = client_.stream(path, [&](std::string_view name, std::string_view data) {
      if (as_json()) {
        io_.out << "{\"event\":\"" << name << "\",\"data\":" << data << "}\n";
      } else {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        const value read = read_json(std::string(data)).value_or(value());
        io_.out << event_line(name, read, std::chrono::duration_cast<std::chrono::milliseconds>(now).count()) << '\n';
      }
      io_.out.flush();
      return !counted || --left > 0;
    });
    if (!outcome.ok) refused(outcome.error, outcome.body);
    return 0;
  }

  int show_user() {
    const std::string& user = argument(0);
    const std::vector<value> calls{user_call(user, "listOwnSockets", {}), user_call(user, "directGetWhitelistMode", {}),
                                   user_call(user, "directGetAccessList", {value("whitelist")}),
                                   user_call(user, "directGetAccessList", {value("blacklist")})};
    const value_list got = ask_all(calls);
    if (as_json()) {
      print_json(value(value_map{{"user", value(user)},
                                 {"connections", got[0]},
                                 {"whitelistOnly", got[1]},
                                 {"whitelist", got[2]},
                                 {"blacklist", got[3]}}));
      return 0;
    }
    std::vector<std::vector<std::string>> rows{{"user", harmless(user)},
                                               {"direct whitelist mode", shown(got[1])},
                                               {"direct whitelist", shown_list(got[2])},
                                               {"direct blacklist", shown_list(got[3])}};
    const value_map* connections = got[0].if_map();
    if (connections == nullptr || connections->empty()) rows.push_back({"connections", "-"});
    if (connections != nullptr) {
      for (const auto& [id, rooms] : *connections)
        rows.push_back({"connection", harmless(id) + " in " + shown_list(rooms)});
    }
    print_table(io_.out, {"", ""}, rows, false);
    return 0;
  }

  const cli_options& options_;
  const cli_io& io_;
  api_client client_;
};

std::string variable(const environment_list& environment, std::string_view name) {
  for (const auto& [key, text] : environment) {
    if (key == name) return text;
  }
  return {};
}

std::string key_of(const cli_options& options, const environment_list& environment) {
  std::string key = options.get("--key");
  if (options.has("--key-file")) {
    const std::string name = options.get("--key-file");
    std::ifstream in(name);
    // a key file of the service fits, too
    while (std::getline(in, key) && (key.empty() || key.front() == '#')) {
    }
    if (!key.empty() && key.back() == '\r') key.pop_back();
    if (!in || key.empty()) throw cli_failure(exit_wrong_usage, name + ": expected a readable file with a key");
  }
  if (key.empty()) key = variable(environment, "ROOMBUS_KEY");
  if (!key.empty() && !api_keys::is_key(key)) {
    throw cli_failure(exit_wrong_usage, "the key has characters that no key has");
  }
  return key;
}

}  // namespace

int run_cli(std::span<const std::string> args, const environment_list& environment, const cli_io& io) {
  const cli_options options = parse_cli(args);
  try {
    if (!options.error.empty()) throw cli_failure(exit_wrong_usage, options.error);
    if (options.help) {
      io.out << cli_help(*options.command);
      return 0;
    }
    if (options.command->name == "completion") {
      const std::string script = completion_script(options.arguments.front());
      if (script.empty()) throw cli_failure(exit_wrong_usage, "completion: expected bash, zsh or fish");
      io.out << script;
      return 0;
    }
    std::string url = options.get("--url", variable(environment, "ROOMBUS_URL"));
    if (url.empty()) url = "http://127.0.0.1:8001";
    const std::uint64_t seconds = number(options, "--timeout", 10);
    if (seconds < 1 || seconds > 3600) throw cli_failure(exit_wrong_usage, "--timeout: expected 1 to 3600 seconds");
    api_client client(url, key_of(options, environment), std::chrono::seconds(seconds));
    return cli_run(options, io, std::move(client)).run();
  } catch (const cli_failure& failure) {
    io.out.flush();
    io.err << "roombus: " << failure.what() << '\n';
    return failure.exit_code;
  }
}

}  // namespace roombus::server
