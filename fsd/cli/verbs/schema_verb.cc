#include "fsd/cli/json_builder.h"
#include "fsd/cli/output.h"
#include "fsd/cli/verbs/dataset_path.h"
#include "fsd/cli/verbs/verbs.h"
#include "fsd/views/view.h"

namespace stela::fsd {
namespace {

std::string file_of(const ColumnInfo& column) {
  return encode_column_file_stem(column.name) + listed_form(column.type).extension();
}

std::string as_json(const Snapshot& snapshot, const std::vector<ColumnInfo>& columns) {
  JsonArray list;
  for (const ColumnInfo& column : columns) {
    list.add(JsonObject()
                 .text("name", column.name)
                 .text("type", column.type.name())
                 .flag("nullable", column.nullable)
                 .text("file", file_of(column))
                 .str());
  }
  return JsonObject()
             .number("version", snapshot.version().number.value)
             .number("rows", snapshot.rows())
             .json("columns", list.str())
             .str() +
         "\n";
}

std::string as_text(const Snapshot& snapshot, const std::vector<ColumnInfo>& columns) {
  std::vector<std::vector<std::string>> rows;
  for (const ColumnInfo& column : columns) {
    rows.push_back({printable(column.name), column.type.name() + (column.nullable ? "" : " not null"),
                    printable(file_of(column))});
  }
  return "version " + std::to_string(snapshot.version().number.value) + ", " + std::to_string(snapshot.rows()) +
         " rows, " + std::to_string(columns.size()) + " columns\n" + format_table(rows, {});
}

VerbOutcome run(const VerbContext& context) {
  Result<DatasetPath> found = find_dataset(context, context.request.args[0]);
  if (!found.ok()) return VerbOutcome::from(found.status());
  if (!found->snapshot) return {1, found->dataset + " has no version yet, hence no schema"};
  if (!found->rest.empty()) return {1, context.request.args[0] + " is not a dataset"};
  Result<std::vector<ColumnInfo>> columns = found->snapshot.columns();
  if (!columns.ok()) return VerbOutcome::from(columns.status());
  Output output(context);
  output.text(context.request.has("json") ? as_json(found->snapshot, *columns) : as_text(found->snapshot, *columns));
  return VerbOutcome::from(output.flush());
}

}  // namespace

const VerbSpec& schema_verb() {
  static const VerbSpec spec = {
      .name = "schema",
      .usage = "STORE /DATASET[/.versions/N]",
      .summary = "show columns and their types",
      .description = "Shows the columns of a dataset, of an older version when the path names one.",
      .options = {{"json", 0, OptionSpec::Kind::kSwitch, "", "print JSON"}},
      .args_min = 1,
      .args_max = 1,
      .run = run};
  return spec;
}

}  // namespace stela::fsd
