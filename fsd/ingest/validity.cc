#include "fsd/ingest/validity.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "fsd/ingest/npy_header.h"
#include "fsd/views/column_source.h"

namespace stela::fsd {
namespace {

class NpyValidity final : public ValiditySource {
 public:
  NpyValidity(ByteSource& source, const NpyHeader& header, std::string name)
      : source_(source), rows_(header.rows), data_offset_(header.data_offset), name_(std::move(name)) {}
  uint64_t rows() const override { return rows_; }
  Status read(uint64_t first, MutableByteSpan into) override { return source_.read(data_offset_ + first, into); }
  std::string name() const override { return name_; }

 private:
  ByteSource& source_;
  const uint64_t rows_, data_offset_;
  const std::string name_;
};

class ColumnValidity final : public ValiditySource {
 public:
  ColumnValidity(Snapshot snapshot, ColumnInfo column, std::string name)
      : column_(snapshot_column(snapshot, column)), name_(std::move(name)) {}
  uint64_t rows() const override { return column_->rows(); }
  Status read(uint64_t first, MutableByteSpan into) override {
    ColumnData data(column_->type());
    for (size_t done = 0; done < into.size();) {
      STELA_ASSIGN(uint64_t count, rows_in_step(*column_, first + done, into.size() - done));
      data.clear();
      STELA_TRY(column_->read(first + done, count, data));
      ColumnView view = data.view();
      for (uint64_t row = 0; row < count; ++row) into[done + row] = std::byte{view.is_valid(row)};
      done += count;
    }
    return {};
  }
  std::string name() const override { return name_; }

 private:
  const std::shared_ptr<const ColumnSource> column_;
  const std::string name_;
};

std::string rows_text(uint64_t rows) { return std::to_string(rows) + (rows == 1 ? " row" : " rows"); }

bool is_nat(const std::byte* value) { return get_fixed<int64_t>(value) == std::numeric_limits<int64_t>::min(); }

class ValiditySink final : public ColumnSink {
 public:
  ValiditySink(ColumnSink& sink, ValiditySource& validity) : sink_(sink), validity_(validity) {}
  Result<std::optional<uint64_t>> rows_wanted() override { return sink_.rows_wanted(); }
  Result<std::optional<DataType>> type_of(const std::string& name) override { return sink_.type_of(name); }
  Status begin(const Field& field, bool replace) override {
    applies_ = field.type.is_numpy();
    rows_ = 0;
    return sink_.begin(field, replace);
  }
  Status append(const ColumnView& values) override {
    if (!applies_) return sink_.append(values);
    for (uint64_t done = 0; done < values.rows;) {
      uint64_t fitting = kStepBytes / std::max<uint64_t>(values.type->value_width(), 1);
      ColumnView step = values.slice(done, std::clamp<uint64_t>(fitting, 1, values.rows - done));
      if (step.rows > validity_.rows() - std::min(rows_, validity_.rows())) return other_length(rows_ + values.rows);
      valid_.resize(step.rows);
      STELA_TRY(validity_.read(rows_, valid_.span()));
      STELA_ASSIGN(ColumnData data, with_validity(step, valid_.span(), rows_, validity_.name()));
      STELA_TRY(sink_.append(data.view()));
      done += step.rows;
      rows_ += step.rows;
    }
    return {};
  }
  Result<VersionInfo> commit(const CommitInfo& info) override {
    if (applies_ && rows_ != validity_.rows()) return other_length(rows_);
    return sink_.commit(info);
  }

 private:
  Status other_length(uint64_t rows) const {
    return invalid(validity_.name() + " has " + rows_text(validity_.rows()) + " and the column " +
                   (rows > validity_.rows() ? "more" : std::to_string(rows)) +
                   ": write it again with one truth value a row, or remove it");
  }

