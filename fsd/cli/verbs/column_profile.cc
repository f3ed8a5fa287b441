#include "fsd/cli/verbs/column_profile.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "fsd/cli/output.h"
#include "fsd/cli/verbs/page_choices.h"

namespace stela::fsd {
namespace {

constexpr uint64_t kMeasuredBytesMax = 256 << 20;
constexpr uint64_t kStepBytesMax = 8 << 20;
constexpr int kReadsOfEach = 2;

class Profiler {
 public:
  Profiler(const Snapshot& snapshot, const ColumnInfo& column, const ProgressFunction& progress)
      : snapshot_(snapshot), column_(column), progress_(progress) {}

  Result<ColumnProfile> run() {
    ColumnProfile profile{column_, 0, {}};
    STELA_ASSIGN(const ColumnTotals totals, snapshot_.totals(column_));
    profile.nulls = totals.nulls;
    STELA_ASSIGN(const std::vector<Snapshot::Piece> pieces, snapshot_.pieces(column_));
    for (const Snapshot::Piece& piece : pieces) STELA_TRY(add_piece(piece));
    for (auto& [name, found] : found_) profile.encodings.push_back(std::move(found));
    std::ranges::stable_sort(profile.encodings, std::ranges::greater(), &EncodingProfile::plain_bytes);
    return profile;
  }

 private:
  Status add_piece(const Snapshot::Piece& piece) {
    if (piece.pages.empty()) return add_rows(piece, 0, piece.rows, piece.where, nullptr);
    const bool flat = piece.is_plain_file();
    for (const format::PageInfo& page : piece.pages) {
      const uint64_t first = std::max(page.first_row, piece.offset) - piece.offset;
      const uint64_t end = std::min(page.first_row + page.rows - piece.offset, piece.rows);
      STELA_TRY(add_rows(piece, first, end - first, flat ? "plain file" : encoding_name(page.encoding), &page));
    }
    return {};
  }

  // Without a page: rows of a tail, and rows that lie nowhere.
  Status add_rows(const Snapshot::Piece& piece, uint64_t first, uint64_t rows, const std::string& encoding,
                  const format::PageInfo* page) {
    STELA_ASSIGN(const uint64_t plain, plain_bytes(piece, first, rows));
    EncodingProfile& profile = found_[encoding];
    profile.encoding = encoding;
    profile.rows += rows;
    profile.plain_bytes += plain;
    if (page == nullptr) {
      if (encoding == "tail") profile.stored_bytes += plain;
      return encoding == "tail" ? measure(piece, first, rows, profile) : Status();
    }
    // Pieces that share a fragment may share a page.
    if (pages_seen_.emplace(piece.where, page->offset).second) {
      ++profile.pages;
      profile.stored_bytes += page->bytes;
    }
    return measure(piece, first, rows, profile);
  }

  Result<uint64_t> plain_bytes(const Snapshot::Piece& piece, uint64_t first, uint64_t rows) const {
    STELA_ASSIGN(const uint64_t bytes, snapshot_.stored_value_bytes(column_, piece, first, rows));
    return bytes + (column_.type.is_variable() ? sizeof(uint32_t) * rows : 0);
  }

  Status measure(const Snapshot::Piece& piece, uint64_t first, uint64_t rows, EncodingProfile& profile) {
    while (rows > 0 && profile.decoded_bytes < kMeasuredBytesMax) {
      uint64_t step = rows, bytes = 0;
      for (;;) {
        STELA_ASSIGN(bytes, plain_bytes(piece, first, step));
        if (bytes <= kStepBytesMax || step == 1) break;
        step = (step + 1) / 2;
      }
      double shortest = 0;
      for (int i = 0; i < kReadsOfEach; ++i) {
        values_.clear();
        const double begin = monotonic_seconds();
        STELA_TRY(snapshot_.read_stored(column_, piece, first, step, values_));
        const double seconds = monotonic_seconds() - begin;
        shortest = i == 0 ? seconds : std::min(shortest, seconds);
      }
      profile.decode_seconds += shortest;
      profile.decoded_bytes += bytes;
      first += step;
      rows -= step;
      if (progress_ && !progress_({.what = "measuring"})) return Status(Code::kDeadline, "cancelled");
    }
    return {};
  }

  const Snapshot& snapshot_;
  const ColumnInfo& column_;
  const ProgressFunction& progress_;
  ColumnData values_{column_.type};
  std::map<std::string, EncodingProfile> found_;
  std::set<std::pair<std::string, uint64_t>> pages_seen_;
};

}  // namespace

void EncodingProfile::add(const EncodingProfile& other) {
  pages += other.pages;
  rows += other.rows;
  plain_bytes += other.plain_bytes;
  stored_bytes += other.stored_bytes;
  decoded_bytes += other.decoded_bytes;
  decode_seconds += other.decode_seconds;
}

EncodingProfile ColumnProfile::total() const {
  EncodingProfile total;
  for (const EncodingProfile& part : encodings) total.add(part);
  return total;
}

Result<ColumnProfile> profile_column(const Snapshot& snapshot, const ColumnInfo& column,
                                     const ProgressFunction& progress) {
  return Profiler(snapshot, column, progress).run();
}

}  // namespace stela::fsd
