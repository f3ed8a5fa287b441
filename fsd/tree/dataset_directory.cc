#include <fcntl.h>

#include "fsd/tree/column_draft.h"
#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/schema_draft.h"
#include "fsd/tree/scratch_file.h"
#include "fsd/tree/special_names.h"
#include "fsd/tree/store_directory.h"
#include "fsd/tree/validity_target.h"
#include "fsd/tree/view_file.h"

namespace stela::fsd {

std::string DatasetDirectory::place_for(std::string_view name) const {
  return place_of(node_identity(place_.dataset), name);
}
std::string DatasetDirectory::child_path(std::string_view name) const {
  return context_.path_of(place_.dataset) + "/" + std::string(name);
}
Status DatasetDirectory::refusal(std::string_view name) const {
  return {Code::kNotPermitted, child_path(name) + ": a dataset holds columns only"};
}

Result<NodeRef> DatasetDirectory::lookup_column(std::string_view name) { return head_column(context_, place_, name); }

// A text column is an .arrow, and its .npy cannot be: a program that opens that with O_CREAT makes it, by replacing the
// column by one of another type.
Result<NodeRef> DatasetDirectory::lookup_other_type(std::string_view name, const Status& failure,
                                                    const Caller& caller) {
  bool replaces = failure.code() == Code::kUnsupported && !is_validity_name(name) && check_column_name(name).ok();
  if (!replaces) return failure;
  bool begun = context_.side.find(place_for(name)) != nullptr;
  if (!begun && (context_.processes->open_flags(caller.pid).value_or(0) & O_CREAT) == 0) return failure;
  return NodeRef();
}

// A .valid.npy is there before it was ever written, and after it was removed. Programs that make a file which they know
// cannot be there (cp into a new directory, tar after it removed what was in its way) do not find it.
Result<bool> DatasetDirectory::hides_validity(const NodeRef& column, std::string_view name, const Caller& caller) {
  if (column == nullptr || !is_validity_name(name)) return false;
  std::string place = place_for(name);
  ValidityNames& names = context_.validity;
  if (names.may_be_hidden(place) && names.hidden_from(place, context_.processes->thread_group(caller.pid))) return true;
  STELA_ASSIGN(Snapshot head, place_.snapshot(context_));
  STELA_ASSIGN(bool nulls, column_has_nulls(context_, head, static_cast<const ColumnFile&>(*column).column()));
  if (caller.pid == 0) return false;
  // A column may have nulls without them, too: those that NaT stands for.
  bool follows =
      names.column_was_written(place) && names.column_written_by(place, context_.processes->thread_group(caller.pid));
  if (nulls && !follows) return false;
  constexpr uint64_t kExclusive = O_CREAT | O_EXCL;
  std::optional<uint64_t> flags = context_.processes->open_flags(caller.pid);
  return flags ? (*flags & kExclusive) == kExclusive : follows;
}

Result<NodeRef> DatasetDirectory::lookup(std::string_view name, const Caller& caller) {
  if (const SpecialName* special = find_special_name(name)) {
    STELA_ASSIGN(NodeRef node, special->open(context_, place_, name));
    bool draft = std::dynamic_pointer_cast<SchemaDraft>(node) != nullptr;
    if (!draft || !context_.fresh.wanted(place_for(name), caller)) return node;
    return NodeRef(std::make_shared<SchemaDraft>(context_, place_.dataset, caller));
  }
  Result<NodeRef> shown = lookup_column(name);
  if (!shown.ok()) shown = lookup_other_type(name, shown.status(), caller);
  STELA_ASSIGN(NodeRef column, std::move(shown));
  STELA_ASSIGN(bool hidden, hides_validity(column, name, caller));
  if (hidden) return not_found(child_path(name) + " is to be made anew");
  SideFileRef side = column == nullptr ? context_.side.find(place_for(name)) : nullptr;
  if (column == nullptr && side == nullptr) return not_found(child_path(name) + " does not exist");
  bool draft = column != nullptr || std::dynamic_pointer_cast<ColumnDraft>(side) != nullptr;
  if (draft && context_.fresh.wanted(place_for(name), caller)) {
    return NodeRef(std::make_shared<ColumnDraft>(context_, place_.dataset, std::string(name), column, caller));
  }
  return column != nullptr ? column : NodeRef(side);
}

Result<std::vector<DirectoryEntry>> DatasetDirectory::list() {
  std::vector<DirectoryEntry> entries;
  auto head = place_.snapshot(context_);
  if (head.ok()) {
    STELA_ASSIGN(entries, list_columns(context_, *head));
  } else if (head.status().code() != Code::kNotFound) {
    return head.status();
  }
  if (!context_.options.list_special) return entries;
  for (const SpecialName* special : all_special_names()) {
    for (DirectoryEntry& entry : special->listed(place_)) {
      // Files tell of a version.
      if (head.ok() || entry.type != FileType::kRegular) entries.push_back(std::move(entry));
    }
  }
  return entries;
}

Result<NodeRef> DatasetDirectory::make_directory(std::string_view name, uint32_t mode, const Caller& caller) {
  if (const SpecialName* special = find_special_name(name)) return special->refuse_creation(child_path(name));
  STELA_ASSIGN(NodeInfo node, context_.store.node(place_.dataset));
  if (node.kind == NodeKind::kEmpty) return folder_.make_directory(name, mode, caller);
  return invalid(child_path(name) + ": " + context_.path_of(place_.dataset) +
                 " is a dataset and holds columns only: make the directory beside it");
}

Status DatasetDirectory::remove_directory(std::string_view name, const Caller&) {
  if (find_special_name(name) != nullptr) {
    return {Code::kNotPermitted, child_path(name) + " belongs to the dataset and cannot be removed"};
  }
  STELA_ASSIGN(NodeRef column, lookup_column(name));
  if (column != nullptr || context_.side.find(place_for(name)) != nullptr) {
    return {Code::kNotDirectory, child_path(name) + " is not a directory"};
  }
  return not_found(child_path(name) + " does not exist");
}

// Ok when a file of that name may become a column.
Status DatasetDirectory::check_column_name(std::string_view name) const {
  std::optional<ViewName> view = split_view_name(name);
  std::string_view extension = view.has_value() ? std::string_view(view->form->extension()) : std::string_view();
  if (extension == ".valid.npy") return {};
  if (!extension.empty() && find_column_format(extension) != nullptr) return {};
  size_t dot = name.rfind('.');
  std::string_view last = dot == std::string_view::npos ? std::string_view() : name.substr(dot);
  bool rows = !extension.empty() ||
              (!last.empty() && (find_row_format(last) != nullptr || unsupported_row_format(last).has_value()));
  if (rows) {
    return invalid(child_path(name) + ": files beside the columns are columns (.npy, .arrow); to add rows copy it to " +
                   child_path(".append/") + ", or " + std::string(last) + " to .npy or .arrow to make a column");
  }
  return invalid(child_path(name) + ": a file here is a column and ends in .npy or .arrow");
}

Result<Created> DatasetDirectory::create_file(std::string_view name, uint32_t mode, uint32_t flags,
                                              const Caller& caller) {
  std::string text(name);
  if (const SpecialName* special = find_special_name(name)) {
    return special->create(context_, place_, name, flags, caller);
  }
  if (is_scratch_name(name)) {
    STELA_ASSIGN(auto scratch,
                 ScratchFileNode::create(context_, place_.dataset, place_for(name), child_path(name), mode, caller));
    STELA_ASSIGN(std::unique_ptr<OpenFile> file, scratch->open(flags, caller));
    context_.side.put(place_for(name), scratch);
    return Created{scratch, std::move(file)};
  }
  STELA_TRY(check_column_name(name));
  context_.validity.show(place_for(name));
  Result<NodeRef> shown = lookup_column(name);
  if (shown.status().code() == Code::kUnsupported && !is_validity_name(name)) shown = NodeRef();
  STELA_ASSIGN(NodeRef over, std::move(shown));
  auto draft = std::make_shared<ColumnDraft>(context_, place_.dataset, text, over, caller);
  STELA_ASSIGN(std::unique_ptr<OpenFile> file, draft->open(flags | O_WRONLY | O_TRUNC, caller));
  if (over == nullptr) context_.side.put(place_for(name), draft);
  return Created{draft, std::move(file)};
}

}  // namespace stela::fsd
