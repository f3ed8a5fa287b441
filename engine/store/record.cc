#include "engine/store/record.h"

#include "engine/base/coding.h"

namespace stela::store {

namespace {
constexpr uint64_t kRecordVersion = 1;
}

void encode_column(std::string& out, const ColumnView& column) {
  column.type->encode(out);
  put_varint(out, column.rows);
  bool nulls = column.null_count() > 0;
  put_varint(out, nulls ? 1 : 0);
  if (nulls) {
    std::string bits((column.rows + 7) / 8, '\0');
    copy_bits(column.validity, column.validity_offset, reinterpret_cast<uint8_t*>(bits.data()), 0, column.rows);
    out += bits;
  }
  if (column.type->is_variable()) {
    for (uint64_t row = 0; row < column.rows; ++row) put_varint(out, column.offsets[row + 1] - column.offsets[row]);
    if (column.rows > 0) out += as_text({column.values + column.offsets[0], column.value_bytes()});
  } else {
    out += as_text({column.values, column.value_bytes()});
  }
}

bool decode_column(Decoder& in, ColumnData* out) {
  DataType type;
  uint64_t rows = 0;
  uint64_t nulls = 0;
  if (!DataType::decode(in, &type) || !type.validate().ok() || !in.varint(&rows) || !in.varint_upto(1, &nulls)) {
    return false;
  }
  // Every row takes at least a byte (a value or its length), so this bounds what is allocated.
  if (rows > in.rest().size()) return false;
  PooledVector<uint8_t> validity;
  std::string_view bytes;
  if (nulls != 0) {
    if (!in.bytes((rows + 7) / 8, &bytes)) return false;
    validity.assign(bytes.begin(), bytes.end());
  }
  PooledVector<uint64_t> offsets;
  uint64_t value_bytes = 0;
  if (type.is_variable()) {
    offsets.reserve(rows + 1);
    offsets.push_back(0);
    for (uint64_t row = 0; row < rows; ++row) {
      uint64_t length = 0;
      if (!in.varint_upto(in.rest().size(), &length)) return false;
      value_bytes += length;
      offsets.push_back(value_bytes);
    }
  } else {
    if (__builtin_mul_overflow(rows, type.value_width(), &value_bytes)) return false;
  }
  if (!in.bytes(value_bytes, &bytes)) return false;
  auto adopted =
      ColumnData::adopt(std::move(type), rows, Buffer(as_bytes(bytes)), std::move(offsets), std::move(validity));
  if (!adopted.ok()) return false;
  *out = std::move(adopted).value();
  return true;
}

void Record::encode(std::string& out) const {
  put_varint(out, kRecordVersion);
  put_varint(out, sequence.value);
  put_fixed(out, time_ns);
  put_varint(out, next_node);
  put_varint(out, next_file);
  put_varint(out, entries.size());
  for (const catalog::Entry& entry : entries) catalog::encode_entry(out, entry);
  put_varint(out, runs.size());
  for (FileId run : runs) put_varint(out, run.value);
  put_varint(out, chunks.size());
  for (const RowChunk& chunk : chunks) {
    put_varint(out, chunk.dataset.value);
    put_varint(out, chunk.group.value);
    put_varint(out, chunk.first_row);
    put_varint(out, chunk.rows);
    put_varint(out, chunk.ids.size());
    for (size_t i = 0; i < chunk.ids.size(); ++i) {
      put_varint(out, chunk.ids[i].value);
      encode_column(out, chunk.columns[i].view());
    }
  }
}

namespace {
bool decode_chunk(Decoder& in, RowChunk* chunk) {
  uint64_t columns = 0;
  if (!in.varint(&chunk->dataset.value) || !in.varint(&chunk->group.value) || !in.varint(&chunk->first_row) ||
      !in.varint(&chunk->rows) || !in.varint_upto(in.rest().size(), &columns)) {
    return false;
  }
  for (uint64_t i = 0; i < columns; ++i) {
    ColumnId id;
    ColumnData column;
    if (!in.varint(&id.value) || !decode_column(in, &column) || column.rows() != chunk->rows) return false;
    chunk->ids.push_back(id);
    chunk->columns.push_back(std::move(column));
  }
  return true;
}

bool decode_record(Decoder& in, Record* record) {
  uint64_t version = 0;
  uint64_t count = 0;
  if (!in.varint(&version) || version != kRecordVersion || !in.varint(&record->sequence.value) ||
      !in.fixed(&record->time_ns) || !in.varint(&record->next_node) || !in.varint(&record->next_file) ||
      !in.varint_upto(in.rest().size(), &count)) {
    return false;
  }
  record->entries.resize(count);
  for (catalog::Entry& entry : record->entries) {
    if (!catalog::decode_entry(in, &entry)) return false;
  }
  if (!in.varint_upto(in.rest().size(), &count)) return false;
  record->runs.resize(count);
  for (FileId& run : record->runs) {
    if (!in.varint(&run.value)) return false;
  }
  if (!in.varint_upto(in.rest().size(), &count)) return false;
  record->chunks.resize(count);
  for (RowChunk& chunk : record->chunks) {
    if (!decode_chunk(in, &chunk)) return false;
  }
  return in.at_end();
}
}  // namespace

Result<Record> Record::decode(std::string_view bytes) {
  Decoder in(bytes);
  Record record;
  if (!decode_record(in, &record)) return damaged("a log record is malformed although its checksum is right");
  return record;
}

}  // namespace stela::store
