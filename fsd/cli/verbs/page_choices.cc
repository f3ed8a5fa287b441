#include "fsd/cli/verbs/page_choices.h"

#include "engine/format/bare_values.h"
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

Result<std::vector<PageChoice>> page_choices(const Snapshot& snapshot, const ColumnInfo& column,
                                             const Snapshot::Piece& piece) {
  std::vector<PageChoice> choices;
  if (piece.is_plain_file()) return choices;
  for (PlacedPage& page : placed_pages(piece)) {
    PageChoice choice{std::move(page), {}};
    ColumnData values(column.type);
    STELA_TRY(keep_damage(snapshot.read_stored(column, piece, choice.first, choice.rows, values), &choice.damage));
    if (choice.damage.empty() && values.null_count() < values.rows()) {
      const format::BareValues bare(values.view());
      choice.candidates = candidates_of(bare.view(), choice.page.encoding);
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
    list.add(
        page_json(page).text("encoding", encoding_name(page.page.encoding)).json("estimates", estimates.str()).str());
  }
  return list.str();
}

std::vector<std::vector<std::string>> choices_as_rows(const std::vector<PageChoice>& pages) {
  std::vector<std::vector<std::string>> rows;
  for (const PageChoice& page : pages) {
    std::string estimates = page.damage;
    for (const format::EncodingCandidate& candidate : page.candidates) {
      estimates += (estimates.empty() ? "of " : ", ") + std::string(candidate.encoding->name()) + " " +
                   format_bytes(candidate.bytes);
    }
    rows.push_back({rows_cell(page.first_row, page.rows), encoding_name(page.page.encoding),
                    format_bytes(page.page.bytes), estimates.empty() ? "all rows are null" : estimates});
  }
  return rows;
}

}  // namespace stela::fsd
