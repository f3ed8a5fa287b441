#include <array>

#include "engine/format/alp_encoding.h"
#include "engine/format/alp_rd_encoding.h"
#include "engine/format/byte_split_encoding.h"
#include "engine/format/constant_encoding.h"
#include "engine/format/delta_encoding.h"
#include "engine/format/dictionary_encoding.h"
#include "engine/format/encoded_form.h"
#include "engine/format/fsst_encoding.h"
#include "engine/format/narrow_encoding.h"
#include "engine/format/packed_encoding.h"
#include "engine/format/plain_encoding.h"
#include "engine/format/rans_encoding.h"
#include "engine/format/roaring_encoding.h"
#include "engine/format/runs_encoding.h"
#include "engine/format/snappy_encoding.h"
#include "engine/format/zstd_encoding.h"

namespace stela::format {
namespace {

const PlainEncoding kPlainEncoding;
const ConstantEncoding kConstantEncoding;
const PackedEncoding kPackedEncoding(PackedHeads::kPlain);
const DeltaEncoding kDeltaEncoding;
const RunsEncoding kRunsEncoding;
const DictionaryEncoding kDictionaryEncoding;
const NarrowEncoding kNarrowEncoding;
const AlpEncoding kAlpEncoding;
const FsstEncoding kFsstEncoding(false);
const ByteSplitEncoding kByteSplitEncoding;
const ZstdEncoding kZstdEncoding;
const SnappyEncoding kSnappyEncoding;
const AlpRdEncoding kAlpRdEncoding;
const FsstEncoding kFsstLargeEncoding(true);
const PackedEncoding kPackedTightEncoding(PackedHeads::kTight);
const RoaringEncoding kRoaringEncoding(false);
const RansEncoding kRansEncoding;
const RoaringEncoding kRoaringIndexedEncoding(true);

// One line an encoding, in the order of preference among equals; plain is the first.
const std::array<const Encoding*, 18> kEncodings{
    &kPlainEncoding, &kConstantEncoding,   &kPackedEncoding,      &kDeltaEncoding,
    &kRunsEncoding,  &kDictionaryEncoding, &kNarrowEncoding,      &kAlpEncoding,
    &kFsstEncoding,  &kByteSplitEncoding,  &kZstdEncoding,        &kSnappyEncoding,
    &kAlpRdEncoding, &kFsstLargeEncoding,  &kPackedTightEncoding, &kRoaringEncoding,
    &kRansEncoding,  &kRoaringIndexedEncoding,
};

}  // namespace

std::span<const Encoding* const> all_encodings() { return kEncodings; }

Result<EncodedForm> Encoding::form(ByteSpan, const DataType&, uint64_t) const { return EncodedForm(); }

const Encoding* find_encoding(EncodingId id) {
  for (const Encoding* encoding : kEncodings) {
    if (encoding->id() == id) return encoding;
  }
  return nullptr;
}

Status check_page_range(uint64_t rows, uint64_t first, uint64_t count) {
  if (first > rows || count > rows - first) return damaged("rows beyond the end of a page");
  return {};
}

Status check_page_rows(uint64_t rows, std::span<const uint32_t> wanted) {
  uint32_t last = 0;
  for (uint32_t row : wanted) {
    if (row >= rows || row < last) return damaged("rows beyond the end of a page, or not in order");
    last = row;
  }
  return {};
}

Result<uint64_t> FixedEncoding::value_bytes(ByteSpan, const DataType& type, uint64_t rows, uint64_t first,
                                            uint64_t count) const {
  STELA_TRY(check_page_range(rows, first, count));
  return count * type.value_width();
}

}  // namespace stela::format
