#include "engine/format/column_metadata.h"

#include "engine/format/column_figures.h"

namespace stela::format {
namespace {

constexpr uint16_t kVersion = 1;

// Numbers are part of the format: append only. A reader that does not know a field refuses the column,
// unless its number is kOptionalField or more.
enum Field : uint64_t {
  kType = 1,
  kTotals = 2,
  kStatistics = 3,
  kFlat = 4,
  kPages = 5,
  kPageStatistics = 6,
  kFineStatistics = 7,
  kExtents = 8,
  kOptionalField = 128,
  kFigures = 128,
};

void put_field(std::string& out, Field field, const std::string& bytes) {
  put_varint(out, field);
  put_text(out, bytes);
}

void put_tree(std::string& out, Field field, const EntryTree& tree) {
  if (tree.empty()) return;
  std::string bytes;
  tree.encode(bytes);
  put_field(out, field, bytes);
}

bool decode_totals(Decoder& in, ColumnMetadata& out) {
  return in.varint(&out.rows) && in.varint_upto(out.rows, &out.nulls) && in.varint(&out.value_bytes) &&
         in.varint(&out.statistics_rows);
}

bool decode_flat(Decoder& in, ColumnMetadata& out) {
  FlatInfo flat;
  if (!in.varint(&flat.file.value) || !in.varint(&flat.header_bytes) || !in.varint(&flat.file_bytes)) return false;
  out.flat = flat;
  return true;
}

bool decode_figures_place(Decoder& in, ColumnMetadata& out) {
  uint64_t bytes = 0;
  if (!in.varint(&out.figures_offset) || !in.varint_upto(kColumnFiguresBytesMax, &bytes)) return false;
  out.figures_bytes = static_cast<uint32_t>(bytes);
  return true;
}

// False: malformed. Type comes first, so statistics may rely on it.
bool decode_field(uint64_t field, Decoder in, ColumnMetadata& out) {
  switch (field) {
    case kType: return DataType::decode(in, &out.type);
    case kTotals: return decode_totals(in, out);
    case kStatistics: return decode_statistics(in, out.type, &out.statistics);
    case kFlat: return decode_flat(in, out);
    case kPages: return EntryTree::decode(in, &out.pages);
    case kPageStatistics: return EntryTree::decode(in, &out.page_statistics);
    case kFineStatistics: return EntryTree::decode(in, &out.fine_statistics);
    case kExtents: return EntryTree::decode(in, &out.extents);
    case kFigures: return decode_figures_place(in, out);
    default: return true;
  }
}

Status check_flat(const ColumnMetadata& metadata) {
  const FlatInfo& flat = *metadata.flat;
  if (!metadata.type.is_numpy()) return damaged("a flat file is named for a type that has none");
  if (flat.header_bytes != npy_header(metadata.type, metadata.rows).size() ||
      flat.file_bytes != flat.header_bytes + metadata.value_bytes || metadata.rows == 0) {
    return damaged("the size of its flat file contradicts its rows");
  }
  if (metadata.extents.entries != metadata.extent_count()) return damaged("its flat file lacks checksums");
  if (metadata.nulls > 0 && metadata.pages.empty()) return damaged("its flat file lacks validity");
  return {};
}

Status check(const ColumnMetadata& metadata, uint64_t rows) {
  if (metadata.rows != rows) return damaged("its row count is not that of its part of the file");
  if (metadata.statistics.rows != rows || metadata.statistics.nulls != metadata.nulls) {
    return damaged("its statistics contradict its row count");
  }
  uint64_t bytes = 0;
  if (!metadata.type.is_variable() &&
      (__builtin_mul_overflow(rows, metadata.type.value_width(), &bytes) || bytes != metadata.value_bytes)) {
    return damaged("its bytes contradict its row count");
  }
  if (metadata.value_bytes > UINT64_MAX / 2) return damaged("it claims more bytes than can be");
  if (metadata.flat) return check_flat(metadata);
  if (rows > 0 && metadata.pages.empty()) return damaged("it has no pages");
  return {};
}

}  // namespace

std::string encode_column_metadata(const ColumnMetadata& metadata) {
  std::string out, field;
  put_fixed(out, kVersion);
  metadata.type.encode(field);
  put_field(out, kType, field);
  field.clear();
  for (uint64_t number : {metadata.rows, metadata.nulls, metadata.value_bytes, metadata.statistics_rows}) {
    put_varint(field, number);
  }
  put_field(out, kTotals, field);
  field.clear();
  encode_statistics(field, metadata.statistics);
  put_field(out, kStatistics, field);
  if (metadata.flat) {
    field.clear();
    put_varint(field, metadata.flat->file.value);
    put_varint(field, metadata.flat->header_bytes);
    put_varint(field, metadata.flat->file_bytes);
    put_field(out, kFlat, field);
  }
  put_tree(out, kPages, metadata.pages);
  put_tree(out, kPageStatistics, metadata.page_statistics);
  put_tree(out, kFineStatistics, metadata.fine_statistics);
  put_tree(out, kExtents, metadata.extents);
  if (metadata.figures_bytes > 0) {
    field.clear();
    put_varint(field, metadata.figures_offset);
    put_varint(field, metadata.figures_bytes);
    put_field(out, kFigures, field);
  }
  return out;
}

Result<ColumnMetadata> decode_column_metadata(std::string_view bytes, ColumnId id, uint64_t rows) {
  Decoder in(bytes);
  uint16_t version = 0;
  if (!in.fixed(&version)) return damaged("its metadata is empty");
  if (version != kVersion)
    return unsupported("its metadata has version " + std::to_string(version) + " of a newer Stela");
  ColumnMetadata metadata;
  metadata.id = id;
  uint64_t last = 0;
  while (!in.at_end()) {
    uint64_t field = 0;
    std::string_view content;
    if (!in.varint(&field) || !in.text(&content) || field <= last) return damaged("its metadata is malformed");
    if (last == 0 && field != kType) return damaged("its metadata has no type");
    if (field > kExtents && field < kOptionalField) {
      return unsupported("its metadata has the field " + std::to_string(field) + " of a newer Stela");
    }
    if (!decode_field(field, Decoder(content), metadata)) {
      return damaged("field " + std::to_string(field) + " of its metadata is malformed");
    }
    last = field;
  }
  if (last == 0) return damaged("its metadata is empty");
  STELA_TRY(check(metadata, rows));
  return metadata;
}

}  // namespace stela::format
