// The table's own files among the special names: .schema.json, .stats.json, .commit.json, .table.csv.
#include "fsd/tree/context.h"
#include "fsd/tree/special_names.h"
#include "fsd/tree/view_file.h"

namespace stela::fsd {
namespace {

class TableFiles : public SpecialName {
 public:
  bool matches(std::string_view name) const override { return find_table_form(name) != nullptr; }
  Result<NodeRef> open(TreeContext& context, const DatasetPlace& place, std::string_view name) const override {
    STELA_ASSIGN(Snapshot at, place.snapshot(context));
    return NodeRef(std::make_shared<TableFile>(context, place, at.version().number, *find_table_form(name)));
  }
  Status refuse_creation(const std::string& path) const override {
    if (path.ends_with("/.schema.json")) {
      return unsupported(path +
                         ": stating the types beforehand is not supported yet; they follow from the first "
                         "rows, or from the columns written");
    }
    return {Code::kNotPermitted, path + " is computed from the dataset and cannot be written"};
  }
  std::vector<DirectoryEntry> listed(const DatasetPlace&) const override {
    std::vector<DirectoryEntry> entries;
    for (const TableForm* form : all_table_forms()) entries.push_back({.name = form->name()});
    return entries;
  }
};

}  // namespace

const SpecialName& table_files_name() {
  static const TableFiles names;
  return names;
}

}  // namespace stela::fsd
