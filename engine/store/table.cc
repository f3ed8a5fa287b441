#include "engine/store/appender.h"
#include "engine/store/names.h"
#include "engine/store/restore.h"
#include "engine/store/snapshot_impl.h"
#include "engine/store/store_impl.h"
#include "engine/store/update_writer.h"

namespace stela {

using store::Builder;
using store::Privilege;

Result<Snapshot> Table::head() const { return at(VersionNumber{0}); }

Result<Snapshot> Table::at(VersionNumber version) const {
  STELA_ASSIGN(auto impl, store_->snapshot(id_, version));
  return Snapshot(std::move(impl));
}

Result<VersionNumber> Table::latest() const {
  store::ReadView view = store_->view();
  Builder reader(view);
  STELA_ASSIGN(auto entry, reader.latest_version(id_));
  return entry ? entry->info.number : VersionNumber{0};
}

Result<VersionInfo> Table::version(VersionNumber number) const {
  store::ReadView view = store_->view();
  STELA_ASSIGN(store::VersionEntry entry, store_->version_entry(view, id_, number));
  return entry.info;
}

Result<VersionInfo> Table::append(const Batch& batch, const CommitInfo& info) const {
  STELA_ASSIGN(auto rows, appender());
  STELA_TRY(rows->append(batch));
  return rows->commit(info);
}

Result<std::unique_ptr<Appender>> Table::appender(std::vector<Field> schema) const {
  return store::make_appender(*store_, id_, std::move(schema));
}

Result<std::unique_ptr<ColumnWriter>> Table::column_writer(Field field, bool replace,
                                                           std::optional<VersionNumber> base) const {
  return store::make_column_writer(*store_, id_, std::move(field), replace, base);
}

Result<std::unique_ptr<UpdateWriter>> Table::update_writer(std::string_view column, const UpdateBase& base) const {
  STELA_ASSIGN(Snapshot at_base, at(base.version));
  STELA_ASSIGN(ColumnInfo named, at_base.column(column));
  UpdateBase exact = base;
  exact.version = at_base.version().number;
  return store::make_update_writer(*store_, id_, named.id, exact);
}

Result<std::unique_ptr<UpdateWriter>> Table::update_writer(ColumnId column, const UpdateBase& base) const {
  return store::make_update_writer(*store_, id_, column, base);
}

Result<std::optional<VersionInfo>> Table::update(std::string_view column, std::span<const uint64_t> rows,
                                                 const ColumnView& values, const CommitInfo& info) const {
  STELA_ASSIGN(auto writer, update_writer(column));
  STELA_TRY(writer->write(rows, values));
  return writer->commit(info);
}

Result<std::optional<VersionInfo>> Table::restore(VersionNumber to, const CommitInfo& info) const {
  if (to.value == 0) return not_found("there is no version 0");
  return store::restore_version(*store_, id_, to, info);
}

namespace {

using SchemaChange = std::function<Status(Builder&, VersionInfo*)>;

// `names`: those it changes, which in a transaction must be as they were at its beginning.
Result<VersionInfo> commit_schema(StoreImpl& impl, NodeId dataset, Privilege privilege, std::vector<std::string> names,
                                  SchemaChange change) {
  VersionInfo version;
  store::Branch* branch = impl.branch();
  if (branch == nullptr) {
    STELA_TRY(impl.commit(privilege, [&](Builder& builder) { return change(builder, &version); }).status());
    return version;
  }
  auto build = [dataset, names = std::move(names), change = std::move(change), base = branch->base()](
                   Builder& builder, VersionInfo* made) -> Status {
    for (const std::string& name : names) STELA_TRY(store::check_name_unchanged(builder, dataset, name, base));
    return change(builder, made);
  };
  STELA_TRY(branch->stage({dataset, std::move(build), {}, {}}, &version));
  return version;
}

}  // namespace

Result<VersionInfo> Table::drop_column(std::string_view name, const CommitInfo& info) const {
  return commit_schema(*store_, id_, Privilege::kRemoval, {std::string(name)},
                       [id = id_, name = std::string(name), info](Builder& builder, VersionInfo* version) {
                         return store::build_drop_column(builder, id, name, info, version);
                       });
}

Result<VersionInfo> Table::rename_column(std::string_view from, std::string_view to, bool replace,
                                         const CommitInfo& info) const {
  return commit_schema(*store_, id_, Privilege::kOrdinary, {std::string(from), std::string(to)},
                       [id = id_, from = std::string(from), to = std::string(to), replace, info](Builder& builder,
                                                                                                 VersionInfo* version) {
                         return store::build_rename_column(builder, id, from, to, replace, info, version);
                       });
}

Result<VersionInfo> Table::set_schema(const std::vector<Field>& fields, const CommitInfo& info) const {
  STELA_ASSIGN(VersionNumber newest, latest());
  if (newest.value != 0) return invalid("the dataset has a schema already; it can be stated for an empty one only");
  STELA_ASSIGN(auto rows, appender(fields));
  return rows->commit(info);
}

}  // namespace stela
