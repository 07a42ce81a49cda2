#include "bridge/server/command_line.hpp"

#include <algorithm>

#include "bridge/server/config_key.hpp"
#include "bridge/server/suggest.hpp"

namespace roombus::server {

namespace {

const std::vector<std::pair<std::string, program_command>>& commands() {
  static const std::vector<std::pair<std::string, program_command>> all{
      {"serve", program_command::serve},
      {"check-config", program_command::check_config},
      {"healthcheck", program_command::healthcheck},
      {"config-reference", program_command::config_reference},
      {"api-reference", program_command::api_reference},
      {"openapi", program_command::openapi},
      {"--help", program_command::help},
      {"--version", program_command::version}};
  return all;
}

class parser {
 public:
  explicit parser(std::span<const std::string> args) : args_(args) {}

  command_line read() {
    if (args_.empty()) {
      out_.errors.emplace_back("no command; roombus --help lists them");
      return std::move(out_);
    }
    read_command(args_[at_++]);
    if (!out_.errors.empty()) return std::move(out_);  // its flags cannot be judged
    while (at_ < args_.size())
      read_flag(args_[at_++]);
    return std::move(out_);
  }

 private:
  void read_command(const std::string& word) {
    const auto& all = commands();
    const auto known = word == "-h" || word == "help" ? "--help" : word;
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& c) { return c.first == known; });
    if (found != all.end()) {
      out_.command = found->second;
      return;
    }
    out_.errors.push_back(word + ": no such command" + did_you_mean(word, program_words()));
  }

  void read_flag(const std::string& flag) {
    if (flag == "--help" || flag == "-h") {
      out_.command = program_command::help;
      return;
    }
    const bool configured = out_.command == program_command::serve || out_.command == program_command::check_config ||
                            out_.command == program_command::healthcheck;
    if (!flag.starts_with("--") || !configured) {
      out_.errors.push_back(flag + ": not expected here; roombus --help lists what is");
      return;
    }
    const auto equals = flag.find('=');
    const auto name = flag.substr(2, equals == std::string::npos ? std::string::npos : equals - 2);
    std::optional<std::string> value;
    if (equals != std::string::npos) value = flag.substr(equals + 1);
    if (name == "dev") {
      out_.settings.emplace_back("auth.dev", value.value_or("true"));
    } else if (std::string* place = file_flag(name)) {
      if (!value && at_ < args_.size()) value = args_[at_++];
      if (!value || value->empty()) {
        out_.errors.push_back("--" + name + ": expected " + (name == "url" ? "a URL" : "a file name") + " behind it");
      } else {
        *place = *value;
      }
    } else {
      read_setting(name, std::move(value));
    }
  }

  std::string* file_flag(const std::string& name) {
    if (name == "config") return &out_.config_file;
    if (name == "ready-file" && out_.command == program_command::serve) return &out_.ready_file;
    if (name == "url" && out_.command == program_command::healthcheck) return &out_.url;
    return nullptr;
  }

  void read_setting(const std::string& name, std::optional<std::string> value) {
    const auto& keys = config_keys();
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const auto& k) { return k.path() == name; });
    if (key == keys.end()) {
      std::vector<std::string> names{"--config", "--dev", "--ready-file"};
      for (const auto& k : keys)
        names.push_back("--" + k.path());
      out_.errors.push_back("--" + name + ": no such flag" + did_you_mean("--" + name, names));
      if (!value && at_ < args_.size() && !args_[at_].starts_with("--")) ++at_;  // most likely its value
      return;
    }
    if (!value && at_ < args_.size() && !args_[at_].starts_with("--")) value = args_[at_++];
    if (!value && key->kind == setting_kind::boolean) value = "true";
    if (!value) {
      out_.errors.push_back("--" + name + ": expected " + key->expected + " behind it");
      return;
    }
    out_.settings.emplace_back(name, std::move(*value));
  }

  std::span<const std::string> args_;
  std::size_t at_ = 0;
  command_line out_;
};

}  // namespace

const std::vector<std::string>& client_commands() {
  static const std::vector<std::string> all{"call", "rooms", "send", "tail", "users", "kick", "completion"};
  return all;
}

bool is_client_command(const std::string& word) {
  const auto& all = client_commands();
  return std::find(all.begin(), all.end(), word) != all.end();
}

std::vector<std::string> program_words() {
  std::vector<std::string> words;
  for (const auto& c : commands())
    words.push_back(c.first);
  words.insert(words.end(), {"token", "hash-password"});  // bridge/server/login_commands
  words.insert(words.end(), client_commands().begin(), client_commands().end());
  return words;
}

command_line parse_command_line(std::span<const std::string> args) {
  return parser(args).read();
}

}  // namespace roombus::server
