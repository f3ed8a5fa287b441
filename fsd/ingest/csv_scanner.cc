#include "fsd/ingest/csv_scanner.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "fsd/ingest/structural_masks.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

constexpr size_t kNone = ~size_t{0};

uint64_t count_lines(const char* begin, const char* end) { return static_cast<uint64_t>(std::count(begin, end, '\n')); }

}  // namespace

ScanEnd CsvScanner::scan(char* data, size_t size, size_t columns, bool at_end, CsvRecords& out) {
  data_ = data;
  size_ = std::min(size, kPieceMax);
  columns_ = columns;
  at_end_ = at_end && size_ == size;
  position_ = 0;
  lines_ = 0;
  any_escaped_ = false;
  end_ = {};
  out.data = data;
  out.rows = 0;
  out.columns = columns;
  out.fields.clear();
  out.row_lines.clear();
  masks_.resize((size_ + 63) / 64);
  structural_masks(data_, masks_.size(), dialect_.delimiter, masks_.data());
  seek(0);
  while (position_ < size_) {
    size_t first_field = out.fields.size(), count = 0;
    uint64_t first_line = lines_;
    FieldEnd ending = scan_record(out, &count);
    if (ending == FieldEnd::kCut || ending == FieldEnd::kError) {
      out.fields.resize(first_field);
      break;
    }
    bool blank = count == 1 && out.fields[first_field].length_and_flags == 0;
    if (columns == 0) {
      out.columns = count;
    } else if (blank && columns != 1) {
      out.fields.resize(first_field);
    } else if (count != columns) {
      end_.error = invalid(std::to_string(count) + (count == 1 ? " field where " : " fields where ") +
                           std::to_string(columns) + " were expected");
      end_.error_line = first_line;
      out.fields.resize(first_field);
      break;
    }
    if (out.fields.size() > first_field) {
      out.row_lines.push_back(static_cast<uint32_t>(first_line));
      ++out.rows;
    }
    end_.consumed = position_;
    end_.lines = lines_;
    end_.unterminated = ending == FieldEnd::kFile;
    if (columns == 0) break;
  }
  if (dialect_.check_text) check_text(out);
  if (any_escaped_) remove_doubled_quotes(data_, out);
  return std::move(end_);
}

CsvScanner::FieldEnd CsvScanner::scan_record(CsvRecords& out, size_t* count) {
  size_t most = columns_ == 0 ? dialect_.columns_max : columns_;
  size_t fields = columns_ == 0 ? 0 : scan_plain_fields(out);
  FieldEnd ending = FieldEnd::kDelimiter;
  while (ending == FieldEnd::kDelimiter) {
    FieldRef field;
    ending = scan_field(&field);
    if (ending == FieldEnd::kCut || ending == FieldEnd::kError) return ending;
    // A record that is too long is counted to its end, for the message, but not kept.
    if (++fields <= most) out.fields.push_back(field);
  }
  if (columns_ == 0 && fields > most) {
    return fail(std::to_string(fields) + " columns; the limit is " + std::to_string(most));
  }
  *count = fields;
  return ending;
}

// The fast way: fields without quotes that end in a delimiter, all but the last of the record. Leaves the
// first field that is anything else to scan_field. Returns how many it took.
size_t CsvScanner::scan_plain_fields(CsvRecords& out) {
  size_t first = out.fields.size();
  out.fields.resize(first + columns_ - 1);
  FieldRef* field = out.fields.data() + first;
  FieldRef* const end = field + (columns_ - 1);
  const char* const data = data_;
  size_t position = position_, block = block_;
  uint64_t mask = mask_;
  while (field != end && data[position] != '"') {
    while (mask == 0 && block + 64 < size_) mask = masks_[(block += 64) / 64];
    size_t at = block + static_cast<size_t>(std::countr_zero(mask));
    if (mask == 0 || at >= size_ || data[at] == '\n' || at - position > dialect_.field_bytes_max) break;
    *field++ = {static_cast<uint32_t>(position), static_cast<uint32_t>(at - position)};
    mask &= mask - 1;
    position = at + 1;
  }
  position_ = position;
  block_ = block;
  mask_ = mask;
  auto taken = static_cast<size_t>(field - (out.fields.data() + first));
  out.fields.resize(first + taken);
  return taken;
}

CsvScanner::FieldEnd CsvScanner::scan_field(FieldRef* field) {
  size_t begin = position_;
  if (begin < size_ && data_[begin] == '"') return scan_quoted(field);
  size_t at = next_structural();
  bool cut = at == kNone;
  size_t end = cut ? size_ : at;
  if (cut && !at_end_) {
    end_.open_field_bytes = size_ - begin;
    return FieldEnd::kCut;
  }
  bool line = cut || data_[end] == '\n';
  size_t length = end - begin;
  if (line && length > 0 && data_[end - 1] == '\r') --length;
  if (length > dialect_.field_bytes_max) return fail("");
  *field = {static_cast<uint32_t>(begin), static_cast<uint32_t>(length)};
  position_ = cut ? size_ : at + 1;
  if (cut) return FieldEnd::kFile;
  lines_ += line;
  return line ? FieldEnd::kLine : FieldEnd::kDelimiter;
}

