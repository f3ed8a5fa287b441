#include "fsd/tree/column_draft.h"
#include "fsd/tree/context.h"
#include "fsd/tree/json_text.h"

namespace stela::fsd {

Result<ColumnBase> column_base(TreeContext& context, NodeId dataset, const std::string& column) {
  STELA_ASSIGN(Table table, context.store.table(dataset));
  ColumnBase base;
  auto head = table.head();
  if (!head.ok()) {
    if (head.status().code() == Code::kNotFound) return base;
    return head.status();
  }
  base.rows = head->rows();
  base.rows_changed = head->version().rows_changed;
  auto found = head->column(column);
  if (found.ok()) {
    base.column = std::move(*found);
  } else if (found.status().code() != Code::kNotFound) {
    return found.status();
  }
  return base;
}

ColumnTarget::ColumnTarget(TreeContext& context, NodeId dataset, const ColumnFormat& format, std::string file_name,
                           std::string column, ColumnBase base, CommitInfo info)
    : context_(context),
      dataset_(dataset),
      format_(format),
      file_name_(std::move(file_name)),
      column_(std::move(column)),
      base_(std::move(base)),
      info_(std::move(info)) {}

Result<std::unique_ptr<ColumnTarget>> ColumnTarget::create(TreeContext& context, NodeId dataset,
                                                           const std::string& file_name, const Caller& caller) {
  std::optional<ViewName> name = split_view_name(file_name);
  const ColumnFormat* format = name.has_value() ? find_column_format(name->form->extension()) : nullptr;
  if (format == nullptr) {
    return invalid(file_name + ": a column is written as .npy or .arrow; rows of other files go through .append/");
  }
  std::string column = decode_column_file_stem(name->stem);
  if (column.empty()) return invalid(file_name + ": a column needs a name before the extension");
  STELA_ASSIGN(ColumnBase base, column_base(context, dataset, column));
  return std::unique_ptr<ColumnTarget>(new ColumnTarget(context, dataset, *format, file_name, std::move(column),
                                                        std::move(base), context.commit_info(caller)));
}

// The sentence of a lost race: which commit, when, by whom.
Status ColumnTarget::lost_race(const Table& table) const {
  auto latest = table.latest();
  if (!latest.ok()) return latest.status();
  std::string by;
  auto version = table.version(*latest);
  if (version.ok()) {
    by = ": version " + std::to_string(version->number.value) + " (" + version->operation + ") was committed at " +
         utc_text(version->time_ns) + " by " + version->author;
  }
  return {Code::kConflict,
          file_name_ + ": another commit came first" + by + "; look at what it did and write the column again"};
}

Status ColumnTarget::check_first(const ColumnBase& now, const Table& table) const {
  bool same = now.column.has_value() == base_.column.has_value();
  if (same && now.column.has_value())
    same = now.column->id == base_.column->id && now.column->change == base_.column->change;
  return same ? Status() : lost_race(table);
}

Result<std::optional<VersionInfo>> ColumnTarget::commit(ByteSource& source, bool) {
  STELA_ASSIGN(Table table, context_.store.table(dataset_));
  STELA_ASSIGN(ColumnBase now, column_base(context_, dataset_, column_));
  STELA_TRY(check_first(now, table));
  auto version = format_.commit(source, file_name_, table, column_, now.column.has_value(), info_);
  if (!version.ok()) {
    // A length that was right when the file was begun lost against the rows appended since.
    bool rows_moved = now.rows_changed != base_.rows_changed;
    Code code = version.status().code();
    if (code == Code::kConflict || code == Code::kExists || (code == Code::kInvalid && rows_moved)) {
      return lost_race(table);
    }
    return version.status();
  }
  if (version->has_value()) {
    STELA_ASSIGN(base_, column_base(context_, dataset_, column_));
  }
  return version;
}

}  // namespace stela::fsd
