#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/utf8.hpp"
#include "schemas/codec/base64.hpp"
#include "schemas/codec/cbor_tokens.hpp"
#include "schemas/codec/json.hpp"
#include "schemas/codec/stored_limits.hpp"

namespace roombus::json {

namespace {

using attachment_list = std::vector<shared_buffer>;

template <class Number>
void append_number(std::string& out, Number n) {
  std::array<char, 32> digits;
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), n);
  out.append(digits.data(), written.ptr);
}

void append_double(std::string& out, double d) {
  if (std::isfinite(d)) {
    append_number(out, d);
  } else {
    out.append("null");
  }
}

/// Bytes as a buffer object, or as a placeholder where there is a list of attachments.
void append_bytes(std::string& out, std::string_view bytes, attachment_list* attachments) {
  if (attachments == nullptr) {
    out.append(R"({"type":"Buffer","data":")");
    append_base64(out, bytes);
    out.append("\"}");
  } else {
    out.append(R"({"_placeholder":true,"num":)");
    append_number(out, attachments->size());
    out.push_back('}');
    attachments->push_back(std::make_shared<const std::string>(bytes));
  }
}

/// Turns one CBOR item into JSON, token by token, without a tree of values between them.
class transcoder {
 public:
  transcoder(std::string_view cbor, std::string& out, attachment_list* attachments)
      : in_(cbor), out_(out), attachments_(attachments) {}

  bool run() {
    cbor::token t;
    return in_.next_untagged(t) && item(t, 0) && in_.left() == 0;
  }

 private:
  using kind = cbor::token::kind;

  bool item(const cbor::token& t, std::size_t depth) {
    switch (t.type) {
      case kind::unsigned_integer:
        append_number(out_, t.number);
        return true;
      case kind::negative_integer:
        if (t.number > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return false;
        append_number(out_, -1 - static_cast<std::int64_t>(t.number));
        return true;
      case kind::real:
        write(out_, value(t.real));
        return true;  // a whole double is written as the integer it is
      case kind::boolean:
        out_.append(t.number != 0 ? "true" : "false");
        return true;
      case kind::null:
        out_.append("null");
        return true;
      case kind::text:
      case kind::text_chunks:
        return text(t);
      case kind::bytes:
        append_bytes(out_, t.data, attachments_);
        return true;
      case kind::bytes_chunks: {
        std::string bytes;
        if (!chunks(kind::bytes, bytes)) return false;
        append_bytes(out_, bytes, attachments_);
        return true;
      }
      case kind::list:
      case kind::open_list:
        return list(t, depth + 1);
      case kind::map:
      case kind::open_map:
        return map(t, depth + 1);
      case kind::undefined:
      case kind::tag:
      case kind::end:
        return false;
    }
    return false;
  }

  bool text(const cbor::token& t) {
    std::string joined;
    if (t.type == kind::text_chunks && !chunks(kind::text, joined)) return false;
    const std::string_view whole = t.type == kind::text_chunks ? std::string_view(joined) : t.data;
    if (!is_valid_utf8(whole)) return false;
    write_text(out_, whole);
    return true;
  }

  bool chunks(kind type, std::string& out) {
    for (cbor::token t;;) {
      if (!in_.next(t)) return false;
      if (t.type == kind::end) return true;
      if (t.type != type) return false;
      out.append(t.data);
    }
  }

  bool list(const cbor::token& head, std::size_t depth) {
    if (depth > stored_limits.max_depth) return false;
    const bool open = head.type == kind::open_list;
    out_.push_back('[');
    cbor::token t;
    for (std::uint64_t i = 0; open || i < head.number; ++i) {
      if (!in_.next_untagged(t)) return false;
      if (open && t.type == kind::end) break;
      if (i != 0) out_.push_back(',');
      if (!item(t, depth)) return false;
    }
    out_.push_back(']');
    return true;
  }

  bool map(const cbor::token& head, std::size_t depth) {
    if (depth > stored_limits.max_depth) return false;
    const bool open = head.type == kind::open_map;
    out_.push_back('{');
    cbor::token t;
    for (std::uint64_t i = 0; open || i < head.number; ++i) {
      if (!in_.next_untagged(t)) return false;
      if (open && t.type == kind::end) break;
      if (i != 0) out_.push_back(',');
      if (t.type != kind::text && t.type != kind::text_chunks) return false;
      if (!text(t) || !in_.next_untagged(t)) return false;
      out_.push_back(':');
      if (!item(t, depth)) return false;
    }
    out_.push_back('}');
    return true;
  }

  cbor::token_reader in_;
  std::string& out_;
  attachment_list* attachments_;
};

/// What does not decode (it came from outside) is null, as in `cbor::materialize`.
void transcode(std::string& out, const std::string& cbor, attachment_list* attachments) {
  const std::size_t start = out.size();
  const std::size_t first_attachment = attachments == nullptr ? 0 : attachments->size();
  if (transcoder(cbor, out, attachments).run()) return;
  out.resize(start);
  if (attachments != nullptr) attachments->resize(first_attachment);
  out.append("null");
}

const std::string& kept_json(const encoded_map& map, encoded_map::format format) {
  shared_buffer& kept = map.encoding(format);
  if (!kept) {
    // without bytes both formats are the same text, so they share it
    const auto other =
        format == encoded_map::format::json ? encoded_map::format::socketio_json : encoded_map::format::json;
    if (!map.has_bytes()) kept = map.encoding(other);
  }
  if (!kept) {
    std::string json;
    json.reserve(map.cbor().size() + map.cbor().size() / 2);
    transcode(json, map.cbor(), nullptr);
    kept = std::make_shared<const std::string>(std::move(json));
  }
  return *kept;
}

struct writer {
  std::string& out;
  attachment_list* attachments;

