#include "schemas/codec/cbor_tokens.hpp"

#include <cbor.h>

namespace roombus::cbor {

namespace {

using kind = token::kind;

token& to_token(void* context) {
  return *static_cast<token*>(context);
}

template <kind Kind>
void bare(void* context) {
  to_token(context).type = Kind;
}

template <kind Kind, class Number>
void numbered(void* context, Number n) {
  token& t = to_token(context);
  t.type = Kind;
  t.number = n;
}

template <kind Kind>
void with_data(void* context, cbor_data data, std::size_t size) {
  token& t = to_token(context);
  t.type = Kind;
  t.data = std::string_view(reinterpret_cast<const char*>(data), size);
}

template <class Real>
void real(void* context, Real r) {
  token& t = to_token(context);
  t.type = kind::real;
  t.real = static_cast<double>(r);
}

constexpr cbor_callbacks make_callbacks() {
  cbor_callbacks c{};
  c.uint8 = numbered<kind::unsigned_integer, std::uint8_t>;
  c.uint16 = numbered<kind::unsigned_integer, std::uint16_t>;
  c.uint32 = numbered<kind::unsigned_integer, std::uint32_t>;
  c.uint64 = numbered<kind::unsigned_integer, std::uint64_t>;
  c.negint8 = numbered<kind::negative_integer, std::uint8_t>;
  c.negint16 = numbered<kind::negative_integer, std::uint16_t>;
  c.negint32 = numbered<kind::negative_integer, std::uint32_t>;
  c.negint64 = numbered<kind::negative_integer, std::uint64_t>;
  c.byte_string_start = bare<kind::bytes_chunks>;
  c.byte_string = with_data<kind::bytes>;
  c.string = with_data<kind::text>;
  c.string_start = bare<kind::text_chunks>;
  c.indef_array_start = bare<kind::open_list>;
  c.array_start = numbered<kind::list, std::size_t>;
  c.indef_map_start = bare<kind::open_map>;
  c.map_start = numbered<kind::map, std::size_t>;
  c.tag = numbered<kind::tag, std::uint64_t>;
  c.float2 = real<float>;
  c.float4 = real<float>;
  c.float8 = real<double>;
  c.undefined = bare<kind::undefined>;
  c.null = bare<kind::null>;
  c.boolean = numbered<kind::boolean, bool>;
  c.indef_break = bare<kind::end>;
  return c;
}

constexpr cbor_callbacks callbacks = make_callbacks();

}  // namespace

bool token_reader::fail(codec_errc code) {
  error_ = codec_error{code, token_offset_};
  return false;
}

bool token_reader::next(token& t) {
  token_offset_ = offset_;
  if (left() == 0) return fail(codec_errc::truncated);
  const auto* at = reinterpret_cast<const unsigned char*>(bytes_.data()) + offset_;
  const unsigned major = *at >> 5;
  const unsigned info = *at & 31U;

  // Where libcbor's versions differ is decided here: 0.8 calls the tags 6 to 20 and the unassigned simple values
  // errors, others pass over them.
  if (info >= 28 && info <= 30) return fail(codec_errc::syntax);
  if (info == 31 && (major <= 1 || major == 6)) return fail(codec_errc::syntax);
  if (major == 6 && info < 24) {
    t.type = kind::tag;
    t.number = info;
    ++offset_;
    return true;
  }
  if (major == 7 && info < 20) return fail(codec_errc::unsupported);
  if (major == 7 && info == 24) {
    if (left() < 2) return fail(codec_errc::truncated);
    return fail(at[1] < 32 ? codec_errc::syntax : codec_errc::unsupported);
  }

  const cbor_decoder_result result = cbor_stream_decode(at, left(), &callbacks, &t);
  switch (result.status) {
    case CBOR_DECODER_FINISHED:
      offset_ += result.read;
      return true;
    case CBOR_DECODER_NEDATA:
      return fail(codec_errc::truncated);
    case CBOR_DECODER_ERROR:
      return fail(codec_errc::syntax);
  }
  return fail(codec_errc::syntax);
}

bool token_reader::next_untagged(token& t) {
  if (!next(t)) return false;
  if (t.type != kind::tag) return true;
  do {
    if (t.number == 2 || t.number == 3) return fail(codec_errc::bad_number);
    if (!next(t)) return false;
  } while (t.type == kind::tag);
  return t.type != kind::end || fail(codec_errc::syntax);  // a tag needs a value
}

}  // namespace roombus::cbor
