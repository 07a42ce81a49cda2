// The only file that knows toml++ (heavy to compile, and its exceptions stay here).

#include "bridge/server/config_file.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace roombus::server {

namespace {

constexpr std::size_t max_file_bytes = 16 * 1024 * 1024;

std::variant<setting, foreign_value> read_value(const toml::node& node) {
  if (const auto* b = node.as_boolean()) return setting(b->get());
  if (const auto* i = node.as_integer()) return setting(i->get());
  if (const auto* s = node.as_string()) return setting(s->get());
  if (const auto* array = node.as_array()) {
    std::vector<std::string> texts;
    for (const auto& item : *array) {
      const auto* text = item.as_string();
      if (text == nullptr) return foreign_value{"a list of other things than texts"};
      texts.push_back(text->get());
    }
    return setting(std::move(texts));
  }
  if (node.is_table()) return foreign_value{"a table"};
  if (node.is_floating_point()) return foreign_value{"a number with a fraction"};
  return foreign_value{"a date or time"};
}

class reader {
 public:
  explicit reader(const std::string& path) : path_(path) {}

  void read(const toml::table& root) {
    for (const auto& [name, node] : root) {
      const std::string section(name.str());
      if (const auto* table = node.as_table()) {
        add(section, std::nullopt, "", foreign_value{"a table"}, name.source());
        read_section(section, std::nullopt, *table);
      } else if (const auto* array = node.as_array(); array != nullptr && node.is_array_of_tables()) {
        std::size_t index = 0;
        for (const auto& item : *array) {
          add(section, index, "", foreign_value{"a table"}, item.source());
          read_section(section, index++, *item.as_table());
        }
      } else {
        add("", std::nullopt, section, read_value(node), name.source());
      }
    }
    std::stable_sort(order_.begin(), order_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [line, entry] : order_)
      content.entries.push_back(std::move(entry));
  }

  file_content content;

 private:
  void read_section(const std::string& section, std::optional<std::size_t> index, const toml::table& table) {
    for (const auto& [name, node] : table) {
      const auto* nested = node.as_table();
      if (nested == nullptr || index) {
        add(section, index, std::string(name.str()), read_value(node), name.source());
        continue;
      }
      // `[auth.jwt]`: a section of its own
      const std::string path = section + "." + std::string(name.str());
      add(path, std::nullopt, "", foreign_value{"a table"}, name.source());
      read_section(path, std::nullopt, *nested);
    }
  }

  void add(std::string section, std::optional<std::size_t> index, std::string key,
           std::variant<setting, foreign_value> value, const toml::source_region& where) {
    const auto line = where.begin.line;
    order_.emplace_back(line, file_entry{std::move(section), index, std::move(key), std::move(value),
                                         path_ + ":" + std::to_string(line)});
  }

  const std::string& path_;
  std::vector<std::pair<toml::source_index, file_entry>> order_;
};

}  // namespace

file_content parse_config(const std::string& text, const std::string& path) {
  reader out(path);
  try {
    out.read(toml::parse(text, path));
  } catch (const toml::parse_error& e) {
    std::ostringstream message;
    message << path << ":" << e.source().begin.line << ":" << e.source().begin.column << ": " << e.description();
    out.content.errors.push_back(message.str());
  }
  return std::move(out.content);
}

file_content read_config_file(const std::string& path) {
  file_content failed;
  std::ifstream in(path, std::ios::binary);
  std::string text;
  char block[4096];
  while (in && text.size() <= max_file_bytes) {
    in.read(block, sizeof block);
    text.append(block, static_cast<std::size_t>(in.gcount()));
  }
  if (!in.eof() || in.bad()) {
    failed.errors.push_back(path + ": cannot be read" + (text.size() > max_file_bytes ? ": more than 16 MiB" : ""));
    return failed;
  }
  return parse_config(text, path);
}

}  // namespace roombus::server
