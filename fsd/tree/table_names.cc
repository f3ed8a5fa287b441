// The table's own files among the special names: .schema.json, .stats.json, .commit.json, .table.csv.
#include <fcntl.h>

#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/schema_draft.h"
#include "fsd/tree/special_names.h"
#include "fsd/tree/view_file.h"

namespace stela::fsd {
namespace {

constexpr std::string_view kSchemaName = ".schema.json";

class TableFiles : public SpecialName {
 public:
  bool matches(std::string_view name) const override { return find_table_form(name) != nullptr; }
  Result<NodeRef> open(TreeContext& context, const DatasetPlace& place, std::string_view name) const override {
    Result<Snapshot> at = place.snapshot(context);
    if (!at.ok() && at.status().code() == Code::kNotFound && name == kSchemaName) {
      NodeRef draft = find_draft(context, place);
      if (draft != nullptr) return draft;
    }
    if (!at.ok()) return at.status();
    return NodeRef(std::make_shared<TableFile>(context, place, at->version().number, *find_table_form(name)));
  }
  Result<Created> create(TreeContext& context, const DatasetPlace& place, std::string_view name, uint32_t flags,
                         const Caller& caller) const override {
    STELA_TRY(check_may_state(context, place, name));
    auto draft = std::make_shared<SchemaDraft>(context, place.dataset, caller);
    STELA_ASSIGN(std::unique_ptr<OpenFile> file, draft->open(flags | O_WRONLY, caller));
    context.side.put(draft->error_place(), draft);
    return Created{draft, std::move(file)};
  }
  Status take(TreeContext& context, const DatasetPlace& place, std::string_view name, ByteSource& source,
              const Caller& caller) const override {
    STELA_TRY(check_may_state(context, place, name));
    STELA_TRY(create_schema_target(context, place.dataset, caller)->commit(source, true).status());
    context.side.remove(schema_place(place));
    context.head_moved(place.dataset);
    return {};
  }
  Status refuse_creation(const std::string& path) const override {
    return {Code::kNotPermitted, path + " is computed from the dataset and cannot be written"};
  }
  std::vector<DirectoryEntry> listed(const DatasetPlace& place) const override {
    std::vector<DirectoryEntry> entries;
    for (const TableForm* form : all_table_forms()) {
      entries.push_back({.name = form->name(), .inode = inode_of(place_of(node_identity(place.dataset), form->name()))});
    }
    return entries;
  }

 private:
  static std::string schema_place(const DatasetPlace& place) {
    return place_of(node_identity(place.dataset), kSchemaName);
  }
  // Of a dataset without a version: what is being written, or was refused.
  static NodeRef find_draft(TreeContext& context, const DatasetPlace& place) {
    return context.side.find(schema_place(place));
  }
  // Types are stated at the head of a dataset without any.
  Status check_may_state(TreeContext& context, const DatasetPlace& place, std::string_view name) const {
    std::string path = place.path(context) + "/" + std::string(name);
    if (name != kSchemaName || !place.head()) return refuse_creation(path);
    STELA_ASSIGN(Table table, context.store.table(place.dataset));
    STELA_ASSIGN(VersionNumber newest, table.latest());
    if (newest.value == 0) return {};
    return {Code::kNotPermitted,
            path + ": the dataset has its types already; they are stated for an empty dataset only"};
  }
};

}  // namespace

const SpecialName& table_files_name() {
  static const TableFiles names;
  return names;
}

}  // namespace stela::fsd
