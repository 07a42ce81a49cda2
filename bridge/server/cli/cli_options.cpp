#include "bridge/server/cli/cli_options.hpp"

#include <algorithm>

#include "bridge/server/suggest.hpp"

namespace roombus::server {

const std::vector<cli_command>& cli_commands() {
  static const std::vector<cli_command> all{
      {"call", "METHOD [JSON | NAME=VALUE …]",
       "Calls a method of the server API and prints its result as JSON. Arguments are one JSON object or array, or "
       "names with values; docs/server-api.md lists the methods.",
       "roombus call changeRoomHistoryMaxSize room=kitchen size=100", 1, 1000},
      {"rooms list",
       "[--after ROOM] [--limit N]",
       "Lists rooms in the order of their names.",
       "roombus rooms",
       0,
       0,
       {{"--after", "ROOM", "begin behind this room"}, {"--limit", "N", "at most so many (default: all)"}}},
      {"rooms create",
       "ROOM [--owner USER] …",
       "Creates a room.",
       "roombus rooms create kitchen --owner alice --history 500",
       1,
       1,
       {{"--owner", "USER", "its owner"},
        {"--admins", "USER,…", "its administrators"},
        {"--whitelist", "USER,…", "who may join in whitelist mode"},
        {"--blacklist", "USER,…", "who may not join"},
        {"--whitelist-only", "", "turn on whitelist mode"},
        {"--history", "N", "messages it keeps"},
        {"--userlist-updates", "", "tell members who joins and leaves"},
        {"--access-lists-updates", "", "tell members about changes of lists and mode"}}},
      {"rooms show", "ROOM", "Shows owner, mode, history and who has joined.", "roombus rooms show kitchen", 1, 1},
      {"rooms lists", "ROOM", "Shows all lists of a room.", "roombus rooms lists kitchen", 1, 1},
      {"rooms delete", "ROOM", "Removes everybody from a room and deletes it with its history.",
       "roombus rooms delete kitchen", 1, 1},
      {"send",
       "ROOM MESSAGE|-",
       "Sends a message to a room and prints its id. A JSON object is the message, any other text becomes "
       "{\"textMessage\":…}; - sends each line of the standard input.",
       "roombus send kitchen '{\"temp\":21.5}'",
       2,
       2,
       {{"--as", "USER", "as this user (default: the service itself)"}}},
      {"tail",
       "ROOM [--history N]",
       "Prints what happens in a room as it happens, until Ctrl-C.",
       "roombus tail kitchen --history 20",
       1,
       1,
       {{"--history", "N", "first the last N messages"}, {"--count", "N", "end after so many lines"}}},
      {"users list",
       "[--after USER] [--limit N]",
       "Lists users in the order of their names.",
       "roombus users",
       0,
       0,
       {{"--after", "USER", "begin behind this user"}, {"--limit", "N", "at most so many (default: all)"}}},
      {"users show", "USER", "Shows a user's connections with their rooms, and the lists for direct messages.",
       "roombus users show alice", 1, 1},
      {"kick", "USER", "Disconnects a user everywhere.", "roombus kick alice", 1, 1},
      {"completion", "bash|zsh|fish", "Prints a completion script for a shell.", "source <(roombus completion bash)", 1,
       1}};
  return all;
}

const std::vector<cli_flag>& common_flags() {
  static const std::vector<cli_flag> all{
      {"--url", "URL", "the service's admin listener (default: the variable ROOMBUS_URL, else http://127.0.0.1:8001)"},
      {"--key", "KEY", "a key of the server API (default: the variable ROOMBUS_KEY)"},
      {"--key-file", "FILE", "a file with the key in its first line; other users of this machine cannot see it there"},
      {"--timeout", "SECONDS", "for an answer (default: 10)"},
      {"--json", "", "print JSON"},
      {"--help", "", "print this"}};
  return all;
}

std::string cli_help(const cli_command& command) {
  std::string out = "roombus " + std::string(command.name) + " " + std::string(command.arguments) + "\n\n" +
                    std::string(command.help) + "\n\nExample:\n\n  " + std::string(command.example) + "\n";
  std::vector<cli_flag> flags = command.flags;
  if (command.name != "completion") flags.insert(flags.end(), common_flags().begin(), common_flags().end());
  if (flags.empty()) return out;
  out += "\nFlags:\n\n";
  for (const cli_flag& flag : flags) {
    std::string left(flag.name);
    if (!flag.value.empty()) left += " " + std::string(flag.value);
    left.resize(std::max<std::size_t>(left.size() + 2, 24), ' ');
    out += "  " + left + std::string(flag.help) + "\n";
  }
  return out +
         "\nExit codes: 0 done, 1 the service answered an error, 2 wrong command line, 3 the service cannot be reached "
         "or\ndoes not accept the key.\n";
}

std::string cli_options::get(std::string_view flag, std::string_view otherwise) const {
  auto it = flags.find(flag);
  return it == flags.end() ? std::string(otherwise) : it->second;
}

namespace {

const cli_command* find_command(std::string_view name) {
  const auto& all = cli_commands();
  const auto it = std::find_if(all.begin(), all.end(), [&](const cli_command& c) { return c.name == name; });
  return it == all.end() ? nullptr : &*it;
}

class parser {
 public:
  explicit parser(std::span<const std::string> args) : args_(args) {}

