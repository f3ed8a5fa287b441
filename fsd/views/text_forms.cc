// .txt: a value a line. .csv: a header line with the column's name, then a field a line.
#include "fsd/views/column_form.h"
#include "fsd/views/csv_header.h"
#include "fsd/views/text_format.h"
#include "fsd/views/text_view.h"

namespace stela::fsd {
namespace {

constexpr uint64_t kLinesInStep = 8192;

class ColumnLines : public LineSource {
 public:
  explicit ColumnLines(std::shared_ptr<const ColumnSource> column) : column_(std::move(column)) {}
  uint64_t rows() const override { return column_->rows(); }
  Result<uint64_t> rows_at_once(uint64_t first, uint64_t last) const override {
    return rows_in_step(*column_, first, std::min(last - first, kLinesInStep));
  }
  Status append_lines(uint64_t first, uint64_t count, std::string& out) const override {
    ColumnData data(column_->type());
    STELA_TRY(column_->read(first, count, data));
    ColumnView view = data.view();
    for (uint64_t row = 0; row < count; ++row) {
      append_value(view, row, out);
      out.push_back('\n');
    }
    return {};
  }

 protected:
  virtual void append_value(const ColumnView& view, uint64_t row, std::string& out) const = 0;
  const std::shared_ptr<const ColumnSource> column_;
};

class TxtLines final : public ColumnLines {
 public:
  using ColumnLines::ColumnLines;
  std::string header() const override { return {}; }

 private:
  void append_value(const ColumnView& view, uint64_t row, std::string& out) const override {
    append_txt_value(view, row, out);
  }
};

class CsvLines final : public ColumnLines {
 public:
  using ColumnLines::ColumnLines;
  std::string header() const override {
    std::string line;
    append_csv_header_field(column_->info().name, true, line);
    line.push_back('\n');
    return line;
  }

 private:
  void append_value(const ColumnView& view, uint64_t row, std::string& out) const override {
    append_csv_field(view, row, out);
  }
};

template <typename Lines>
class TextForm final : public ColumnForm {
 public:
  TextForm(const char* extension, bool shows_name) : extension_(extension), shows_name_(shows_name) {}
  const char* extension() const override { return extension_; }
  Status supports(const DataType& type) const override {
    if (type.kind < TypeKind::kList) return {};
    return unsupported("columns of type " + type.name() + " have no views yet");
  }
  bool shows_name() const override { return shows_name_; }
  bool size_is_cheap(const DataType&) const override { return false; }
  Result<std::unique_ptr<View>> open_source(std::shared_ptr<const ColumnSource> column,
                                            std::optional<uint64_t> remembered_size) const override {
    return {std::make_unique<TextView>(std::make_unique<Lines>(std::move(column)), remembered_size)};
  }

 private:
  const char* extension_;
  bool shows_name_;
};

}  // namespace

const ColumnForm& csv_form() {
  static const TextForm<CsvLines> form(".csv", true);
  return form;
}

const ColumnForm& txt_form() {
  static const TextForm<TxtLines> form(".txt", false);
  return form;
}

}  // namespace stela::fsd
