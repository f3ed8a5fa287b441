#include "fsd/cli/verbs/stretch_statistics.h"

#include <algorithm>

#include "fsd/cli/verbs/page_table.h"
#include "fsd/views/statistics_json.h"

namespace stela::fsd {

Result<Stretches> stretches_of(const Snapshot& snapshot, const ColumnInfo& column, const Snapshot::Piece& piece) {
  Stretches found;
  Result<std::vector<format::Statistics>> kept = snapshot.stored_stretches(column, piece);
  if (!kept.ok()) {
    STELA_TRY(keep_damage(kept.status(), &found.damage));
    return found;
  }
  uint64_t row = 0;  // of the file
  const uint64_t end = piece.offset + piece.rows;
  for (format::Statistics& statistics : *kept) {
    const uint64_t from = std::max(row, piece.offset), to = std::min(row + statistics.rows, end);
    row += statistics.rows;
    if (from >= to) continue;
    const bool whole = to - from == statistics.rows;
    found.list.push_back({piece.first_row + from - piece.offset, to - from, whole, std::move(statistics)});
  }
  return found;
}

std::string stretches_as_json(const DataType& type, const Stretches& stretches) {
  JsonArray list;
  for (const Stretch& stretch : stretches.list) {
    JsonObject object;
    object.number("first_row", stretch.first_row).number("rows", stretch.rows);
    add_known(type, stretch.statistics, stretch.whole, object);
    list.add(object.str());
  }
  if (stretches.damage.empty()) return list.str();
  return list.add(JsonObject().text("damage", stretches.damage).str()).str();
}

std::vector<std::vector<std::string>> stretches_as_rows(const DataType& type, const Stretches& stretches) {
  std::vector<std::vector<std::string>> rows;
  for (const Stretch& stretch : stretches.list) {
    rows.push_back({rows_cell(stretch.first_row, stretch.rows),
                    stretch.whole ? std::to_string(stretch.statistics.nulls) + " nulls" : "",
                    stretch.whole ? statistics_line(type, stretch.statistics) : "kept with rows that came later"});
  }
  if (!stretches.damage.empty()) rows.push_back({"    statistics", "", stretches.damage});
  return rows;
}

}  // namespace stela::fsd