CsvScanner::FieldEnd CsvScanner::scan_quoted(FieldRef* field) {
  size_t begin = position_ + 1, at = begin;
  uint32_t flags = FieldRef::kQuoted;
  while (true) {
    const void* found = at < size_ ? std::memchr(data_ + at, '"', size_ - at) : nullptr;
    if (found == nullptr) {
      if (at_end_) return fail("a quote that opens here is never closed");
      end_.open_field_bytes = size_ - begin;
      return FieldEnd::kCut;
    }
    at = static_cast<size_t>(static_cast<const char*>(found) - data_);
    // Only the byte after a quote tells whether the field ends there.
    if (at + 1 == size_ && !at_end_) {
      end_.open_field_bytes = at - begin;
      return FieldEnd::kCut;
    }
    if (at + 1 == size_ || data_[at + 1] != '"') break;
    flags |= FieldRef::kEscaped;
    at += 2;
  }
  if (at - begin > dialect_.field_bytes_max) return fail("");
  *field = {static_cast<uint32_t>(begin), static_cast<uint32_t>(at - begin) | flags};
  uint64_t lines_inside = count_lines(data_ + begin, data_ + at);
  FieldEnd ending = end_after_quote(at + 1);
  if (ending == FieldEnd::kCut || ending == FieldEnd::kError) return ending;
  any_escaped_ |= (flags & FieldRef::kEscaped) != 0;
  lines_ += lines_inside;
  seek(position_);
  return ending;
}

// `at` is the byte after a closing quote.
CsvScanner::FieldEnd CsvScanner::end_after_quote(size_t at) {
  bool return_first = at < size_ && data_[at] == '\r';
  size_t mark = at + return_first;
  if (mark >= size_) {
    if (!at_end_) return FieldEnd::kCut;
    position_ = size_;
    return FieldEnd::kFile;
  }
  position_ = mark + 1;
  if (data_[mark] == '\n') {
    ++lines_;
    return FieldEnd::kLine;
  }
  if (data_[mark] == dialect_.delimiter && !return_first) return FieldEnd::kDelimiter;
  return fail("after a closing quote comes " + quoted_for_message({data_ + at, mark + 1 - at}) +
              "; a quote inside a quoted field is written twice");
}

// An empty sentence stands for a field over the limit.
CsvScanner::FieldEnd CsvScanner::fail(std::string sentence) {
  if (sentence.empty()) {
    end_.error = Status(Code::kLimit, "a field is over the limit of " + std::to_string(dialect_.field_bytes_max) +
                                          " bytes (is a quote never closed?)");
  } else {
    end_.error = invalid(std::move(sentence));
  }
  end_.error_line = lines_;
  return FieldEnd::kError;
}

size_t CsvScanner::next_structural() {
  while (mask_ == 0) {
    block_ += 64;
    if (block_ >= size_) return kNone;
    mask_ = masks_[block_ / 64];
  }
  size_t at = block_ + static_cast<size_t>(std::countr_zero(mask_));
  mask_ &= mask_ - 1;
  return at < size_ ? at : kNone;
}

void CsvScanner::seek(size_t position) {
  block_ = position & ~size_t{63};
  mask_ = 0;
  if (block_ < size_) {
    mask_ = masks_[block_ / 64] & (~uint64_t{0} << (position & 63));
  }
}

// Refuses the first record that is not text, and keeps those before it.
void CsvScanner::check_text(CsvRecords& out) {
  size_t bad = find_bad_text({data_, end_.consumed});
  if (bad == end_.consumed || out.rows == 0) return;
  size_t row = 0;
  for (size_t low = 0, high = out.rows; low < high;) {
    size_t middle = (low + high) / 2;
    const FieldRef& first = out.fields[middle * out.columns];
    bool before = first.begin - (first.is_quoted() ? 1 : 0) <= bad;
    if (before) row = middle;
    (before ? low : high) = before ? middle + 1 : middle;
  }
  size_t column = 0;
  while (column + 1 < out.columns && out.fields[row * out.columns + column + 1].begin <= bad) ++column;
  const FieldRef& field = out.fields[row * out.columns + column];
  size_t from = std::max<size_t>(field.begin, bad < 20 ? 0 : bad - 20);
  size_t to = std::min<size_t>(field.begin + field.length(), bad + 20);
  end_.error = invalid("column " + std::to_string(column + 1) +
                       (data_[bad] == '\0' ? " holds a NUL byte: " : " is not valid UTF-8: ") +
                       quoted_for_message({data_ + from, to - from}) + "; text files are read as UTF-8");
  end_.error_line = out.row_lines[row];
  const FieldRef& start = out.fields[row * out.columns];
  end_.consumed = start.begin - (start.is_quoted() ? 1 : 0);
  end_.lines = out.row_lines[row];
  end_.unterminated = false;
  out.fields.resize(row * out.columns);
  out.row_lines.resize(row);
  out.rows = row;
}

void CsvScanner::remove_doubled_quotes(char* data, CsvRecords& out) {
  for (FieldRef& field : out.fields) {
    if ((field.length_and_flags & FieldRef::kEscaped) == 0) continue;
    const char* from = data + field.begin;
    const char* end = from + field.length();
    char* to = data + field.begin;
    while (from < end) {
      from += *from == '"';
      *to++ = *from++;
    }
    field.length_and_flags = static_cast<uint32_t>(to - (data + field.begin)) | FieldRef::kQuoted;
  }
}

}  // namespace stela::fsd
