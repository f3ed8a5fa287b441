// Statistics of a column as JSON, for .stats.json and `stela inspect --json`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "engine/format/statistics.h"

namespace stela::fsd {

using Json = nlohmann::ordered_json;

// min, max, order, sum, distinct: null where they are not known.
void add_statistics(const DataType& type, const format::Statistics& statistics, Json& json);
// The same as the text of an object.
std::string statistics_text(const DataType& type, const format::Statistics& statistics);
// What is known of them, for people.
std::string statistics_line(const DataType& type, const format::Statistics& statistics);

}  // namespace stela::fsd
