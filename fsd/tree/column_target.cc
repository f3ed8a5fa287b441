#include "fsd/ingest/row_sink.h"
#include "fsd/ingest/validity.h"
#include "fsd/tree/column_draft.h"
#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/json_text.h"
#include "fsd/tree/validity_target.h"

namespace stela::fsd {

Result<ColumnBase> column_base(TreeContext& context, NodeId dataset, const std::string& column) {
  STELA_ASSIGN(Table table, context.store.table(dataset));
  ColumnBase base;
  auto head = table.head();
  if (!head.ok()) {
    if (head.status().code() == Code::kNotFound) return base;
    return head.status();
  }
  base.version = head->version().number;
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

Result<bool> lacks_values(TreeContext& context, NodeId dataset, const ColumnInfo& column) {
  STELA_ASSIGN(Table table, context.store.table(dataset));
  STELA_ASSIGN(VersionInfo first, table.version(VersionNumber{1}));
  if (first.rows > 0) return false;
  STELA_ASSIGN(Snapshot head, table.head());
  STELA_ASSIGN(ColumnTotals totals, head.totals(column));
  return totals.nulls == totals.rows;
}

ColumnTarget::ColumnTarget(TreeContext& context, NodeId dataset, const ColumnFormat& format, std::string file_name,
                           std::string column, ColumnBase base, CommitInfo info, uint32_t process)
    : context_(context),
      dataset_(dataset),
      format_(format),
      file_name_(std::move(file_name)),
      column_(std::move(column)),
      base_(std::move(base)),
      info_(std::move(info)),
      process_(process),
      keeps_nulls_(base_.column.has_value() &&
                   context.validity.written_by(validity_place(dataset, column_), process, base_.column->id)) {}

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
                                                        std::move(base), context.commit_info(caller),
                                                        context.processes->thread_group(caller.pid)));
}

Status lost_race(const Table& table, const std::string& file_name) {
  auto latest = table.latest();
  if (!latest.ok()) return latest.status();
  std::string by;
  auto version = table.version(*latest);
  if (version.ok()) {
    by = ": version " + std::to_string(version->number.value) + " (" + version->operation + ") was committed at " +
         utc_text(version->time_ns) + " by " + version->author;
  }
  return {Code::kConflict,
          file_name + ": another commit came first" + by + "; look at what it did and write the column again"};
}

Status ColumnTarget::check_first(const ColumnBase& now, const Table& table) const {
  bool same = now.column.has_value() == base_.column.has_value();
  if (same && now.column.has_value())
    same = now.column->id == base_.column->id && now.column->change == base_.column->change;
  return same ? Status() : lost_race(table, file_name_);
}

// The nulls of the column that is replaced stay.
Result<std::optional<VersionInfo>> ColumnTarget::write_with_nulls(ByteSource& source, const Table& table) const {
  STELA_ASSIGN(Snapshot head, table.head());
  std::string name = encode_column_file_stem(column_) + ".valid.npy";
  std::unique_ptr<ValiditySource> validity = validity_of_column(head, *base_.column, std::move(name));
  std::unique_ptr<ColumnSink> sink = table_column_sink(table, base_.version);
  return format_.commit(source, file_name_, *validity_sink(*sink, *validity), column_, true, info_);
}

// A new column, or one without values; its nulls may have been written before it.
Result<std::optional<VersionInfo>> ColumnTarget::write_with_waiting(ByteSource& source, const Table& table,
                                                                    bool replace) const {
  std::unique_ptr<ColumnSink> sink = table_column_sink(table, base_.version, dropped_type());
  std::string place = validity_place(dataset_, column_);
  auto waiting = std::dynamic_pointer_cast<ScratchFileNode>(context_.side.find(place));
  if (waiting == nullptr || waiting->size() == 0) {
    return format_.commit(source, file_name_, *sink, column_, replace, info_);
  }
  auto version = waiting->with_bytes([&](ByteSource& truths) -> Result<std::optional<VersionInfo>> {
    std::string name = encode_column_file_stem(column_) + ".valid.npy";
    auto validity = validity_of_npy(truths, name);
    if (!validity.ok()) return validity.status().with_context(file_name_ + ": the nulls that wait for it in " + name);
    return format_.commit(source, file_name_, *validity_sink(*sink, **validity), column_, replace, info_);
  });
  if (!version.ok() || !version->has_value()) return version;
  STELA_ASSIGN(Node::Shown shown, waiting->attributes(true));
  context_.side.remove_if(place, waiting.get());
  keep_column_time(context_, dataset_, encode_column_file_stem(column_) + ".valid.npy", shown.attributes.mtime_ns);
  return version;
}

