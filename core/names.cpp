#include "core/named_string.hpp"
#include "core/utf8.hpp"

namespace roombus {

bool is_valid_name(const std::string& name, std::size_t max_bytes) {
  if (name.empty() || name.size() > max_bytes) return false;
  for (char c : name) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == ':' || c == '{' || c == '}') return false;
  }
  return is_valid_utf8(name);
}

}  // namespace roombus
