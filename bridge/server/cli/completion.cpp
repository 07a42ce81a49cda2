#include "bridge/server/cli/completion.hpp"

#include <set>
#include <vector>

#include "bridge/server/cli/cli_options.hpp"
#include "bridge/server/command_line.hpp"
#include "core/api_table.hpp"

namespace roombus::server {

namespace {

/// What can stand in one place of a command line.
struct words {
  std::vector<std::string> commands;  ///< first words
  std::vector<std::string> methods;
  std::vector<std::pair<std::string, std::vector<std::string>>> seconds;  ///< of `rooms` and `users`
  std::vector<std::pair<std::string, std::vector<std::string>>> flags;    ///< by first word
};

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& word : list)
    out += (out.empty() ? "" : " ") + word;
  return out;
}

words all_words() {
  words w;
  w.commands = program_words();
  for (const api_descriptor& method : all_api_methods())
    w.methods.emplace_back(method.name);
  for (const std::string& word : client_commands()) {
    std::set<std::string> flags;
    std::vector<std::string> seconds;
    for (const cli_command& c : cli_commands()) {
      const bool is_group = c.name.starts_with(word + " ");
      if (c.name != word && !is_group) continue;
      if (is_group) seconds.emplace_back(c.name.substr(word.size() + 1));
      for (const cli_flag& f : c.flags)
        flags.emplace(f.name);
    }
    if (word != "completion") {
      for (const cli_flag& f : common_flags())
        flags.emplace(f.name);
    }
    if (!seconds.empty()) w.seconds.emplace_back(word, std::move(seconds));
    w.flags.emplace_back(word, std::vector<std::string>(flags.begin(), flags.end()));
  }
  return w;
}

std::string bash_cases(const words& w) {
  std::string out;
  out += "    call) if [ \"$COMP_CWORD\" -eq 2 ]; then words='" + joined(w.methods) + "'; fi ;;\n";
  for (const auto& [word, seconds] : w.seconds) {
    out += "    " + word + ") if [ \"$COMP_CWORD\" -eq 2 ]; then words='" + joined(seconds) + "'; fi ;;\n";
  }
  out += "    completion) words='bash zsh fish' ;;\n";
  return out;
}

std::string bash_flag_cases(const words& w) {
  std::string out;
  for (const auto& [word, flags] : w.flags)
    out += "      " + word + ") words='" + joined(flags) + "' ;;\n";
  return out;
}

std::string bash(const words& w) {
  return "# bash completion for roombus: source <(roombus completion bash)\n"
         "_roombus() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} words=''\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "    COMPREPLY=($(compgen -W '" +
         joined(w.commands) +
         "' -- \"$word\"))\n"
         "    return\n"
         "  fi\n"
         "  case ${COMP_WORDS[1]} in\n" +
         bash_cases(w) +
         "  esac\n"
         "  if [[ $word == -* ]]; then\n"
         "    case ${COMP_WORDS[1]} in\n" +
         bash_flag_cases(w) +
         "    esac\n"
         "  fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "}\n"
         "complete -o default -F _roombus roombus\n";
}

std::string zsh(const words& w) {
  return "#compdef roombus\n"
         "# zsh completion for roombus: source <(roombus completion zsh)\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         bash(w);
}

std::string fish(const words& w) {
  std::string out = "# fish completion for roombus: roombus completion fish | source\n";
  out += "complete -c roombus -n __fish_use_subcommand -f -a '" + joined(w.commands) + "'\n";
  out += "complete -c roombus -n '__fish_seen_subcommand_from call' -f -a '" + joined(w.methods) + "'\n";
  for (const auto& [word, seconds] : w.seconds) {
    out += "complete -c roombus -n '__fish_seen_subcommand_from " + word + "' -f -a '" + joined(seconds) + "'\n";
  }
  out += "complete -c roombus -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n";
  for (const auto& [word, flags] : w.flags) {
    for (const std::string& flag : flags) {
      out += "complete -c roombus -n '__fish_seen_subcommand_from " + word + "' -l " + flag.substr(2) + "\n";
    }
  }
  return out;
}

}  // namespace

std::string completion_script(std::string_view shell) {
  const words w = all_words();
  if (shell == "bash") return bash(w);
  if (shell == "zsh") return zsh(w);
  if (shell == "fish") return fish(w);
  return "";
}

}  // namespace roombus::server
