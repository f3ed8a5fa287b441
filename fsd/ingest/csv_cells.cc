#include "fsd/ingest/csv_cells.h"

#include <cstring>
#include <limits>

#include "fsd/ingest/csv_inference.h"
#include "fsd/ingest/iso_time.h"
#include "fsd/ingest/text_value.h"

namespace stela::fsd {
namespace {

// Validity of one block; empty until the first null.
class BlockValidity {
 public:
  void begin(size_t rows) {
    rows_ = rows;
    bits_.clear();
  }
  void set_null(size_t row) {
    if (bits_.empty()) bits_.assign((rows_ + 7) / 8, 0xff);
    bit_set(bits_.data(), row, false);
  }
  void apply(ColumnData& out) const {
    if (!bits_.empty()) out.set_validity_of_last(rows_, bits_.data(), 0);
  }

 private:
  size_t rows_ = 0;
  std::vector<uint8_t> bits_;
};

// Convert: bool(std::string_view, T*, uint16_t* evidence).
template <typename T, typename Convert>
class FixedCellParser final : public CellParser {
 public:
  FixedCellParser(const DataType& type, const NullTexts& nulls, Convert convert)
      : nulls_(nulls.unusual()), convert_(convert) {
    Buffer fill = null_fill(type);
    std::memcpy(&fill_, fill.data(), sizeof(T));
  }

  size_t parse(const CsvRecords& records, size_t column, ColumnData& out) override {
    return nulls_.any() ? run<true>(records, column, out) : run<false>(records, column, out);
  }

 private:
  template <bool kStatedNulls>
  size_t run(const CsvRecords& records, size_t column, ColumnData& out) {
    auto* to = reinterpret_cast<T*>(out.grow_fixed(records.rows));
    validity_.begin(records.rows);
    const FieldRef* field = records.fields.data() + column;
    uint16_t evidence = evidence_;
    for (size_t row = 0; row < records.rows; ++row, field += records.columns) {
      std::string_view text = records.text(*field);
      bool null = text.empty() && !field->is_quoted();
      if (kStatedNulls && !null) null = !field->is_quoted() && nulls_.is_stated(text);
      if (!null) {
        if (convert_(text, to + row, &evidence)) [[likely]]
          continue;
        if (field->is_quoted() || !NullTexts::is_usual(text)) return row;
      }
      to[row] = fill_;
      validity_.set_null(row);
    }
    evidence_ = evidence;
    validity_.apply(out);
    return records.rows;
  }

  NullTexts nulls_;
  Convert convert_;
  T fill_{};
  BlockValidity validity_;
};

template <typename T, typename Convert>
std::unique_ptr<CellParser> fixed(const DataType& type, const NullTexts& nulls, Convert convert) {
  return std::make_unique<FixedCellParser<T, Convert>>(type, nulls, convert);
}

class TextCellParser final : public CellParser {
 public:
  explicit TextCellParser(const NullTexts& nulls) : nulls_(nulls) {}

  size_t parse(const CsvRecords& records, size_t column, ColumnData& out) override {
    lengths_.resize(records.rows);
    validity_.begin(records.rows);
    const FieldRef* field = records.fields.data() + column;
    for (size_t row = 0; row < records.rows; ++row, field += records.columns) {
      lengths_[row] = field->length();
      if (field->is_quoted()) continue;
      if (lengths_[row] > 0 && !(nulls_.any() && nulls_.is_stated(records.text(*field)))) continue;
      lengths_[row] = 0;
      validity_.set_null(row);
    }
    std::byte* to = out.grow_variable(lengths_.data(), records.rows);
    field = records.fields.data() + column;
    for (size_t row = 0; row < records.rows; ++row, field += records.columns) {
      if (lengths_[row] > 0) std::memcpy(to, records.data + field->begin, lengths_[row]);
      to += lengths_[row];
    }
    validity_.apply(out);
    return records.rows;
  }

 private:
  NullTexts nulls_;
  std::vector<uint32_t> lengths_;
  BlockValidity validity_;
};

class ValuelessParser final : public CellParser {
 public:
  explicit ValuelessParser(const NullTexts& nulls) : text_(nulls), nulls_(nulls) {}

  size_t parse(const CsvRecords& records, size_t column, ColumnData& out) override {
    for (size_t row = 0; row < records.rows; ++row) {
      const FieldRef& field = records.fields[row * records.columns + column];
      std::string_view text = records.text(field);
      if (!field.is_quoted() && (text.empty() || nulls_.is_stated(text) || NullTexts::is_usual(text))) continue;
      return row;
    }
    return text_.parse(records, column, out);
  }

 private:
  TextCellParser text_;
  NullTexts nulls_;
};

class RareCellParser final : public CellParser {
 public:
  RareCellParser(const DataType& type, const NullTexts& nulls) : type_(type), nulls_(nulls.unusual()) {}

  size_t parse(const CsvRecords& records, size_t column, ColumnData& out) override {
    for (size_t row = 0; row < records.rows; ++row) {
      const FieldRef& field = records.fields[row * records.columns + column];
      std::string_view text = records.text(field);
      if (!field.is_quoted() && (text.empty() || nulls_.is_stated(text) || NullTexts::is_usual(text))) {
        out.append_nulls(1);
        continue;
      }
      if (!parse_rare_cell(type_, text, &bytes_)) return row;
      out.append_text(bytes_);
    }
    return records.rows;
  }