  cli_options read() {
    const std::string word = args_[at_++];
    out_.command = find_command(word);
    if (out_.command == nullptr) read_second_word(word);
    bool only_arguments = false;
    while (at_ < args_.size() && out_.error.empty()) {
      const std::string& arg = args_[at_++];
      if (!only_arguments && arg == "--") {
        only_arguments = true;
      } else if (!only_arguments && arg.size() > 1 && arg.starts_with("-")) {
        read_flag(arg);
      } else {
        out_.arguments.push_back(arg);
      }
    }
    if (out_.error.empty() && !out_.help) check_count();
    return std::move(out_);
  }

 private:
  /// `rooms` and `users` list unless told otherwise.
  void read_second_word(const std::string& word) {
    if (at_ < args_.size() && !args_[at_].starts_with("-")) {
      const std::string& second = args_[at_++];
      out_.command = find_command(word + " " + second);
      if (out_.command != nullptr) return;
      std::vector<std::string> names;
      for (const cli_command& c : cli_commands()) {
        if (c.name.starts_with(word + " ")) names.emplace_back(c.name.substr(word.size() + 1));
      }
      out_.error = word + " " + second + ": no such command" + did_you_mean(second, names);
      return;
    }
    out_.command = find_command(word + " list");
  }

  void read_flag(const std::string& arg) {
    const std::size_t equals = arg.find('=');
    const std::string name = arg == "-h" ? "--help" : arg.substr(0, equals);
    std::vector<cli_flag> known = out_.command->flags;
    known.insert(known.end(), common_flags().begin(), common_flags().end());
    const auto flag = std::find_if(known.begin(), known.end(), [&](const cli_flag& f) { return f.name == name; });
    if (flag == known.end()) {
      std::vector<std::string> names;
      for (const cli_flag& f : known)
        names.emplace_back(f.name);
      out_.error = name + ": no such flag" + did_you_mean(name, names);
    } else if (name == "--help") {
      out_.help = true;
    } else if (flag->value.empty()) {
      if (equals != std::string::npos) out_.error = name + ": takes no value";
      out_.flags[name] = "true";
    } else if (equals != std::string::npos) {
      out_.flags[name] = arg.substr(equals + 1);
    } else if (at_ < args_.size()) {
      out_.flags[name] = args_[at_++];
    } else {
      out_.error = name + ": expected " + std::string(flag->value) + " behind it";
    }
  }

  void check_count() {
    const std::size_t given = out_.arguments.size();
    if (given >= out_.command->min_arguments && given <= out_.command->max_arguments) return;
    out_.error = "usage: roombus " + std::string(out_.command->name) + " " + std::string(out_.command->arguments);
  }

  std::span<const std::string> args_;
  std::size_t at_ = 0;
  cli_options out_;
};

}  // namespace

cli_options parse_cli(std::span<const std::string> args) {
  return parser(args).read();
}

}  // namespace roombus::server
