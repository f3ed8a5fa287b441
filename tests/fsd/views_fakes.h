// Random columns of every type, in memory, as views see them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "fsd/views/column_source.h"
#include "fsd/views/view.h"

namespace stela::fsd {

inline const std::vector<std::string>& every_type_name() {
  static const std::vector<std::string> names = {"bool",
                                                 "int8",
                                                 "int16",
                                                 "int32",
                                                 "int64",
                                                 "uint8",
                                                 "uint16",
                                                 "uint32",
                                                 "uint64",
                                                 "float16",
                                                 "float32",
                                                 "float64",
                                                 "date",
                                                 "timestamp[s]",
                                                 "timestamp[ms]",
                                                 "timestamp[us, UTC]",
                                                 "timestamp[ns, Europe/Berlin]",
                                                 "time[s]",
                                                 "time[ms]",
                                                 "time[us]",
                                                 "time[ns]",
                                                 "duration[s]",
                                                 "duration[us]",
                                                 "duration[ns]",
                                                 "decimal128(9,2)",
                                                 "decimal128(38,0)",
                                                 "utf8",
                                                 "binary",
                                                 "fixed_binary(5)",
                                                 "float32[3]",
                                                 "int16[2,2]",
                                                 "bool[3]"};
  return names;
}

// One element's bytes: any that the type has, but years of four digits (which every reader takes).
inline std::string random_element_bytes(const DataType& type, std::mt19937_64& random) {
  std::string out;
  auto small = [&](int64_t bound) { return static_cast<int64_t>(random() % static_cast<uint64_t>(2 * bound)) - bound; };
  switch (type.kind) {
    case TypeKind::kBool: put_fixed(out, static_cast<uint8_t>(random() & 1)); break;
    case TypeKind::kFloat16: {
      static constexpr uint16_t kSome[] = {0, 0x8000, 0x3c00, 0x7c00, 0xfc00, 0x7e00, 1, 0x7bff};
      auto any = static_cast<uint16_t>(random() % 0x7c00);
      put_fixed(out, random() % 4 == 0 ? kSome[random() % 8] : any);
      break;
    }
    case TypeKind::kFloat32: {
      static constexpr float kSome[] = {0.0f, -0.0f, 1e-45f, 3.4e38f, 16777216.0f, 0.1f, 1e15f, 1e16f};
      float any = static_cast<float>(small(1'000'000)) / static_cast<float>(1 + random() % 1000);
      put_fixed(out, random() % 4 == 0 ? kSome[random() % 8] : any);
      break;
    }
    case TypeKind::kFloat64: {
      static const double kSome[] = {0.0,
                                     -0.0,
                                     5e-324,
                                     1.7e308,
                                     1073741823.0,
                                     1073741824.0,
                                     0.1,
                                     1e15,
                                     1e16,
                                     -1e-5,
                                     std::numeric_limits<double>::quiet_NaN(),
                                     std::numeric_limits<double>::infinity(),
                                     -std::numeric_limits<double>::infinity()};
      double any = static_cast<double>(small(1'000'000'000)) / static_cast<double>(1 + random() % 1000);
      put_fixed(out, random() % 4 == 0 ? kSome[random() % 13] : any);
      break;
    }
    case TypeKind::kDate: put_fixed(out, int64_t{random() % 4 == 0 ? 18000 : small(300'000)}); break;
    case TypeKind::kTimestamp: {
      int64_t seconds = small(1'000'000'000);
      int64_t fraction = random() % 2 == 0 ? 0 : static_cast<int64_t>(random()) % units_per_second(type.unit);
      put_fixed(out, seconds * units_per_second(type.unit) + fraction);
      break;
    }
    case TypeKind::kTime:
      put_fixed(out, static_cast<int64_t>(random() % static_cast<uint64_t>(86400 * units_per_second(type.unit))));
      break;
    case TypeKind::kDuration: put_fixed(out, small(1'000'000'000'000)); break;
    case TypeKind::kDecimal128: {
      int64_t value = small(900'000'000) / static_cast<int64_t>(1 + random() % 100'000);
      put_fixed(out, value);
      put_fixed(out, value < 0 ? int64_t{-1} : int64_t{0});
      break;
    }
    default:
      while (out.size() < type.element_width()) put_fixed(out, static_cast<uint8_t>(random()));
  }
  return out;
}

inline std::string random_value_bytes(const DataType& type, std::mt19937_64& random) {
  std::string out;
  if (type.kind == TypeKind::kUtf8) {
    static const std::vector<std::string> kParts = {
        "a",         ",",    "\"", "\n", "\r\n", " ", "\xc3\xa9",
        "NA",        "null", "\\", "\t", "{",    "7", std::string(1, '\x01'),
        "long text "};
    for (uint64_t n = random() % 5; n > 0; --n) out += kParts[random() % kParts.size()];
    return out;
  }
  if (type.kind == TypeKind::kBinary) {
    for (uint64_t n = random() % 9; n > 0; --n) out += static_cast<char>(random());
    return out;
  }
  for (uint64_t i = 0; i < type.elements(); ++i) out += random_element_bytes(type, random);
  return out;
}

// `nulls_in`: one row in so many is null; 0: none, 1: all.
inline ColumnData random_column(const DataType& type, uint64_t rows, uint64_t nulls_in, std::mt19937_64& random) {
  ColumnData data(type);
  for (uint64_t row = 0; row < rows; ++row) {
    if (nulls_in > 0 && random() % nulls_in == 0) {
      data.append_nulls(1);
    } else {
      data.append_text(random_value_bytes(type, random));
    }
  }
  return data;
}

class MemoryColumn final : public ColumnSource {
 public:
  MemoryColumn(ColumnInfo info, ColumnData data) : info_(std::move(info)), data_(std::move(data)) {}
  const ColumnInfo& info() const override { return info_; }
  uint64_t rows() const override { return data_.rows(); }
  Result<ColumnTotals> totals() const override {
    return ColumnTotals{data_.rows(), data_.null_count(), data_.view().value_bytes()};
  }
  Status read(uint64_t first, uint64_t count, ColumnData& out) const override {
    out.append(data_.view().slice(first, count));
    return {};
  }
  Result<uint64_t> value_bytes(uint64_t first, uint64_t count) const override {
    return data_.view().slice(first, count).value_bytes();
  }
  Result<format::Statistics> statistics() const override { return format::compute_statistics(data_.view()); }
  Result<uint64_t> stored_bytes() const override { return uint64_t{0}; }
  const ColumnData& data() const { return data_; }

 private:
  const ColumnInfo info_;
  const ColumnData data_;
};

class MemoryTable final : public TableSource {
 public:
  void add(const std::string& name, ColumnData data) {
    version_.rows = data.rows();
    ColumnInfo info{ColumnId(columns_.size() + 1), name, data.type(), true, {}, {}};
    columns_.push_back(std::make_shared<MemoryColumn>(info, std::move(data)));
  }
  const VersionInfo& version() const override { return version_; }
  Result<std::vector<ColumnInfo>> columns() const override {
    std::vector<ColumnInfo> infos;
    for (const auto& column : columns_) infos.push_back(column->info());
    return infos;
  }
  std::shared_ptr<const ColumnSource> column(const ColumnInfo& info) const override {
    return columns_.at(info.id.value - 1);
  }
  const ColumnData& data(size_t i) const { return columns_.at(i)->data(); }

 private:
  VersionInfo version_;
  std::vector<std::shared_ptr<const MemoryColumn>> columns_;
};

inline std::string read_range(View& view, uint64_t offset, size_t bytes) {
  std::string text(bytes, '\0');
  auto count = view.read(offset, {reinterpret_cast<std::byte*>(text.data()), text.size()});
  EXPECT_TRUE(count.ok()) << (count.ok() ? "" : count.status().message());
  text.resize(count.ok() ? *count : 0);
  return text;
}
// As a reader without a plan: 997 bytes at a time.
inline std::string read_whole(View& view) {
  std::string text;
  for (;;) {
    std::string piece = read_range(view, text.size(), 997);
    if (piece.empty()) return text;
    text += piece;
  }
}

}  // namespace stela::fsd
