#include <algorithm>
#include <array>

#include "engine/format/encoding.h"
#include "engine/format/plain_encoding.h"

namespace stela::format {
namespace {

constexpr uint64_t kSampleRows = 1024;

const PlainEncoding kPlainEncoding;

// One line an encoding, in the order of preference among equals.
const std::array<const Encoding*, 1> kEncodings{
    &kPlainEncoding,
};

}  // namespace

std::span<const Encoding* const> all_encodings() { return kEncodings; }

const Encoding* find_encoding(EncodingId id) {
  for (const Encoding* encoding : kEncodings) {
    if (encoding->id() == id) return encoding;
  }
  return nullptr;
}

const Encoding& choose_encoding(const ColumnView& values) {
  ColumnView sample = values.slice(0, std::min(values.rows, kSampleRows));
  const Encoding* best = &kPlainEncoding;
  uint64_t best_size = best->estimate(sample).value_or(0);
  for (const Encoding* encoding : kEncodings) {
    if (!encoding->supports(*values.type)) continue;
    std::optional<uint64_t> size = encoding->estimate(sample);
    if (!size || *size >= best_size) continue;
    best = encoding;
    best_size = *size;
  }
  return *best;
}

}  // namespace stela::format
