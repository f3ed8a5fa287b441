// Removing and renaming what is in a dataset.
#include "fsd/tree/column_draft.h"
#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/scratch_file.h"
#include "fsd/tree/special_names.h"
#include "fsd/tree/store_directory.h"
#include "fsd/tree/validity_target.h"

namespace stela::fsd {

namespace {
constexpr std::string_view kValidity = ".valid.npy";

std::string_view view_extension(std::string_view name) {
  std::optional<ViewName> view = split_view_name(name);
  return view.has_value() ? std::string_view(view->form->extension()) : std::string_view();
}
}  // namespace

Result<FoundView> DatasetDirectory::listed_column(std::string_view name, const char* act) {
  auto head = place_.snapshot(context_);
  if (!head.ok()) {
    if (head.status().code() == Code::kNotFound) return not_found(child_path(name) + " does not exist");
    return head.status();
  }
  STELA_ASSIGN(FoundView view, find_view(*head, name));
  const ViewForm& listed = listed_form(view.column.type);
  if (view.form == &listed || view_extension(name) == kValidity) return view;
  return Status(Code::kNotPermitted, child_path(name) + " is a view of a column: " + act + " " +
                                         encode_column_file_stem(view.column.name) + listed.extension() + " instead");
}

Status DatasetDirectory::remove_file(std::string_view name, const Caller& caller) {
  if (find_special_name(name) != nullptr) {
    // What was refused under the name may go.
    SideFileRef side = context_.side.remove(place_for(name));
    if (side != nullptr) side->removed();
    if (side != nullptr) return {};
    return {Code::kNotPermitted, child_path(name) + " belongs to the dataset and cannot be removed"};
  }
  auto found = listed_column(name, "remove");
  if (!found.ok()) {
    if (found.status().code() != Code::kNotFound) return found.status();
    SideFileRef side = context_.side.remove(place_for(name));
    if (side == nullptr) return not_found(child_path(name) + " does not exist");
    side->removed();
    return {};
  }
  // It goes with its column: recursive removal lists both.
  if (view_extension(name) == kValidity) {
    context_.validity.hide(place_for(name), context_.processes->thread_group(caller.pid));
    return {};
  }
  STELA_ASSIGN(Snapshot head, place_.snapshot(context_));
  auto nulls = column_has_nulls(context_, head, found->column);
  STELA_ASSIGN(Table table, context_.store.table(place_.dataset));
  STELA_ASSIGN(bool waiting, keep_validity_waiting(context_, head, found->column, caller));
  STELA_TRY(table.drop_column(found->column.name, context_.commit_info(caller)).status());
  context_.dropped_types.put(place_for(name), context_.processes->thread_group(caller.pid), found->column.type);
  // Nulls that were written before the values of a column that its schema had made.
  waiting = waiting || context_.side.find(validity_place(place_.dataset, found->column.name)) != nullptr;
  if (!waiting && nulls.ok() && *nulls && found->column.type.is_numpy()) {
    std::string ghost = encode_column_file_stem(found->column.name) + std::string(kValidity);
    STELA_ASSIGN(NodeInfo node, context_.store.node(place_.dataset));
    Attributes attributes{.inode = inode_of(place_for(ghost)), .mode = file_mode(node.attributes, true)};
    attributes.uid = node.attributes.uid;
    attributes.gid = node.attributes.gid;
    context_.side.put(place_for(ghost),
                      std::make_shared<GhostName>(context_, place_for(ghost), child_path(ghost), attributes),
                      context_.options.error_keep_ns);
  }
  context_.head_moved(place_.dataset);
  return {};
}

Result<Movable> DatasetDirectory::movable(std::string_view name, const Caller&) {
  if (find_special_name(name) != nullptr) {
    return Status(Code::kNotPermitted, child_path(name) + " belongs to the dataset and cannot be moved");
  }
  auto found = listed_column(name, "rename");
  if (found.ok()) {
    if (view_extension(name) == kValidity) {
      return invalid(child_path(name) + " goes with its column: rename that");
    }
    return Movable{Movable::Kind::kColumn, place_.dataset, std::string(name), nullptr};
  }
  if (found.status().code() != Code::kNotFound) return found.status();
  SideFileRef side = context_.side.find(place_for(name));
  if (side == nullptr) return not_found(child_path(name) + " does not exist");
  return Movable{Movable::Kind::kSideFile, place_.dataset, std::string(name), std::move(side)};
}

Status DatasetDirectory::move_in(const Movable& what, std::string_view new_name, bool keep_existing,
                                 const Caller& caller) {
  std::string name(new_name);
  if (what.kind == Movable::Kind::kNode) {
    STELA_ASSIGN(NodeInfo node, context_.store.node(place_.dataset));
    if (node.kind == NodeKind::kEmpty) return folder_.move_in(what, new_name, keep_existing, caller);
    return invalid(child_path(name) + ": a dataset holds columns only: move the directory beside it");
  }
  if (what.kind == Movable::Kind::kTag || what.home != place_.dataset) {
    return {Code::kCrossDataset, child_path(name) + ": columns are copied between datasets, not moved"};
  }
  if (const SpecialName* special = find_special_name(name)) {
    auto scratch = std::dynamic_pointer_cast<ScratchFileNode>(what.side);
    if (scratch == nullptr) {
      return {Code::kNotPermitted, child_path(name) + " belongs to the dataset and cannot be replaced"};
    }
    STELA_TRY(
        scratch->with_bytes([&](ByteSource& source) { return special->take(context_, place_, name, source, caller); }));
    context_.side.remove_if(scratch->error_place(), scratch.get());
    return {};
  }
  if (keep_existing) {
    STELA_ASSIGN(NodeRef column, lookup_column(name));
    if (column != nullptr || context_.side.find(place_for(name)) != nullptr) {
      return {Code::kExists, child_path(name) + " is there already"};
    }
  }
  if (what.kind == Movable::Kind::kColumn) return move_column_in(what, name, keep_existing, caller);
  return move_side_file_in(what, name, caller);
}

Status DatasetDirectory::move_column_in(const Movable& what, const std::string& new_name, bool keep_existing,
                                        const Caller& caller) {
  if (is_scratch_name(new_name)) {
    return invalid(child_path(new_name) + ": that is a temporary name, and a column keeps its values: choose another");
  }
  std::string_view extension = view_extension(what.name);
  if (view_extension(new_name) != extension) {
    return invalid(child_path(new_name) + ": a rename keeps the extension " + std::string(extension) +
                   "; to change the form copy the view with that extension");
  }
  if (what.name == new_name) return {};
  STELA_ASSIGN(std::string to, column_of(new_name));
  STELA_ASSIGN(FoundView from, listed_column(what.name, "rename"));
  STELA_ASSIGN(Table table, context_.store.table(place_.dataset));
  STELA_TRY(table.rename_column(from.column.name, to, !keep_existing, context_.commit_info(caller)).status());
  context_.side.remove(place_for(new_name));
  context_.side.remove(validity_place(place_.dataset, to));
  context_.head_moved(place_.dataset);
  return {};
}

Result<std::string> DatasetDirectory::column_of(std::string_view file_name) const {
  std::optional<ViewName> view = split_view_name(file_name);
  std::string column = view.has_value() ? decode_column_file_stem(view->stem) : std::string();
  if (column.empty()) return invalid(child_path(file_name) + ": a column needs a name before the extension");
  return column;
}

Status DatasetDirectory::move_side_file_in(const Movable& what, const std::string& new_name, const Caller& caller) {
  auto scratch = std::dynamic_pointer_cast<ScratchFileNode>(what.side);
  if (scratch == nullptr) {
    return {Code::kBusy, child_path(what.name) + " is not committed yet: close it before it is renamed"};
  }
  std::string old_place = scratch->error_place();
  bool commits = !is_scratch_name(new_name);
  if (commits) {
    STELA_TRY(check_column_name(new_name));
    STELA_ASSIGN(std::unique_ptr<DraftTarget> target, create_column_target(context_, place_.dataset, new_name, caller));
    STELA_ASSIGN(Node::Shown shown, scratch->attributes(true));
    auto committed = scratch->with_bytes([&](ByteSource& source) -> Result<std::optional<VersionInfo>> {
      if (source.size() == 0) return std::optional<VersionInfo>();
      return target->commit(source, true);
    });
    if (!committed.ok()) return committed.status();
    context_.side.remove_if(old_place, scratch.get());
    // Nulls that are what they were make no version, and are taken all the same.
    bool taken = committed->has_value() || (view_extension(new_name) == kValidity && shown.attributes.size > 0 &&
                                            listed_column(new_name, "write").ok());
    if (taken) {
      keep_column_time(context_, place_.dataset, new_name, shown.attributes.mtime_ns);
      context_.side.remove(place_for(new_name));
      context_.errors.clear(place_for(new_name));
      context_.head_moved(place_.dataset);
      return {};
    }
  }
  context_.side.remove_if(old_place, scratch.get());
  scratch->renamed(place_for(new_name), child_path(new_name));
  bool waits = scratch->size() > 0;  // nulls, for their column
  bool stays = !commits || waits;
  context_.side.put(place_for(new_name), scratch, stays ? SideFiles::kNoEnd : context_.options.error_keep_ns);
  return {};
}

}  // namespace stela::fsd
