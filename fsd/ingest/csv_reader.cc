#include "fsd/ingest/csv_reader.h"

#include <algorithm>
#include <cstring>

namespace stela::fsd {

CsvReader::CsvReader(ByteSource& source, CsvReaderOptions options, CsvPosition from, uint64_t end, bool final)
    : source_(source),
      options_(std::move(options)),
      scanner_(options_.dialect),
      position_(from),
      end_(end),
      final_(final),
      piece_(options_.piece_bytes, CsvScanner::kPadding) {}

Status CsvReader::at_line(uint64_t line, const Status& status) const {
  return status.with_context(options_.file_name + ":" + std::to_string(line));
}

Status CsvReader::read_header(CsvRecords* out) { return next(0, out); }

Status CsvReader::next(size_t columns, CsvRecords* out) {
  out->rows = 0;
  if (!pending_.ok()) STELA_TRY(reject_record());
  STELA_TRY(skip_joining_newline());
  while (true) {
    bool at_end = false;
    STELA_TRY(piece_.fill(source_, position_.offset, end_, &at_end));
    if (piece_.size() == 0) return {};
    block_line_ = position_.line;
    char* data = piece_.data();
    ScanEnd end = scanner_.scan(data, piece_.size(), columns, at_end && final_, *out);
    if (!end.error.ok()) {
      reason_ = end.error;
      pending_ = at_line(block_line_ + end.error_line, end.error);
    }
    advance(end);
    if (out->rows > 0) return {};
    if (!pending_.ok()) {
      STELA_TRY(reject_record());
      continue;
    }
    if (end.consumed == 0) {
      if (at_end) return {};
      STELA_TRY(check_cut_record(end));
    }
  }
}

// The record at the present place is the one that pending_ is about. It is passed over where its end can be found: not
// within a quote that nothing closes.
Status CsvReader::reject_record() {
  if (options_.rejections == nullptr || !options_.rejections->skips()) return pending_;
  CsvDialect any = options_.dialect;
  any.check_text = false;
  CsvScanner scanner(any);
  CsvRecords record;
  ScanEnd end;
  while (true) {
    bool at_end = false;
    STELA_TRY(piece_.fill(source_, position_.offset, end_, &at_end));
    end = scanner.scan(piece_.data(), piece_.size(), 0, at_end && final_, record);
    if (!end.error.ok()) return pending_;
    if (record.rows > 0) break;
    if (at_end) return pending_;
    STELA_TRY(check_cut_record(end));
  }
  // As it stands in the file: the scanner removes doubled quotes.
  std::string text(end.consumed, '\0');
  STELA_TRY(source_.read(position_.offset, {reinterpret_cast<std::byte*>(text.data()), text.size()}));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  STELA_TRY(options_.rejections->add(position_.line, reason_.message(), text));
  advance(end);
  pending_ = reason_ = {};
  return {};
}

// The file grew after a last line without a line end was taken for a record: the line end that now follows
// belongs to it.
Status CsvReader::skip_joining_newline() {
  if (!position_.after_unterminated || position_.offset >= end_) return {};
  std::byte next[2] = {};
  size_t size = std::min<uint64_t>(2, end_ - position_.offset);
  STELA_TRY(source_.read(position_.offset, {next, size}));
  bool return_first = next[0] == std::byte{'\r'} && size == 2;
  if (next[return_first ? 1 : 0] == std::byte{'\n'}) {
    position_.offset += return_first ? 2 : 1;
    ++position_.line;
  }
  position_.after_unterminated = false;
  return {};
}

Status CsvReader::check_cut_record(const ScanEnd& end) const {
  uint64_t limit = options_.dialect.field_bytes_max;
  std::string why;
  if (end.open_field_bytes > limit) {
    why = "a field that begins in this record is over the limit of " + std::to_string(limit) +
          " bytes; is a quote never closed?";
  } else if (piece_.size() > options_.record_bytes_max || piece_.size() >= CsvScanner::kPieceMax / 2) {
    why = "a record is over the limit of " + std::to_string(options_.record_bytes_max) + " bytes";
  } else {
    return {};
  }
  return at_line(position_.line, Status(Code::kLimit, why));
}

void CsvReader::advance(const ScanEnd& end) {
  piece_.spend(end.consumed);
  position_.offset += end.consumed;
  position_.line += end.lines;
  if (end.consumed > 0) position_.after_unterminated = end.unterminated;
}

}  // namespace stela::fsd
