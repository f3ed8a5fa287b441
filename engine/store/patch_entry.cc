#include "engine/store/patch_entry.h"

#include "engine/base/coding.h"
#include "engine/types/column.h"

namespace stela::store {

namespace {

constexpr uint64_t kPatchVersion = 1;
constexpr uint64_t kGranuleBytesMax = 64 << 10;
constexpr uint64_t kGranuleRowsOfText = 1024;

enum RowsForm : char { kRuns = 0, kBitmap = 1 };

// Alternately how many rows are left out and how many follow.
std::string encode_runs(const GranuleRows& rows) {
  std::string out(1, kRuns);
  uint32_t next = 0;
  for (size_t i = 0; i < rows.size();) {
    size_t end = i + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
    put_varint(out, rows[i] - next);
    put_varint(out, end - i);
    next = rows[end - 1] + 1u;
    i = end;
  }
  return out;
}

Status malformed_rows() { return damaged("the rows of a patch are malformed"); }

Status decode_runs(Decoder in, GranuleRows* rows) {
  uint64_t next = 0;
  while (!in.at_end()) {
    uint64_t gap = 0;
    uint64_t count = 0;
    if (!in.varint_upto(kGranuleRowsMax - next, &gap) || !in.varint_upto(kGranuleRowsMax - next - gap, &count) ||
        count == 0) {
      return malformed_rows();
    }
    for (next += gap; count > 0; --count) rows->push_back(static_cast<uint16_t>(next++));
  }
  return {};
}

}  // namespace

uint64_t granule_rows(const DataType& type) {
  if (type.is_variable()) return kGranuleRowsOfText;
  uint64_t rows = kGranuleRowsMax;
  while (rows > 1 && rows * type.value_width() > kGranuleBytesMax) rows /= 2;
  return rows;
}

std::string encode_rows(const GranuleRows& rows) {
  std::string runs = encode_runs(rows);
  size_t bitmap_bytes = rows.empty() ? 0 : rows.back() / 8u + 1;
  if (runs.size() <= bitmap_bytes + 1) return runs;
  std::string bitmap(1 + bitmap_bytes, '\0');
  bitmap[0] = kBitmap;
  auto* bits = reinterpret_cast<uint8_t*>(bitmap.data() + 1);
  for (uint16_t row : rows) bit_set(bits, row, true);
  return bitmap;
}

Result<GranuleRows> decode_rows(std::string_view bytes) {
  GranuleRows rows;
  if (bytes.empty() || bytes.size() > 1 + kGranuleRowsMax / 8) return malformed_rows();
  if (bytes[0] == kRuns) {
    STELA_TRY(decode_runs(Decoder(bytes.substr(1)), &rows));
    return rows;
  }
  if (bytes[0] != kBitmap) return malformed_rows();
  const auto* bits = reinterpret_cast<const uint8_t*>(bytes.data() + 1);
  for (uint64_t row = 0; row < (bytes.size() - 1) * 8; ++row) {
    if (bit_get(bits, row)) rows.push_back(static_cast<uint16_t>(row));
  }
  return rows;
}

std::string PatchEntry::encode() const {
  std::string out;
  put_varint(out, kPatchVersion);
  put_text(out, written);
  put_text(out, carried);
  put_varint(out, carried_to.value);
  put_text(out, cells);
  put_varint(out, file.value);
  put_varint(out, offset);
  put_varint(out, length);
  put_varint(out, first_cell);
  return out;
}

Result<PatchEntry> PatchEntry::decode(std::string_view bytes) {
  Decoder in(bytes);
  PatchEntry entry;
  uint64_t version = 0;
  bool ok = in.varint(&version) && version == kPatchVersion && in.text(&entry.written) && in.text(&entry.carried) &&
            in.varint(&entry.carried_to.value) && in.text(&entry.cells) && in.varint(&entry.file.value) &&
            in.varint(&entry.offset) && in.varint(&entry.length) && in.varint(&entry.first_cell);
  if (!ok) return damaged("the catalogue's patch entry is malformed");
  return entry;
}

}  // namespace stela::store