  ColumnSink& sink_;
  ValiditySource& validity_;
  bool applies_ = true;
  uint64_t rows_ = 0;
  Buffer valid_;
};

// True when the column's nulls are those that `validity` says.
Result<bool> same_validity(const Snapshot& head, const ColumnInfo& column, ValiditySource& validity) {
  STELA_ASSIGN(ColumnTotals totals, head.totals(column));
  std::unique_ptr<ValiditySource> now = validity_of_column(head, column, {});
  Buffer said, is;
  for (uint64_t row = 0; row < head.rows();) {
    uint64_t count = std::min<uint64_t>(head.rows() - row, kStepRows);
    said.resize(count);
    STELA_TRY(validity.read(row, said.span()));
    is.resize(count);
    if (totals.nulls == 0) {
      std::fill_n(is.data(), count, std::byte{1});
    } else {
      STELA_TRY(now->read(row, is.span()));
    }
    for (uint64_t i = 0; i < count; ++i) {
      if ((said.data()[i] != std::byte{0}) != (is.data()[i] != std::byte{0})) return false;
    }
    row += count;
  }
  return true;
}

Result<std::optional<VersionInfo>> take_validity(ByteSource& source, const std::string& file_name, Table table,
                                                 const std::string& name, const CommitInfo& info) {
  if (source.size() == 0) return std::optional<VersionInfo>();
  STELA_ASSIGN(std::unique_ptr<ValiditySource> validity, validity_of_npy(source, file_name));
  STELA_ASSIGN(Snapshot before, table.head());
  STELA_ASSIGN(ColumnInfo column, before.column(name));
  if (!column.type.is_numpy()) {
    return unsupported("columns of type " + column.type.name() +
                       " are written as .arrow, with their nulls; there is no .valid.npy of them");
  }
  // The writer first: what is committed between it and the snapshot makes its commit a conflict.
  STELA_ASSIGN(std::unique_ptr<ColumnWriter> writer, table.column_writer({name, column.type, column.nullable}, true));
  STELA_ASSIGN(Snapshot head, table.head());
  STELA_ASSIGN(ColumnInfo now, head.column(name));
  if (now.id != column.id) return Status(Code::kConflict, "the column was replaced while its nulls were written");
  if (validity->rows() != head.rows()) {
    return invalid("the array has " + rows_text(validity->rows()) + " and the dataset has " +
                   std::to_string(head.rows()));
  }
  STELA_ASSIGN(bool same, same_validity(head, now, *validity));
  if (same) return std::optional<VersionInfo>();
  std::shared_ptr<const ColumnSource> values = snapshot_column(head, now);
  ColumnData data(now.type);
  Buffer valid;
  for (uint64_t row = 0; row < head.rows();) {
    STELA_ASSIGN(uint64_t count, rows_in_step(*values, row, head.rows() - row));
    data.clear();
    STELA_TRY(values->read(row, count, data));
    valid.resize(count);
    STELA_TRY(validity->read(row, valid.span()));
    STELA_ASSIGN(ColumnData changed, with_validity(data.view(), valid.span(), row, file_name));
    STELA_TRY(writer->append(changed.view()));
    row += count;
  }
  STELA_ASSIGN(VersionInfo version, writer->commit(info));
  return std::optional<VersionInfo>(std::move(version));
}

}  // namespace

Result<std::unique_ptr<ValiditySource>> validity_of_npy(ByteSource& source, std::string name) {
  STELA_ASSIGN(NpyHeader header, read_npy_header(source, 0));
  if (header.type != DataType::of(TypeKind::kBool)) {
    return invalid("a .valid.npy is a bool array of one dimension, true where there is a value; this one is " +
                   header.type.name());
  }
  return std::unique_ptr<ValiditySource>(std::make_unique<NpyValidity>(source, header, std::move(name)));
}

std::unique_ptr<ValiditySource> validity_of_column(Snapshot snapshot, ColumnInfo column, std::string name) {
  return std::make_unique<ColumnValidity>(std::move(snapshot), std::move(column), std::move(name));
}

Result<ColumnData> with_validity(const ColumnView& values, ByteSpan valid, uint64_t first_row,
                                 const std::string& name) {
  const DataType& type = *values.type;
  PooledVector<uint8_t> bits((values.rows + 7) / 8);
  for (uint64_t row = 0; row < values.rows; ++row) {
    if (valid[row] == std::byte{0}) continue;
    if (type.is_temporal() && is_nat(values.values + row * sizeof(int64_t))) {
      return invalid(name + " says that row " + std::to_string(first_row + row) +
                     " has a value, but it is NaT, which means null: write a value there first");
    }
    bit_set(bits.data(), row, true);
  }
  Buffer copy(ByteSpan(values.values, values.rows * type.value_width()));
  return ColumnData::adopt(type, values.rows, std::move(copy), {}, std::move(bits));
}

std::unique_ptr<ColumnSink> validity_sink(ColumnSink& sink, ValiditySource& validity) {
  return std::make_unique<ValiditySink>(sink, validity);
}

Result<std::optional<VersionInfo>> commit_validity(ByteSource& source, const std::string& file_name, Table table,
                                                   const std::string& name, const CommitInfo& info) {
  auto version = take_validity(source, file_name, table, name, info);
  if (!version.ok()) return version.status().with_context(file_name);
  return version;
}

}  // namespace stela::fsd
