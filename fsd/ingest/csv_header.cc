#include "fsd/ingest/csv_header.h"

#include <unordered_map>
#include <unordered_set>

#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

// "'a', 'b', 'c' and 97 more".
std::string list_names(const std::vector<std::string_view>& names) {
  constexpr size_t kShown = 8;
  std::string out;
  for (size_t i = 0; i < names.size() && i < kShown; ++i) {
    if (i > 0) out += ", ";
    out += quoted_for_message(names[i]);
  }
  if (names.size() > kShown) out += " and " + std::to_string(names.size() - kShown) + " more";
  return out;
}

}  // namespace

Result<std::vector<std::string>> header_names(const CsvRecords& header) {
  std::vector<std::string> names;
  std::unordered_map<std::string_view, size_t> seen;
  names.reserve(header.columns);
  for (size_t column = 0; column < header.columns; ++column) {
    std::string_view name = header.text(0, column);
    std::string ordinal = "column " + std::to_string(column + 1);
    if (name.empty() && header.columns == 1) return invalid("the first line is empty; it must name the columns");
    if (name.empty()) {
      return invalid(ordinal + " has no name in the header (pandas writes its index there: index=False leaves it out)");
    }
    if (name.size() > kColumnNameBytesMax) {
      return Status(Code::kLimit, ordinal + " has a name of " + std::to_string(name.size()) + " bytes; the limit is " +
                                      std::to_string(kColumnNameBytesMax));
    }
    if (!header.fields[column].is_quoted() && name.find('\r') != std::string_view::npos) {
      return invalid("lines end in CR alone; convert them to LF first (tr '\\r' '\\n')");
    }
    auto [other, fresh] = seen.try_emplace(name, column);
    if (!fresh) {
      return invalid("the header names " + quoted_for_message(name) + " twice, as columns " +
                     std::to_string(other->second + 1) + " and " + std::to_string(column + 1));
    }
    names.emplace_back(name);
  }
  return names;
}

std::vector<std::string> positional_names(size_t columns) {
  std::vector<std::string> names;
  names.reserve(columns);
  for (size_t column = 1; column <= columns; ++column) names.push_back("c" + std::to_string(column));
  return names;
}

Result<std::vector<CsvTarget>> match_columns(const std::vector<std::string>& names, const std::vector<Field>& fields,
                                             const IngestOptions& options, const char* hint) {
  std::unordered_map<std::string_view, const Field*> by_name;
  for (const Field& field : fields) by_name.emplace(field.name, &field);
  std::vector<CsvTarget> targets;
  std::vector<std::string_view> extra, missing;
  for (size_t column = 0; column < names.size(); ++column) {
    auto found = by_name.find(names[column]);
    if (found == by_name.end()) {
      extra.push_back(names[column]);
    } else {
      targets.push_back({column, *found->second});
    }
  }
  std::unordered_set<std::string_view> present(names.begin(), names.end());
  for (const Field& field : fields) {
    if (present.count(field.name) > 0) continue;
    if (!options.missing_null || !field.nullable) missing.push_back(field.name);
  }
  if (targets.empty()) {
    return invalid("no column of the file (" + list_names(extra) + ") is in the dataset" + hint);
  }
  if (!missing.empty()) {
    return invalid("the file lacks " + list_names(missing) + " of the dataset" +
                   (options.missing_null ? ", which may not be null" : "; missing=null fills them with nulls"));
  }
  if (!extra.empty() && !options.extra_ignore) {
    return invalid("the dataset has no " + list_names(extra) + "; extra=ignore leaves them out");
  }
  return targets;
}

}  // namespace stela::fsd
