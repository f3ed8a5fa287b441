// .schema.json, .stats.json, .commit.json: what the catalogue knows, as text for people and jq.
#include <functional>

#include "fsd/views/column_form.h"
#include "fsd/views/region_view.h"
#include "fsd/views/statistics_json.h"
#include "fsd/views/time_text.h"

namespace stela::fsd {
namespace {

// Names and bounds may be any bytes; JSON is UTF-8.
std::string dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

// One line a column: {"a":...}; built line by line, so that 100,000 columns need no tree in memory.
class ColumnList {
 public:
  void add(const Json& column) {
    text_.append(empty_ ? "\n    " : ",\n    ");
    text_.append(dump(column, -1));
    empty_ = false;
  }
  std::string finish() { return empty_ ? text_ + "]" : text_ + "\n  ]"; }

 private:
  std::string text_ = "[";
  bool empty_ = true;
};

std::string table_json(const VersionInfo& version, ColumnList columns) {
  return "{\n  \"version\": " + std::to_string(version.number.value) +
         ",\n  \"rows\": " + std::to_string(version.rows) + ",\n  \"columns\": " + columns.finish() + "\n}\n";
}

Result<std::string> schema_json(const TableSource& table) {
  STELA_ASSIGN(std::vector<ColumnInfo> columns, table.columns());
  ColumnList list;
  for (const ColumnInfo& column : columns) {
    Json json;
    json["name"] = column.name;
    json["type"] = column.type.name();
    json["nullable"] = column.nullable;
    json["file"] = encode_column_file_stem(column.name) + listed_form(column.type).extension();
    list.add(json);
  }
  return table_json(table.version(), std::move(list));
}

Result<Json> column_stats(const ColumnSource& column) {
  STELA_ASSIGN(format::Statistics statistics, column.statistics());
  STELA_ASSIGN(ColumnTotals totals, column.totals());
  STELA_ASSIGN(uint64_t stored_bytes, column.stored_bytes());
  const DataType& type = column.type();
  Json json;
  json["name"] = column.info().name;
  json["type"] = type.name();
  json["rows"] = totals.rows;
  json["nulls"] = totals.nulls;
  add_statistics(type, statistics, json);
  json["value_bytes"] = totals.value_bytes;
  json["stored_bytes"] = stored_bytes;
  return json;
}

Result<std::string> stats_json(const TableSource& table) {
  STELA_ASSIGN(std::vector<ColumnInfo> columns, table.columns());
  ColumnList list;
  for (const ColumnInfo& column : columns) {
    STELA_ASSIGN(Json json, column_stats(*table.column(column)));
    list.add(json);
  }
  return table_json(table.version(), std::move(list));
}

Result<std::string> commit_json(const TableSource& table) {
  const VersionInfo& version = table.version();
  Json json;
  json["version"] = version.number.value;
  json["time"] = rfc3339_ns(version.time_ns);
  json["author"] = version.author;
  json["operation"] = version.operation;
  json["message"] = version.message;
  json["rows"] = version.rows;
  json["parent"] = nullptr;
  if (version.number.value > 1) json["parent"] = version.number.value - 1;
  return dump(json, 2) + "\n";
}

class JsonForm final : public TableSourceForm {
 public:
  using Make = Result<std::string> (*)(const TableSource&);
  JsonForm(const char* name, bool tells_layout, Make make) : name_(name), tells_layout_(tells_layout), make_(make) {}
  const char* name() const override { return name_; }
  bool size_is_cheap() const override { return !tells_layout_; }
  bool tells_layout() const override { return tells_layout_; }
  Result<std::unique_ptr<View>> open_source(std::shared_ptr<const TableSource> table,
                                            std::optional<uint64_t>) const override {
    STELA_ASSIGN(std::string text, make_(*table));
    auto view = std::make_unique<RegionView>();
    view->add_bytes(std::move(text));
    return {std::move(view)};
  }

 private:
  const char* name_;
  bool tells_layout_;
  Make make_;
};

}  // namespace

const TableSourceForm& schema_json_form() {
  static const JsonForm form(".schema.json", false, schema_json);
  return form;
}

// Statistics are read for every column: not what a lookup should pay.
const TableSourceForm& stats_json_form() {
  static const JsonForm form(".stats.json", true, stats_json);
  return form;
}

const TableSourceForm& commit_json_form() {
  static const JsonForm form(".commit.json", false, commit_json);
  return form;
}

}  // namespace stela::fsd