std::optional<DataType> ColumnTarget::dropped_type() const {
  return context_.dropped_types.find(place_of(node_identity(dataset_), file_name_), process_);
}

bool ColumnTarget::may_stream() const { return std::string_view(format_.extension()) == ".npy"; }

std::shared_ptr<SpoolStream> ColumnTarget::stream(ByteSpan head) {
  auto table = context_.store.table(dataset_);
  if (!table.ok() || nulls_come_from_elsewhere()) return nullptr;
  if (auto type = dropped_type(); type && (type->kind == TypeKind::kTime || !type->zone.empty())) return nullptr;
  auto started = ColumnStream::start(*table, column_, base_.column, base_.version, head);
  stream_ = started;
  return started;
}

bool ColumnTarget::has_waiting_nulls() const {
  if (context_.side.find(validity_place(dataset_, column_)) == nullptr) return false;
  if (!base_.column.has_value()) return true;
  Result<bool> lacks = lacks_values(context_, dataset_, *base_.column);
  return lacks.ok() && *lacks;
}

bool ColumnTarget::nulls_come_from_elsewhere() const { return keeps_nulls_ || has_waiting_nulls(); }

// What was streamed needs its head and its name only. nullopt: the file has to be taken in as any other.
Result<std::optional<VersionInfo>> ColumnTarget::write_streamed(bool replace) const {
  auto stream = stream_.lock();
  std::optional<VersionInfo> none;
  if (stream == nullptr || !stream->is_complete() || nulls_come_from_elsewhere()) return none;
  STELA_ASSIGN(ColumnBase now, column_base(context_, dataset_, column_));
  if (replace != base_.column.has_value() || (now.rows > 0 && now.rows != stream->rows())) return none;
  auto version = stream->commit(info_);
  Code code = version.status().code();
  if (code == Code::kConflict || code == Code::kInvalid || code == Code::kExists) return none;
  if (!version.ok()) return version.status();
  return std::optional<VersionInfo>(std::move(version).value());
}

Result<std::optional<VersionInfo>> ColumnTarget::write(ByteSource& source, const Table& table, bool replace) const {
  STELA_ASSIGN(auto streamed, write_streamed(replace));
  if (streamed.has_value()) return streamed;
  if (!replace || has_waiting_nulls()) return write_with_waiting(source, table, replace);
  if (keeps_nulls_) return write_with_nulls(source, table);
  return format_.commit(source, file_name_, *table_column_sink(table, base_.version), column_, true, info_);
}

Result<std::optional<VersionInfo>> ColumnTarget::commit(ByteSource& source, bool) {
  STELA_ASSIGN(Table table, context_.store.table(dataset_));
  STELA_ASSIGN(ColumnBase now, column_base(context_, dataset_, column_));
  STELA_TRY(check_first(now, table));
  auto version = write(source, table, now.column.has_value());
  if (!version.ok()) {
    // A length that was right when the file was begun lost against the rows appended since.
    bool rows_moved = now.rows_changed != base_.rows_changed;
    Code code = version.status().code();
    if (code == Code::kConflict || code == Code::kExists || (code == Code::kInvalid && rows_moved)) {
      return lost_race(table, file_name_);
    }
    return version.status();
  }
  if (version->has_value()) {
    context_.validity.column_written(validity_place(dataset_, column_), process_);
    STELA_ASSIGN(base_, column_base(context_, dataset_, column_));
  }
  return version;
}

}  // namespace stela::fsd
