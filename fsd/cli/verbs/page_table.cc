#include "fsd/cli/verbs/page_table.h"

#include <algorithm>

#include "fsd/views/statistics_json.h"

namespace stela::fsd {

std::vector<PlacedPage> placed_pages(const Snapshot::Piece& piece) {
  std::vector<PlacedPage> pages;
  for (const format::PageInfo& page : piece.pages) {
    const uint64_t first = std::max(page.first_row, piece.offset) - piece.offset;
    const uint64_t end = std::min(page.first_row + page.rows - piece.offset, piece.rows);
    pages.push_back({first, piece.first_row + first, end - first, end - first == page.rows, page, {}});
  }
  return pages;
}

Status keep_damage(const Status& status, std::string* damage) {
  if (status.code() != Code::kDamaged) return status;
  *damage = status.message();
  return {};
}

std::string encoding_name(format::EncodingId id) {
  const format::Encoding* encoding = format::find_encoding(id);
  return encoding == nullptr ? "encoding " + std::to_string(static_cast<unsigned>(id)) : encoding->name();
}

JsonObject page_json(const PlacedPage& page) {
  JsonObject object;
  object.number("first_row", page.first_row).number("rows", page.rows).number("stored_bytes", page.page.bytes);
  if (!page.damage.empty()) object.text("damage", page.damage);
  return object;
}

void add_known(const DataType& type, const format::Statistics& statistics, bool whole, JsonObject& object) {
  if (whole) {
    object.number("nulls", statistics.nulls).json("statistics", statistics_text(type, statistics));
  } else {
    object.null("nulls").null("statistics");
  }
}

std::string rows_cell(uint64_t first_row, uint64_t rows) {
  return "    rows " + std::to_string(first_row) + " +" + std::to_string(rows);
}

}  // namespace stela::fsd