 private:
  DataType type_;
  NullTexts nulls_;
  std::string bytes_;
};

template <typename T>
std::unique_ptr<CellParser> small_integer(const DataType& type, const NullTexts& nulls) {
  return fixed<T>(type, nulls, [](std::string_view text, T* out, uint16_t*) {
    int64_t value = 0;
    if (!parse_padded_int64(text, &value) || value < std::numeric_limits<T>::min() ||
        value > std::numeric_limits<T>::max()) {
      return false;
    }
    *out = static_cast<T>(value);
    return true;
  });
}

// Fields lie in a block, behind which CsvScanner::kPadding bytes may be read.
inline bool convert_int64(std::string_view text, int64_t* out, uint16_t* evidence) {
  if (!parse_padded_int64(text, out)) return false;
  // Small numbers add nothing but their sign.
  constexpr int64_t kSmall = int64_t{1} << 53;
  *evidence |= *out >= 0 && *out <= kSmall ? uint16_t{kSeenInteger} : integer_evidence(*out);
  return true;
}

inline bool convert_uint64(std::string_view text, uint64_t* out, uint16_t* evidence) {
  if (!parse_uint64(text, out)) return false;
  *evidence |= unsigned_evidence(*out);
  return true;
}

inline bool convert_date(std::string_view text, int64_t* out, uint16_t* evidence) {
  if (!parse_iso_date(text, out)) return false;
  *evidence |= static_cast<uint16_t>(kSeenDate | instant_evidence(*out * kSecondsPerDay, 0));
  return true;
}

auto timestamp_converter(TimeUnit unit, bool zoned, unsigned digits_max) {
  return [unit, zoned, digits_max](std::string_view text, int64_t* out, uint16_t* evidence) {
    IsoTimestamp time;
    if (!parse_iso_timestamp(text, &time) || time.zoned != zoned || time.digits > digits_max) return false;
    if (!to_unit(time.seconds, time.nanoseconds, unit, out)) return false;
    *evidence |= instant_evidence(time.seconds, time.nanoseconds);
    return true;
  };
}

auto time_of_day_converter(TimeUnit unit) {
  return [unit](std::string_view text, int64_t* out, uint16_t*) {
    int64_t seconds = 0;
    uint32_t nanoseconds = 0;
    uint8_t digits = 0;
    return parse_iso_time_of_day(text, &seconds, &nanoseconds, &digits) && to_unit(seconds, nanoseconds, unit, out);
  };
}

}  // namespace

NullTexts NullTexts::unusual() const {
  std::vector<std::string> rest;
  for (const std::string& one : stated_) {
    if (!is_usual(one)) rest.push_back(one);
  }
  return NullTexts(std::move(rest));
}

std::unique_ptr<CellParser> make_valueless_parser(const NullTexts& nulls) {
  return std::make_unique<ValuelessParser>(nulls);
}

std::unique_ptr<CellParser> make_cell_parser(const DataType& type, const NullTexts& nulls, bool inferred) {
  if (type.is_tensor()) return std::make_unique<RareCellParser>(type, nulls);
  switch (type.kind) {
    case TypeKind::kBool:
      return fixed<uint8_t>(type, nulls, [](std::string_view text, uint8_t* out, uint16_t* evidence) {
        bool truth = false;
        if (!parse_bool(text, &truth)) return false;
        *out = truth;
        *evidence |= kSeenBool;
        return true;
      });
    case TypeKind::kInt8: return small_integer<int8_t>(type, nulls);
    case TypeKind::kInt16: return small_integer<int16_t>(type, nulls);
    case TypeKind::kInt32: return small_integer<int32_t>(type, nulls);
    case TypeKind::kInt64:
      return fixed<int64_t>(type, nulls, [](std::string_view text, int64_t* out, uint16_t* evidence) {
        return convert_int64(text, out, evidence);
      });
    case TypeKind::kUInt8: return small_integer<uint8_t>(type, nulls);
    case TypeKind::kUInt16: return small_integer<uint16_t>(type, nulls);
    case TypeKind::kUInt32: return small_integer<uint32_t>(type, nulls);
    case TypeKind::kUInt64:
      return fixed<uint64_t>(type, nulls, [](std::string_view text, uint64_t* out, uint16_t* evidence) {
        return convert_uint64(text, out, evidence);
      });
    case TypeKind::kFloat32:
      return fixed<float>(type, nulls,
                          [](std::string_view text, float* out, uint16_t*) { return parse_float(text, out); });
    case TypeKind::kFloat64:
      return fixed<double>(type, nulls,
                           [](std::string_view text, double* out, uint16_t*) { return parse_float(text, out); });
    case TypeKind::kDate:
      return fixed<int64_t>(type, nulls, [](std::string_view text, int64_t* out, uint16_t* evidence) {
        return convert_date(text, out, evidence);
      });
    case TypeKind::kTimestamp: {
      // When types are being inferred, a seventh digit asks for nanoseconds even if it is a zero.
      unsigned digits_max = inferred && type.unit == TimeUnit::kMicro ? 6 : 9;
      return fixed<int64_t>(type, nulls, timestamp_converter(type.unit, !type.zone.empty(), digits_max));
    }
    case TypeKind::kTime: return fixed<int64_t>(type, nulls, time_of_day_converter(type.unit));
    case TypeKind::kUtf8: return std::make_unique<TextCellParser>(nulls);
    default: return std::make_unique<RareCellParser>(type, nulls);
  }
}

}  // namespace stela::fsd
