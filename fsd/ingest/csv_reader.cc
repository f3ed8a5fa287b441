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
      final_(final) {}

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
    STELA_TRY(fill(&at_end));
    if (piece_size_ == 0) return {};
    block_line_ = position_.line;
    auto* data = reinterpret_cast<char*>(piece_.data());
    ScanEnd end = scanner_.scan(data, piece_size_, columns, at_end && final_, *out);
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
    STELA_TRY(fill(&at_end));
    end = scanner.scan(reinterpret_cast<char*>(piece_.data()), piece_size_, 0, at_end && final_, record);
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

// Makes piece_ hold the next bytes: at least one more than before if there are any.
Status CsvReader::fill(bool* at_end) {
  size_t kept = piece_size_ - spent_;
  if (spent_ > 0 && kept > 0) std::memmove(piece_.data(), piece_.data() + spent_, kept);
  spent_ = 0;
  piece_size_ = kept;
  uint64_t next = position_.offset + kept;
  uint64_t left = end_ > next ? end_ - next : 0;
  // A record longer than a piece doubles it.
  size_t room = kept < options_.piece_bytes / 2 ? options_.piece_bytes - kept : std::max<size_t>(kept, 1);
  auto wanted = static_cast<size_t>(std::min<uint64_t>(left, room));
  piece_.resize(kept + wanted + CsvScanner::kPadding);
  if (wanted > 0) STELA_TRY(source_.read(next, {piece_.data() + kept, wanted}));
  piece_size_ = kept + wanted;
  std::memset(piece_.data() + piece_size_, 0, CsvScanner::kPadding);
  *at_end = wanted == left;
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
  } else if (piece_size_ > options_.record_bytes_max || piece_size_ >= CsvScanner::kPieceMax / 2) {
    why = "a record is over the limit of " + std::to_string(options_.record_bytes_max) + " bytes";
  } else {
    return {};
  }
  return at_line(position_.line, Status(Code::kLimit, why));
}

void CsvReader::advance(const ScanEnd& end) {
  spent_ = end.consumed;
  position_.offset += end.consumed;
  position_.line += end.lines;
  if (end.consumed > 0) position_.after_unterminated = end.unterminated;
}

}  // namespace stela::fsd
