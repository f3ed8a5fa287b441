#include "fsd/cli/verbs/page_choices.h"

#include <algorithm>

#include "engine/format/bare_values.h"
#include "fsd/cli/json_builder.h"
#include "fsd/cli/output.h"

namespace stela::fsd {
namespace {

// Those of the mode that the page was written in, as far as its encoding tells.
std::vector<format::EncodingCandidate> candidates_of(const ColumnView& values, format::EncodingId chosen) {
  auto light = format::encoding_candidates(values, format::kPageRank, format::EncodingMode::kLight);
  for (const format::EncodingCandidate& candidate : light) {
    if (candidate.encoding->id() == chosen) return light;
  }
  return format::encoding_candidates(values, format::kPageRank, format::EncodingMode::kCold);
}

}  // namespace

std::string encoding_name(format::EncodingId id) {
  const format::Encoding* encoding = format::find_encoding(id);
  return encoding == nullptr ? "encoding " + std::to_string(static_cast<unsigned>(id)) : encoding->name();
}

Result<std::vector<PageChoice>> page_choices(const Snapshot& snapshot, const ColumnInfo& column,
                                             const Snapshot::Piece& piece) {
  std::vector<PageChoice> choices;
  for (const format::PageInfo& page : piece.pages) {
    const uint64_t first = std::max(page.first_row, piece.offset) - piece.offset;
    const uint64_t end = std::min(page.first_row + page.rows - piece.offset, piece.rows);
    PageChoice choice{piece.first_row + first, end - first, page.bytes, page.encoding, {}};
    ColumnData values(column.type);
    STELA_TRY(snapshot.read_stored(column, piece, first, choice.rows, values));
    if (values.null_count() < values.rows()) {
      const format::BareValues bare(values.view());
      choice.candidates = candidates_of(bare.view(), page.encoding);
    }
    choices.push_back(std::move(choice));
  }
  return choices;
}

std::string choices_as_json(const std::vector<PageChoice>& pages) {
  JsonArray list;
  for (const PageChoice& page : pages) {
    JsonObject estimates;
    for (const format::EncodingCandidate& candidate : page.candidates) {
      estimates.number(candidate.encoding->name(), candidate.bytes);
    }
    list.add(JsonObject()
                 .number("first_row", page.first_row)
                 .number("rows", page.rows)
                 .text("encoding", encoding_name(page.encoding))
                 .number("stored_bytes", page.bytes)
                 .json("estimates", estimates.str())
                 .str());
  }
  return list.str();
}

std::vector<std::vector<std::string>> choices_as_rows(const std::vector<PageChoice>& pages) {
  std::vector<std::vector<std::string>> rows;
  for (const PageChoice& page : pages) {
    std::string estimates;
    for (const format::EncodingCandidate& candidate : page.candidates) {
      estimates += (estimates.empty() ? "of " : ", ") + std::string(candidate.encoding->name()) + " " +
                   format_bytes(candidate.bytes);
    }
    rows.push_back({"    rows " + std::to_string(page.first_row) + " +" + std::to_string(page.rows),
                    encoding_name(page.encoding), format_bytes(page.bytes),
                    estimates.empty() ? "all rows are null" : estimates});
  }
  return rows;
}

}  // namespace stela::fsd
