#include "fsd/ingest/npy_header.h"

#include <algorithm>
#include <array>

#include "fsd/ingest/text_value.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

Status incomplete(uint64_t wanted, uint64_t have) {
  return invalid("the .npy file is incomplete: " + std::to_string(have) + " of " + std::to_string(wanted) + " bytes");
}

Status refused(const std::string& descr, const std::string& why) {
  return unsupported("dtype '" + descr + "' is not supported: " + why);
}

Result<DataType> number_type(const std::string& descr, char kind, uint64_t size) {
  static constexpr TypeKind kSigned[] = {TypeKind::kInt8, TypeKind::kInt16, TypeKind::kInt32, TypeKind::kInt64};
  static constexpr TypeKind kUnsigned[] = {TypeKind::kUInt8, TypeKind::kUInt16, TypeKind::kUInt32, TypeKind::kUInt64};
  size_t log = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : size == 8 ? 3 : 4;
  if (kind == 'b' && log == 0) return DataType::of(TypeKind::kBool);
  if (kind == 'i' && log < 4) return DataType::of(kSigned[log]);
  if (kind == 'u' && log < 4) return DataType::of(kUnsigned[log]);
  if (kind == 'f' && log == 1) return DataType::of(TypeKind::kFloat16);
  if (kind == 'f' && log == 2) return DataType::of(TypeKind::kFloat32);
  if (kind == 'f' && log == 3) return DataType::of(TypeKind::kFloat64);
  if (kind == 'f') return refused(descr, "long doubles differ between machines; save .astype('float64')");
  if (kind == 'c') return refused(descr, "complex numbers; save .real and .imag as two columns");
  if (kind == 'V') return refused(descr, "raw bytes without a meaning; save them as dtype 'S' or as uint8");
  return invalid("the .npy header has the unknown dtype " + quoted_for_message(descr));
}

Result<DataType> time_type(const std::string& descr, char kind, std::string_view unit) {
  DataType type = kind == 'M' ? DataType::timestamp(TimeUnit::kSecond) : DataType::of(TypeKind::kDuration);
  if (unit == "[D]" && kind == 'M') return DataType::of(TypeKind::kDate);
  for (TimeUnit one : {TimeUnit::kSecond, TimeUnit::kMilli, TimeUnit::kMicro, TimeUnit::kNano}) {
    if (unit != "[" + std::string(unit_name(one)) + "]") continue;
    type.unit = one;
    return type;
  }
  return refused(descr, kind == 'M' ? "datetime64 is taken in units D, s, ms, us and ns; save .astype('datetime64[s]')"
                                    : "timedelta64 is taken in units s, ms, us and ns; save .astype('timedelta64[s]')");
}

// Fills type, element, swapped and row_bytes (of one element).
Status read_descr(const std::string& descr, NpyHeader& header) {
  if (descr.find('O') != std::string::npos) {
    return refused(descr, "objects are pickled Python, which Stela never runs; save .astype('U') or a number type");
  }
  size_t digits = 2;
  while (digits < descr.size() && is_digit(descr[digits])) ++digits;
  uint64_t size = 0;
  bool order_known = !descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
  if (descr.size() < 3 || !order_known || !parse_magnitude(descr.data() + 2, digits - 2, &size) ||
      size > (uint64_t{1} << 32)) {
    return invalid("the .npy header has the unknown dtype " + quoted_for_message(descr));
  }
  char kind = descr[1];
  bool is_time = kind == 'M' || kind == 'm';
  if (digits != descr.size() && !is_time) {
    return invalid("the .npy header has the unknown dtype " + quoted_for_message(descr));
  }
  header.swapped = descr[0] == '>';
  header.row_bytes = size;
  if (kind == 'U' || kind == 'S') {
    header.element = kind == 'U' ? NpyElement::kText : NpyElement::kBytes;
    header.row_bytes = kind == 'U' ? size * 4 : size;
    header.type = DataType::of(kind == 'U' ? TypeKind::kUtf8 : TypeKind::kBinary);
    if (size == 0) return refused(descr, "its values have no bytes");
    if (header.row_bytes > IngestOptions{}.field_bytes_max) {
      return Status(Code::kLimit, "dtype '" + descr + "' is over the limit of " +
                                      std::to_string(IngestOptions{}.field_bytes_max) + " bytes a value");
    }
    return {};
  }
  if (is_time) {
    if (size != 8) return invalid("the .npy header has the unknown dtype " + quoted_for_message(descr));
    header.element = NpyElement::kNat;
    STELA_ASSIGN(header.type, time_type(descr, kind, std::string_view(descr).substr(digits)));
    return {};
  }
  STELA_ASSIGN(header.type, number_type(descr, kind, size));
  if (header.type.kind == TypeKind::kBool) header.element = NpyElement::kBool;
  return {};
}

