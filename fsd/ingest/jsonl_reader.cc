#include "fsd/ingest/jsonl_reader.h"

#include <algorithm>
#include <cstring>

#include "fsd/ingest/csv_header.h"
#include "fsd/ingest/jsonl_line.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

// Cells of a block as a table: lines with many different keys make short blocks.
constexpr size_t kTableCellsMax = 1 << 20;
constexpr size_t kColumnsMax = 1'000'000;

}  // namespace

JsonColumns::JsonColumns(std::vector<std::string> names, bool extra_ignore)
    : closed_(true), extra_ignore_(extra_ignore), names_(std::move(names)) {
  for (size_t column = 0; column < names_.size(); ++column) index(column);
}

Result<size_t> JsonColumns::find(std::string_view key, size_t guess) {
  if (guess < names_.size() && names_[guess] == key) return guess;
  auto found = by_name_.find(std::string(key));
  if (found != by_name_.end()) return found->second;
  if (closed_ && extra_ignore_) return kIgnored;
  if (closed_) {
    return invalid("the dataset has no column " + quoted_for_message(key) + "; extra=ignore leaves such keys out");
  }
  STELA_TRY(add(key));
  return names_.size() - 1;
}

void JsonColumns::shrink(size_t size) {
  for (; names_.size() > size; names_.pop_back()) by_name_.erase(names_.back());
}

Status JsonColumns::add(std::string_view key) {
  if (key.empty()) return invalid("a key is empty; it must name a column");
  if (key.size() > kColumnNameBytesMax) {
    return {Code::kLimit, "a key has " + std::to_string(key.size()) + " bytes; the limit of a column's name is " +
                              std::to_string(kColumnNameBytesMax)};
  }
  if (names_.size() == kColumnsMax) {
    return {Code::kLimit, "the lines have more than " + std::to_string(kColumnsMax) + " different keys"};
  }
  names_.emplace_back(key);
  index(names_.size() - 1);
  return {};
}

JsonlReader::JsonlReader(ByteSource& source, const JsonlReaderOptions& options, JsonColumns& columns,
                         const CsvPosition& from, uint64_t end, bool final)
    : source_(source),
      options_(options),
      columns_(columns),
      position_(from),
      end_(end),
      final_(final),
      piece_(options_.piece_bytes, JsonLineParser::kPadding),
      parser_(std::make_unique<JsonLineParser>(options, columns)) {}

bool JsonlReader::has_seen(size_t column) const { return parser_->has_seen(column); }

JsonlReader::~JsonlReader() = default;

Status JsonlReader::at_line(uint64_t line, const Status& status) const {
  return status.with_context(options_.file_name + ":" + std::to_string(line));
}

Status JsonlReader::next() {
  cells_.clear();
  row_lines_.clear();
  values_.clear();
  STELA_TRY(pending_);
  while (true) {
    bool at_end = false;
    STELA_TRY(piece_.fill(source_, position_.offset, end_, &at_end));
    if (piece_.size() == 0) return {};
    take_lines(at_end);
    if (rows() > 0) {
      values_.append(CsvScanner::kPadding, '\0');
      return {};
    }
    STELA_TRY(pending_);
    if (piece_.spent() > 0) continue;
    if (at_end) return {};
    if (piece_.size() > options_.line_bytes_max) return at_line(position_.line, line_too_long());
  }
}

Status JsonlReader::line_too_long() const {
  return {Code::kLimit, "a line is over the limit of " + std::to_string(options_.line_bytes_max) +
                            " bytes; each object stands on a line of its own"};
}

// Takes the whole lines of the piece. A line that cannot be taken ends the block and is left in pending_.
void JsonlReader::take_lines(bool at_end) {
  block_line_ = position_.line;
  uint64_t lines = 0;
  char* data = piece_.data();
  while (piece_.spent() < piece_.size()) {
    char* line = data + piece_.spent();
    auto* line_end = static_cast<char*>(std::memchr(line, '\n', piece_.size() - piece_.spent()));
    bool terminated = line_end != nullptr;
    if (!terminated && !(at_end && final_)) break;
    size_t size = terminated ? static_cast<size_t>(line_end - line) : piece_.size() - piece_.spent();
    size_t cells = cells_.size(), values = values_.size(), rows_before = rows(), columns = columns_.size();
    reason_ = size > options_.line_bytes_max ? line_too_long() : take_line(line, size, lines);
    pending_ = reason_.ok() ? reason_ : at_line(block_line_ + lines, reason_);
    bool rejected = !pending_.ok() && options_.rejections != nullptr && options_.rejections->skips();
    if (rejected) {
      columns_.shrink(columns);
      cells_.resize(cells);
      values_.resize(values);
      row_lines_.resize(rows_before);
      pending_ = options_.rejections->add(block_line_ + lines, reason_.message(), {line, size});
    }
    bool too_wide = rows() > 1 && rows() * columns_.size() > kTableCellsMax;
    if (!pending_.ok() || too_wide) {
      cells_.resize(cells);
      values_.resize(values);
      row_lines_.resize(rows_before);
      break;
    }
    piece_.spend(size + (terminated ? 1 : 0));
    lines += terminated ? 1 : 0;
    position_.after_unterminated = !terminated;
  }
  position_.offset += piece_.spent();
  position_.line += lines;
}

Status JsonlReader::take_line(char* line, size_t size, uint64_t line_number) {
  std::string_view text(line, size);
  if (text.find_first_not_of(" \t\r") == std::string_view::npos) return {};
  auto row = static_cast<uint32_t>(rows());
  Status status = parser_->parse(line, size, row, cells_, values_);
  row_lines_.push_back(static_cast<uint32_t>(line_number));
  return status;
}

void JsonlReader::fill(CsvRecords* out) const {
  out->data = values_.data();
  out->rows = rows();
  out->columns = columns_.size();
  out->row_lines = row_lines_;
  out->fields.assign(out->rows * out->columns, FieldRef{});
  for (const JsonCell& cell : cells_) out->fields[cell.row * out->columns + cell.column] = cell.text;
}

}  // namespace stela::fsd
