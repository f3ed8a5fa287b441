// Sources and sinks in memory for tests and fuzz targets of ingest, and a plain text picture of what arrived.
// They abort on what ingest must never do.
#pragma once

#include <cinttypes>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fsd/ingest/ingest.h"
#include "fsd/ingest/row_sink.h"

namespace stela::fsd {

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_.size(); }
  Status read(uint64_t offset, MutableByteSpan into) override {
    STELA_CHECK(offset <= bytes_.size() && into.size() <= bytes_.size() - offset,
                std::to_string(into.size()) + " bytes at " + std::to_string(offset));
    if (!into.empty()) std::memcpy(into.data(), bytes_.data() + offset, into.size());
    return {};
  }
  void append(std::string_view more) { bytes_ += more; }

 private:
  std::string bytes_;
};

// A dataset of columns in memory.
struct FakeDataset {
  std::vector<Field> fields;
  std::vector<ColumnData> columns;
  uint64_t versions = 0;
  uint64_t rows() const { return columns.empty() ? 0 : columns[0].rows(); }
};

class FakeRowSink final : public RowSink {
 public:
  explicit FakeRowSink(FakeDataset& dataset) : dataset_(dataset) {}
  Result<std::vector<Field>> fields() override { return dataset_.fields; }
  Status begin(const std::vector<Field>& schema) override {
    STELA_CHECK(schema.empty() != dataset_.fields.empty(), "a schema is for a dataset without columns");
    pending_ = FakeDataset{};
    pending_.fields = schema.empty() ? dataset_.fields : schema;
    for (const Field& field : pending_.fields) pending_.columns.emplace_back(field.type);
    return {};
  }
  Status append(const Batch& batch) override {
    std::unordered_map<std::string_view, const ColumnData*> given;
    for (size_t i = 0; i < batch.names.size(); ++i) {
      STELA_CHECK(batch.columns[i].rows() == batch.rows(), batch.names[i]);
      STELA_CHECK(given.emplace(batch.names[i], &batch.columns[i]).second, batch.names[i]);
    }
    for (size_t i = 0; i < pending_.fields.size(); ++i) {
      auto found = given.find(pending_.fields[i].name);
      if (found == given.end()) {
        pending_.columns[i].append_nulls(batch.rows());
      } else {
        pending_.columns[i].append(found->second->view());
      }
    }
    return {};
  }
  Result<VersionInfo> commit(const CommitInfo&) override {
    if (dataset_.fields.empty()) {
      dataset_.fields = pending_.fields;
      dataset_.columns.clear();
      for (const Field& field : pending_.fields) dataset_.columns.emplace_back(field.type);
    }
    for (size_t i = 0; i < pending_.columns.size(); ++i) {
      dataset_.columns[i].append(pending_.columns[i].view());
      pending_.columns[i].clear();
    }
    VersionInfo version;
    version.number = VersionNumber(++dataset_.versions);
    version.rows = dataset_.rows();
    return version;
  }
  void abandon() override { pending_ = FakeDataset{}; }

 private:
  FakeDataset& dataset_;
  FakeDataset pending_;
};

class FakeColumnSink final : public ColumnSink {
 public:
  explicit FakeColumnSink(FakeDataset& dataset, uint64_t memory_max = UINT64_MAX)
      : dataset_(dataset), memory_max_(memory_max) {}
  Result<std::optional<uint64_t>> rows_wanted() override {
    return dataset_.columns.empty() ? std::optional<uint64_t>() : std::optional<uint64_t>(dataset_.rows());
  }
  Result<std::optional<DataType>> type_of(const std::string& name) override {
    for (const Field& field : dataset_.fields) {
      if (field.name == name) return std::optional<DataType>(field.type);
    }
    return std::optional<DataType>();
  }
  Status begin(const Field& field, bool) override {
    field_ = field;
    pending_ = ColumnData(field.type);
    return {};
  }
  Status append(const ColumnView& values) override {
    if (pending_.memory_bytes() + values.value_bytes() > memory_max_) {
      return Status(Code::kLimit, "more than this sink takes");
    }
    pending_.append(values);
    ++appends_;
    return {};
  }
  Result<VersionInfo> commit(const CommitInfo&) override {
    dataset_.fields.push_back(field_);
    dataset_.columns.push_back(pending_);
    VersionInfo version;
    version.number = VersionNumber(++dataset_.versions);
    version.rows = pending_.rows();
    return version;
  }
  uint64_t appends() const { return appends_; }