Status read_shape(const NpyDict& dict, NpyHeader& header) {
  if (dict.shape.empty()) {
    return invalid("the .npy file holds a single value without dimensions; save numpy.atleast_1d of it");
  }
  header.rows = dict.shape[0];
  header.fortran_order = dict.fortran_order && dict.shape.size() > 1;
  if (dict.shape.size() == 1) return {};
  bool numbers = header.element == NpyElement::kPlain || header.element == NpyElement::kBool;
  if (!numbers) return unsupported("arrays of " + header.type.name() + " of more than one dimension are not supported");
  for (size_t i = 1; i < dict.shape.size(); ++i) {
    if (dict.shape[i] == 0) return invalid("the .npy array has an extent of 0, so its rows hold nothing");
    if (dict.shape[i] > UINT32_MAX || __builtin_mul_overflow(header.row_bytes, dict.shape[i], &header.row_bytes)) {
      return invalid("the rows of the .npy array are too large");
    }
    header.type.shape.push_back(static_cast<uint32_t>(dict.shape[i]));
  }
  return header.type.validate();
}

}  // namespace

Result<NpyHeader> read_npy_prefix(ByteSource& source, uint64_t offset) {
  uint64_t have = source.size() - offset;
  std::array<std::byte, 12> front{};
  if (have < 10) {
    STELA_TRY(source.read(offset, {front.data(), static_cast<size_t>(have)}));
  } else {
    STELA_TRY(source.read(offset, {front.data(), static_cast<size_t>(std::min<uint64_t>(have, 12))}));
  }
  std::string_view magic("\x93NUMPY", 6);
  std::string_view got = as_text({front.data(), static_cast<size_t>(std::min<uint64_t>(have, 6))});
  if (got != magic.substr(0, got.size())) return invalid("this is not a .npy file: it does not begin with \\x93NUMPY");
  if (have < 10) return incomplete(10, have);
  auto major = static_cast<uint8_t>(front[6]), minor = static_cast<uint8_t>(front[7]);
  if (major < 1 || major > 3 || minor != 0) {
    return unsupported("version " + std::to_string(major) + "." + std::to_string(minor) +
                       " of .npy is not known; 1.0, 2.0 and 3.0 are");
  }
  uint64_t prefix = major == 1 ? 10 : 12;
  if (have < prefix) return incomplete(prefix, have);
  uint32_t length = major == 1 ? get_fixed<uint16_t>(front.data() + 8) : get_fixed<uint32_t>(front.data() + 8);
  if (length > kNpyHeaderBytesMax) {
    return Status(Code::kLimit, "the .npy header declares " + std::to_string(length) + " bytes; the limit is " +
                                    std::to_string(kNpyHeaderBytesMax));
  }
  if (have < prefix + length) return incomplete(prefix + length, have);
  std::string text(length, '\0');
  STELA_TRY(source.read(offset + prefix, {reinterpret_cast<std::byte*>(text.data()), text.size()}));
  STELA_ASSIGN(NpyDict dict, parse_npy_dict(text));
  NpyHeader header;
  STELA_TRY(read_descr(dict.descr, header));
  STELA_TRY(read_shape(dict, header));
  header.data_offset = offset + prefix + length;
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(header.rows, header.row_bytes, &bytes) || bytes > UINT64_MAX - header.data_offset) {
    return invalid("the .npy header declares more bytes than there can be: " + std::to_string(header.rows) +
                   " rows of " + std::to_string(header.row_bytes));
  }
  return header;
}

Result<NpyHeader> read_npy_header(ByteSource& source, uint64_t offset) {
  STELA_ASSIGN(NpyHeader header, read_npy_prefix(source, offset));
  uint64_t have = source.size() - offset;
  uint64_t wanted = header.data_offset - offset + header.rows * header.row_bytes;
  if (have < wanted) return incomplete(wanted, have);
  if (have > wanted) {
    return invalid("after the array come " + std::to_string(have - wanted) + " bytes more; one .npy holds one array");
  }
  return header;
}

}  // namespace stela::fsd
