#include "engine/format/statistics.h"

namespace stela::format {
namespace {

constexpr uint8_t kHasBounds = 1, kHasNan = 2, kMinCut = 4, kMaxCut = 8;

bool bound_fits(const DataType& type, size_t bytes) {
  if (type.is_tensor()) return false;
  if (type.is_variable()) return bytes <= kBoundBytes;
  if (type.kind == TypeKind::kFixedBinary) return bytes <= kBoundBytes && bytes <= type.width;
  return bytes == type.element_width();
}

}  // namespace

void encode_statistics(std::string& out, const Statistics& statistics) {
  put_varint(out, statistics.rows);
  put_varint(out, statistics.nulls);
  unsigned flags = (statistics.has_bounds ? kHasBounds : 0u) | (statistics.has_nan ? kHasNan : 0u) |
                   (statistics.min_exact ? 0u : kMinCut) | (statistics.max_exact ? 0u : kMaxCut);
  put_fixed(out, static_cast<uint8_t>(flags));
  if (!statistics.has_bounds) return;
  put_text(out, statistics.min);
  put_text(out, statistics.max);
}

bool decode_statistics(Decoder& in, const DataType& type, Statistics* out) {
  Statistics read;
  uint8_t flags = 0;
  if (!in.varint(&read.rows) || !in.varint_upto(read.rows, &read.nulls) || !in.fixed(&flags)) return false;
  if (flags > (kHasBounds | kHasNan | kMinCut | kMaxCut)) return false;
  read.has_bounds = (flags & kHasBounds) != 0;
  read.has_nan = (flags & kHasNan) != 0;
  read.min_exact = (flags & kMinCut) == 0;
  read.max_exact = (flags & kMaxCut) == 0;
  if (read.has_bounds) {
    if (!in.text(&read.min) || !in.text(&read.max)) return false;
    if (!bound_fits(type, read.min.size()) || !bound_fits(type, read.max.size())) return false;
  }
  *out = std::move(read);
  return true;
}

}  // namespace stela::format
