#include "fsd/tree/validity_target.h"

#include <algorithm>
#include <functional>

#include "fsd/ingest/validity.h"
#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"

namespace stela::fsd {

namespace {
constexpr std::string_view kNullsExtension = ".valid.npy";
constexpr size_t kCopyBytes = 1 << 20;

// Scratch of those bytes under the name.
Status put_waiting(TreeContext& context, NodeId dataset, const std::string& column, const Caller& caller, uint64_t size,
                   const std::function<Status(uint64_t at, MutableByteSpan into)>& read) {
  std::string place = validity_place(dataset, column);
  std::string path = context.path_of(dataset) + "/" + encode_column_file_stem(column) + std::string(kNullsExtension);
  STELA_ASSIGN(std::shared_ptr<ScratchFileNode> scratch,
               ScratchFileNode::create(context, dataset, place, path, 0644, caller));
  Buffer bytes;
  for (uint64_t at = 0; at < size; at += bytes.size()) {
    bytes.resize(std::min<uint64_t>(kCopyBytes, size - at));
    STELA_TRY(read(at, bytes.span()));
    STELA_TRY(scratch->write(at, bytes.span()));
  }
  context.side.put(place, std::move(scratch));
  return {};
}
}  // namespace

bool is_validity_name(std::string_view file_name) {
  std::optional<ViewName> name = split_view_name(file_name);
  return name.has_value() && name->form->extension() == kNullsExtension;
}

std::string validity_place(NodeId dataset, std::string_view column) {
  return place_of(node_identity(dataset), encode_column_file_stem(column) + std::string(kNullsExtension));
}

ValidityTarget::ValidityTarget(TreeContext& context, NodeId dataset, std::string file_name, std::string column,
                               ColumnBase base, const Caller& caller)
    : context_(context),
      dataset_(dataset),
      file_name_(std::move(file_name)),
      column_(std::move(column)),
      base_(std::move(base)),
      caller_(caller),
      process_(context.processes->thread_group(caller.pid)),
      info_(context.commit_info(caller)) {}

Result<std::unique_ptr<ValidityTarget>> ValidityTarget::create(TreeContext& context, NodeId dataset,
                                                               const std::string& file_name, const Caller& caller) {
  std::optional<ViewName> name = split_view_name(file_name);
  std::string column = name.has_value() ? decode_column_file_stem(name->stem) : std::string();
  if (column.empty()) return invalid(file_name + ": a column needs a name before the extension");
  STELA_ASSIGN(ColumnBase base, column_base(context, dataset, column));
  return std::unique_ptr<ValidityTarget>(
      new ValidityTarget(context, dataset, file_name, std::move(column), std::move(base), caller));
}

// The bytes become scratch under the name.
Status ValidityTarget::wait(ByteSource& source) const {
  auto parsed = validity_of_npy(source, file_name_);
  if (!parsed.ok()) return parsed.status().with_context(file_name_);
  return put_waiting(context_, dataset_, column_, caller_, source.size(),
                     [&](uint64_t at, MutableByteSpan into) { return source.read(at, into); });
}

Result<std::optional<VersionInfo>> ValidityTarget::change(ByteSource& source, const Table& table,
                                                          const ColumnBase& now) {
  bool same =
      !base_.column.has_value() || (base_.column->id == now.column->id && base_.column->change == now.column->change);
  if (!same) return lost_race(table, file_name_);
  auto version = commit_validity(source, file_name_, table, column_, info_);
  if (!version.ok()) {
    Code code = version.status().code();
    bool rows_moved = base_.column.has_value() && now.rows_changed != base_.rows_changed;
    if (code == Code::kConflict || (code == Code::kInvalid && rows_moved)) return lost_race(table, file_name_);
    return version.status();
  }
  STELA_ASSIGN(base_, column_base(context_, dataset_, column_));
  if (!base_.column.has_value()) return version;
  std::string place = validity_place(dataset_, column_);
  context_.validity.show(place);
  context_.validity.written(place, process_, base_.column->id);
  // The values are what they were, and so is their time.
  STELA_ASSIGN(std::optional<int64_t> mtime_ns,
               context_.times.find(dataset_, now.column->id, now.column->change.value));
  if (version->has_value() && mtime_ns.has_value()) {
    context_.times.set(dataset_, base_.column->id, base_.column->change.value, *mtime_ns);
  }
  return version;
}

Result<bool> ValidityTarget::is_early(const ColumnBase& now) const {
  if (!now.column.has_value()) return true;
  return lacks_values(context_, dataset_, *now.column);
}

Result<std::optional<VersionInfo>> ValidityTarget::commit(ByteSource& source, bool) {
  STELA_ASSIGN(Table table, context_.store.table(dataset_));
  STELA_ASSIGN(ColumnBase now, column_base(context_, dataset_, column_));
  STELA_ASSIGN(bool early, is_early(now));
  if (!early) return change(source, table, now);
  if (base_.column.has_value() && !now.column.has_value()) return lost_race(table, file_name_);
  if (source.size() == 0) return std::optional<VersionInfo>();
  STELA_TRY(wait(source));
  // A column committed just before that has not seen it.
  STELA_ASSIGN(now, column_base(context_, dataset_, column_));
  STELA_ASSIGN(early, is_early(now));
  if (early) return std::optional<VersionInfo>();
  context_.side.remove(validity_place(dataset_, column_));
  return change(source, table, now);
}

Result<bool> keep_validity_waiting(TreeContext& context, const Snapshot& head, const ColumnInfo& column,
                                   const Caller& caller) {
  std::string place = validity_place(head.dataset(), column.name);
  if (!context.validity.written_by(place, context.processes->thread_group(caller.pid), column.id)) return false;
  STELA_ASSIGN(std::unique_ptr<View> view, find_view_form(kNullsExtension)->open(head, column, std::nullopt));
  STELA_ASSIGN(uint64_t size, view->size());
  STELA_TRY(put_waiting(context, head.dataset(), column.name, caller, size,
                        [&](uint64_t at, MutableByteSpan into) { return view->read(at, into).status(); }));
  return true;
}

Result<std::unique_ptr<DraftTarget>> create_column_target(TreeContext& context, NodeId dataset,
                                                          const std::string& file_name, const Caller& caller) {
  if (is_validity_name(file_name)) {
    STELA_ASSIGN(auto target, ValidityTarget::create(context, dataset, file_name, caller));
    return std::unique_ptr<DraftTarget>(std::move(target));
  }
  STELA_ASSIGN(auto target, ColumnTarget::create(context, dataset, file_name, caller));
  return std::unique_ptr<DraftTarget>(std::move(target));
}

void keep_column_time(TreeContext& context, NodeId dataset, const std::string& file_name, int64_t mtime_ns) {
  std::optional<ViewName> name = split_view_name(file_name);
  if (!name.has_value()) return;
  auto base = column_base(context, dataset, decode_column_file_stem(name->stem));
  if (!base.ok() || !base->column.has_value()) return;
  ContentPart part = is_validity_name(file_name) ? ContentPart::kValidity : ContentPart::kValues;
  context.times.set(dataset, base->column->id, base->column->change.value, mtime_ns, part);
}

}  // namespace stela::fsd