 private:
  FakeDataset& dataset_;
  uint64_t memory_max_;
  Field field_;
  ColumnData pending_;
  uint64_t appends_ = 0;
};

// Rejected rows as lines, bounded.
class FakeRejectedRows final : public RejectedRows {
 public:
  explicit FakeRejectedRows(uint64_t bytes_max = UINT64_MAX) : bytes_max_(bytes_max) {}
  Status reserve(uint64_t bytes) override {
    if (lines.size() + reserved + bytes > bytes_max_) return {Code::kNoSpace, "no room for rejected rows"};
    reserved += bytes;
    return {};
  }
  void give_back(uint64_t bytes) override { reserved -= bytes; }
  void add(std::string_view more) override {
    STELA_CHECK(more.size() == reserved, "what was reserved is added");
    reserved = 0;
    lines += more;
  }
  std::string lines;
  uint64_t reserved = 0;

 private:
  const uint64_t bytes_max_;
};

// One element of a value: integers and times as numbers, floats as %.17g, anything else in quotes.
inline std::string picture_element(const DataType& type, const std::byte* at) {
  char text[64];
  switch (type.kind) {
    case TypeKind::kBool: return *at == std::byte{0} ? "false" : "true";
    case TypeKind::kInt8: return std::to_string(get_fixed<int8_t>(at));
    case TypeKind::kInt16: return std::to_string(get_fixed<int16_t>(at));
    case TypeKind::kInt32: return std::to_string(get_fixed<int32_t>(at));
    case TypeKind::kUInt8: return std::to_string(get_fixed<uint8_t>(at));
    case TypeKind::kUInt16: return std::to_string(get_fixed<uint16_t>(at));
    case TypeKind::kUInt32: return std::to_string(get_fixed<uint32_t>(at));
    case TypeKind::kUInt64: return std::to_string(get_fixed<uint64_t>(at));
    case TypeKind::kFloat16: std::snprintf(text, sizeof(text), "h%04x", get_fixed<uint16_t>(at)); return text;
    case TypeKind::kFloat32:
      std::snprintf(text, sizeof(text), "%.9g", static_cast<double>(get_fixed<float>(at)));
      return text;
    case TypeKind::kFloat64: std::snprintf(text, sizeof(text), "%.17g", get_fixed<double>(at)); return text;
    default: return std::to_string(get_fixed<int64_t>(at));
  }
}

inline std::string picture_value(const DataType& type, ByteSpan value) {
  if (type.is_variable() || type.kind == TypeKind::kFixedBinary) return "'" + std::string(as_text(value)) + "'";
  if (type.kind == TypeKind::kDecimal128) {
    return "d" + std::to_string(get_fixed<int64_t>(value.data())) + "/" +
           std::to_string(get_fixed<int64_t>(value.data() + 8));
  }
  if (!type.is_tensor()) return picture_element(type, value.data());
  std::string out = "[";
  for (uint64_t i = 0; i < type.elements(); ++i) {
    if (i > 0) out += " ";
    out += picture_element(type, value.data() + i * type.element_width());
  }
  return out + "]";
}

// "a:int64 1 null 3; b:utf8 'x' 'y' ''".
inline std::string picture(const FakeDataset& dataset) {
  std::string out;
  for (size_t i = 0; i < dataset.columns.size(); ++i) {
    if (i > 0) out += "; ";
    out += dataset.fields[i].name + ":" + dataset.fields[i].type.name();
    ColumnView view = dataset.columns[i].view();
    for (uint64_t row = 0; row < view.rows; ++row) {
      out += " ";
      out += view.is_valid(row) ? picture_value(dataset.columns[i].type(), view.value(row)) : "null";
    }
  }
  return out;
}

}  // namespace stela::fsd
