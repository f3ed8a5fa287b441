#include "fsd/views/arrow_layout.h"

#include "fsd/arrow/arrow_ipc_generated.h"
#include "fsd/views/utf8_text.h"

namespace stela::fsd {
namespace {

namespace ipc = arrow_ipc;
using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

constexpr uint64_t kAlignment = 64;
constexpr std::string_view kMagic("ARROW1\0\0", 8);  // the last two bytes are padding, at the start only
constexpr uint32_t kContinuation = 0xFFFFFFFF;

uint64_t padding_to(uint64_t size) { return (kAlignment - size % kAlignment) % kAlignment; }

struct TypeMetadata {
  ipc::Type tag;
  Offset<void> table;
};

template <typename Table>
TypeMetadata tagged(Offset<Table> table) {
  return {ipc::TypeTraits<Table>::enum_value, table.Union()};
}

ipc::TimeUnit arrow_unit(TimeUnit unit) { return static_cast<ipc::TimeUnit>(unit); }

bool is_time32(const DataType& type) { return type.unit == TimeUnit::kSecond || type.unit == TimeUnit::kMilli; }

TypeMetadata scalar_type(FlatBufferBuilder& builder, const DataType& type, bool large) {
  auto bits = static_cast<int>(type.element_width() * 8);
  switch (type.kind) {
    case TypeKind::kBool: return tagged(ipc::CreateBool(builder));
    case TypeKind::kFloat16: return tagged(ipc::CreateFloatingPoint(builder, ipc::Precision::HALF));
    case TypeKind::kFloat32: return tagged(ipc::CreateFloatingPoint(builder, ipc::Precision::SINGLE));
    case TypeKind::kFloat64: return tagged(ipc::CreateFloatingPoint(builder, ipc::Precision::DOUBLE));
    case TypeKind::kDate: return tagged(ipc::CreateDate(builder, ipc::DateUnit::DAY));
    case TypeKind::kTimestamp: {
      auto zone = type.zone.empty() ? Offset<flatbuffers::String>() : builder.CreateString(valid_utf8(type.zone));
      return tagged(ipc::CreateTimestamp(builder, arrow_unit(type.unit), zone));
    }
    case TypeKind::kTime: return tagged(ipc::CreateTime(builder, arrow_unit(type.unit), is_time32(type) ? 32 : 64));
    case TypeKind::kDuration: return tagged(ipc::CreateDuration(builder, arrow_unit(type.unit)));
    case TypeKind::kDecimal128: return tagged(ipc::CreateDecimal(builder, type.precision, type.scale));
    case TypeKind::kUtf8: return large ? tagged(ipc::CreateLargeUtf8(builder)) : tagged(ipc::CreateUtf8(builder));
    case TypeKind::kBinary: return large ? tagged(ipc::CreateLargeBinary(builder)) : tagged(ipc::CreateBinary(builder));
    case TypeKind::kFixedBinary: return tagged(ipc::CreateFixedSizeBinary(builder, static_cast<int>(type.width)));
    default: return tagged(ipc::CreateInt(builder, bits, type.is_signed_integer()));
  }
}

// A tensor of shape [a, b] is fixed_size_list[a] of fixed_size_list[b] of the element.
Offset<ipc::Field> field(FlatBufferBuilder& builder, const ColumnInfo& column, bool large) {
  DataType element = column.type;
  element.shape.clear();
  const auto& shape = column.type.shape;
  TypeMetadata type = scalar_type(builder, element, large);
  std::vector<Offset<ipc::Field>> children;
  for (size_t level = shape.size(); level-- > 0;) {
    auto items = builder.CreateVector(children);
    auto name = builder.CreateString("item");
    children = {ipc::CreateField(builder, name, true, type.tag, type.table, 0, items)};
    type = tagged(ipc::CreateFixedSizeList(builder, static_cast<int>(shape[level])));
  }
  auto items = builder.CreateVector(children);
  auto name = builder.CreateString(valid_utf8(column.name));
  return ipc::CreateField(builder, name, column.nullable, type.tag, type.table, 0, items);
}

Offset<ipc::Schema> schema(FlatBufferBuilder& builder, std::span<const ArrowColumn> columns) {
  std::vector<Offset<ipc::Field>> fields;
  fields.reserve(columns.size());
  for (const ArrowColumn& column : columns) fields.push_back(field(builder, column.info, column.large));
  auto vector = builder.CreateVector(fields);
  return ipc::CreateSchema(builder, ipc::Endianness::Little, vector);
}

// Prefix, metadata and zeros, so that what follows the message is aligned within the file.
void append_message(std::string& file, FlatBufferBuilder& builder, ipc::MessageHeader tag, Offset<void> header,
                    uint64_t body_bytes) {
  builder.Finish(ipc::CreateMessage(builder, ipc::MetadataVersion::V5, tag, header, static_cast<int64_t>(body_bytes)));
  uint64_t padding = padding_to(file.size() + 8 + builder.GetSize());
  put_fixed(file, kContinuation);
  put_fixed(file, static_cast<int32_t>(builder.GetSize() + padding));
  file.append(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
  file.append(padding, '\0');
}

ArrowRegion region(ArrowBuffer kind, uint64_t bytes) { return {kind, bytes, padding_to(bytes)}; }

void append_nodes(const DataType& type, const ColumnTotals& totals, std::vector<ipc::FieldNode>& all) {
  auto length = static_cast<int64_t>(totals.rows);
  all.emplace_back(length, static_cast<int64_t>(totals.nulls));
  for (uint32_t extent : type.shape) {
    length *= extent;
    all.emplace_back(length, 0);
  }
}

bool is_narrowed(const DataType& type) {
  return type.kind == TypeKind::kDate || (type.kind == TypeKind::kTime && is_time32(type));
}

uint64_t body_bytes_of(std::span<const ArrowRegion> regions) {
  uint64_t bytes = 0;
  for (const ArrowRegion& r : regions) bytes += r.bytes + r.padding_bytes;
  return bytes;
}

}  // namespace

std::string arrow_file_head(std::span<const ArrowColumn> columns) {
  std::string head(kMagic);
  FlatBufferBuilder builder;
  auto header = schema(builder, columns);
  append_message(head, builder, ipc::MessageHeader::Schema, header.Union(), 0);
  return head;
}

std::vector<ArrowRegion> arrow_regions(const ArrowColumn& column, const ColumnTotals& totals) {
  const DataType& type = column.info.type;
  std::vector<ArrowRegion> all;
  all.push_back(region(ArrowBuffer::kValidity, column.has_nulls ? (totals.rows + 7) / 8 : 0));
  for (size_t level = 0; level < type.shape.size(); ++level) all.push_back(region(ArrowBuffer::kValidity, 0));
  if (type.is_variable()) {
    all.push_back(region(ArrowBuffer::kOffsets, (totals.rows + 1) * (column.large ? 8 : 4)));
    all.push_back(region(ArrowBuffer::kBytes, totals.value_bytes));
  } else if (type.kind == TypeKind::kBool) {
    all.push_back(region(ArrowBuffer::kBoolBits, (totals.rows * type.elements() + 7) / 8));
  } else if (is_narrowed(type)) {
    all.push_back(region(ArrowBuffer::kNarrowed, totals.rows * 4));
  } else {
    all.push_back(region(ArrowBuffer::kFixed, totals.rows * type.value_width()));
  }
  return all;
}

std::string arrow_batch_head(std::span<const ArrowColumn> columns, std::span<const ColumnTotals> totals) {
  std::vector<ipc::FieldNode> nodes;
  std::vector<ipc::Buffer> places;
  uint64_t at = 0;
  for (size_t i = 0; i < columns.size(); ++i) {
    append_nodes(columns[i].info.type, totals[i], nodes);
    for (const ArrowRegion& r : arrow_regions(columns[i], totals[i])) {
      places.emplace_back(static_cast<int64_t>(at), static_cast<int64_t>(r.bytes));
      at += r.bytes + r.padding_bytes;
    }
  }
  FlatBufferBuilder builder;
  auto node_vector = builder.CreateVectorOfStructs(nodes);
  auto buffer_vector = builder.CreateVectorOfStructs(places);
  auto rows = static_cast<int64_t>(totals.empty() ? 0 : totals[0].rows);
  auto batch = ipc::CreateRecordBatch(builder, rows, node_vector, buffer_vector);
  std::string head;
  append_message(head, builder, ipc::MessageHeader::RecordBatch, batch.Union(), at);
  return head;
}

std::string arrow_file_tail(std::span<const ArrowColumn> columns, std::span<const ArrowBlock> batches) {
  FlatBufferBuilder builder;
  auto schema_table = schema(builder, columns);
  auto dictionaries = builder.CreateVectorOfStructs(std::vector<ipc::Block>());
  std::vector<ipc::Block> blocks;
  blocks.reserve(batches.size());
  for (const ArrowBlock& batch : batches) {
    blocks.emplace_back(static_cast<int64_t>(batch.offset), static_cast<int32_t>(batch.head_bytes),
                        static_cast<int64_t>(batch.body_bytes));
  }
  auto block_vector = builder.CreateVectorOfStructs(blocks);
  builder.Finish(ipc::CreateFooter(builder, ipc::MetadataVersion::V5, schema_table, dictionaries, block_vector));
  std::string tail;
  put_fixed(tail, kContinuation);
  put_fixed(tail, int32_t{0});
  tail.append(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
  put_fixed(tail, static_cast<int32_t>(builder.GetSize()));
  tail.append(kMagic.substr(0, 6));
  return tail;
}

ArrowLayout arrow_layout(const ColumnInfo& info, const ColumnTotals& totals) {
  const DataType& type = info.type;
  bool large = type.is_variable() && totals.value_bytes >= kLargeValueBytes;
  ArrowColumn column{.info = info, .has_nulls = totals.nulls > 0, .large = large};
  ArrowLayout layout;
  layout.large = large;
  layout.narrowed_type = arrow_narrowed_type(type);
  layout.head = arrow_file_head({&column, 1});
  std::vector<ArrowRegion> all = arrow_regions(column, totals);
  for (const ArrowRegion& r : all) {
    if (r.bytes > 0) layout.regions.push_back(r);
  }
  std::string batch = arrow_batch_head({&column, 1}, {&totals, 1});
  ArrowBlock block{.offset = layout.head.size(), .head_bytes = batch.size(), .body_bytes = body_bytes_of(all)};
  layout.head += batch;
  layout.tail = arrow_file_tail({&column, 1}, {&block, 1});
  return layout;
}

const char* arrow_narrowed_type(const DataType& type) { return type.kind == TypeKind::kDate ? "date32" : "time32"; }

}  // namespace stela::fsd