  void operator()(value::null) const { out.append("null"); }
  void operator()(bool b) const { out.append(b ? "true" : "false"); }
  void operator()(std::int64_t n) const { append_number(out, n); }
  void operator()(std::uint64_t n) const { append_number(out, n); }
  void operator()(double d) const { append_double(out, d); }
  void operator()(const std::string& text) const { write_text(out, text); }
  void operator()(const byte_string& b) const { append_bytes(out, b.data, attachments); }
  void operator()(const value_list& list) const {
    out.push_back('[');
    bool first = true;
    for (const value& v : list) {
      if (!first) out.push_back(',');
      first = false;
      std::visit(*this, v.data());
    }
    out.push_back(']');
  }
  void operator()(const value_map& map) const {
    out.push_back('{');
    bool first = true;
    for (const auto& [key, field] : map) {
      if (!first) out.push_back(',');
      first = false;
      write_text(out, key);
      out.push_back(':');
      std::visit(*this, field.data());
    }
    out.push_back('}');
  }
  void operator()(const value::encoded& map) const {
    if (attachments == nullptr) {
      out.append(kept_json(*map, encoded_map::format::json));
    } else if (!map->has_bytes()) {
      out.append(kept_json(*map, encoded_map::format::socketio_json));
    } else {
      transcode(out, map->cbor(), attachments);  // the numbers of the placeholders differ from packet to packet
    }
  }
};

constexpr std::array<bool, 256> make_needs_escape() {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c)
    table[c] = true;
  table['"'] = true;
  table['\\'] = true;
  return table;
}
constexpr auto needs_escape = make_needs_escape();

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\b':
      out.append("\\b");
      return;
    case '\f':
      out.append("\\f");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      break;
  }
  constexpr std::string_view hex = "0123456789abcdef";
  out.append("\\u00");
  out.push_back(hex[static_cast<unsigned char>(c) >> 4]);
  out.push_back(hex[static_cast<unsigned char>(c) & 15]);
}

}  // namespace

void write(std::string& out, const value& v) {
  std::visit(writer{out, nullptr}, v.data());
}

std::string write(const value& v) {
  std::string out;
  out.reserve(120);
  write(out, v);
  return out;
}

void write_socketio(std::string& out, const value& v, std::vector<shared_buffer>& attachments) {
  std::visit(writer{out, &attachments}, v.data());
}

void write_text(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!needs_escape[static_cast<unsigned char>(text[i])]) continue;
    out.append(text, plain, i - plain);
    append_escape(out, text[i]);
    plain = i + 1;
  }
  out.append(text, plain);
  out.push_back('"');
}

}  // namespace roombus::json
