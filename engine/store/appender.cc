#include "engine/store/appender.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "engine/base/canary.h"
#include "engine/store/snapshot_impl.h"

namespace stela::store {

namespace {

struct Target {
  std::string name;
  DataType type;
  bool nullable = true;
  ColumnId id;
  GroupId group;
};

class AppenderImpl final : public Appender {
 public:
  AppenderImpl(StoreImpl& store, NodeId dataset, std::vector<Field> schema)
      : store_(store), core_(store.core()), dataset_(dataset), schema_(std::move(schema)) {}

  Status append(const Batch& batch) override;
  uint64_t rows() const override { return rows_; }
  Result<VersionInfo> commit(const CommitInfo& info) override;

 private:
  Status resolve(const Batch* batch);
  Status establish(const std::vector<Field>& fields, const NodeEntry& node);
  Status arrange(const Batch& batch, std::vector<ColumnData>& nulls, std::vector<ColumnView>& views) const;
  Status spill();
  Status build(Builder& builder, const CommitInfo& info, VersionInfo* version) const;
  Status build_first_schema(Builder& builder, DatasetHead& head) const;
  Result<std::vector<GroupId>> groups_now(const Builder& builder, std::vector<Target>* targets,
                                          std::vector<std::pair<ColumnId, ColumnEntry>>* added) const;
  Status follow(const Builder& builder, ColumnId now, Sequence birth, Target* target) const;
  void add_inline_rows(Builder& builder, uint64_t first_row, const std::vector<Target>& targets,
                       const std::vector<std::pair<ColumnId, ColumnEntry>>& added) const;
  Status resolve_again();
  Result<VersionInfo> stage(Branch& branch, const CommitInfo& info);
  void reset();

  StoreImpl& store_;
  Core& core_;
  const NodeId dataset_;
  std::vector<Field> schema_;

  bool resolved_ = false;
  bool establishes_ = false;  // the dataset had no columns: these will be its schema
  Sequence schema_birth_;
  std::vector<Target> targets_;
  uint64_t rows_ = 0;
  uint64_t buffered_bytes_ = 0;
  std::vector<ColumnData> buffered_;
  std::unique_ptr<PreparedFragment> fragment_;
  bool fragment_finished_ = false;
};

Status AppenderImpl::establish(const std::vector<Field>& fields, const NodeEntry& node) {
  establishes_ = true;
  std::set<std::string_view> names;
  auto [next_column, group] = core_.column_ids.reserve(dataset_, node.next_column, node.next_group, fields.size());
  uint64_t next = next_column.value;
  for (const Field& field : fields) {
    STELA_TRY(check_column_name(field.name));
    STELA_TRY(field.type.validate());
    if (!names.insert(field.name).second) return invalid("the column '" + field.name + "' is there twice");
    targets_.push_back({field.name, field.type, field.nullable, ColumnId{next++}, group});
  }
  if (targets_.empty()) return invalid("rows without columns cannot be appended");
  return {};
}

Status AppenderImpl::resolve(const Batch* batch) {
  ReadView view = store_.view();
  Builder reader(view);
  STELA_ASSIGN(DatasetHead head, read_head(reader, dataset_));
  STELA_ASSIGN(auto columns, reader.columns(dataset_));
  targets_.clear();
  establishes_ = false;
  schema_birth_ = head.schema_birth;
  if (columns.empty()) {
    std::vector<Field> fields = schema_;
    if (fields.empty() && batch != nullptr) {
      for (size_t i = 0; i < batch->names.size(); ++i)
        fields.push_back({batch->names[i], batch->columns[i].type(), true});
    }
    STELA_TRY(establish(fields, head.node));
  }
  for (auto& [id, entry] : columns) targets_.push_back({entry.name, entry.type, entry.nullable, id, entry.group});
  std::unordered_map<std::string_view, const DataType*> types;
  for (const Target& target : targets_) types.emplace(target.name, &target.type);
  for (const Field& field : schema_) {
    auto named = types.find(field.name);
    if (named == types.end() || !(*named->second == field.type)) {
      return invalid("the dataset has no column '" + field.name + "' of type " + field.type.name());
    }
  }
  buffered_.clear();
  for (const Target& target : targets_) buffered_.emplace_back(target.type);
  resolved_ = true;
  return {};
}

Status AppenderImpl::arrange(const Batch& batch, std::vector<ColumnData>& nulls, std::vector<ColumnView>& views) const {
  uint64_t rows = batch.rows();
  std::unordered_map<std::string_view, size_t> given;
  for (size_t i = 0; i < batch.columns.size(); ++i) {
    if (batch.columns[i].rows() != rows) {
      return invalid("column '" + batch.names[i] + "' has " + std::to_string(batch.columns[i].rows()) +
                     " rows, the others " + std::to_string(rows));
    }
    if (!given.emplace(batch.names[i], i).second) return invalid("the column '" + batch.names[i] + "' is there twice");
  }
  nulls.reserve(targets_.size());  // views point into it
  for (const Target& target : targets_) {
    auto named = given.find(target.name);
    if (named == given.end()) {
      if (!target.nullable)
        return invalid("the new rows lack the column '" + target.name + "', which does not allow nulls");
      nulls.emplace_back(target.type).append_nulls(rows);
      views.push_back(nulls.back().view());
      continue;
    }
    const ColumnData& column = batch.columns[named->second];
    given.erase(named);
    if (!(column.type() == target.type)) {
      return invalid("column '" + target.name + "' has type " + target.type.name() + ", the new rows have " +
                     column.type().name());
    }
    STELA_TRY(check_values(core_.options, target.name, target.nullable, column.view()));
    views.push_back(column.view());
  }
  for (const std::string& name : batch.names) {
    if (given.contains(name)) return invalid("the dataset has no column '" + name + "'");
  }
  return {};
}

Status AppenderImpl::append(const Batch& batch) {
  STELA_TRY(core_.latch.check());
  if (batch.names.size() != batch.columns.size()) return invalid("a batch needs a name for each column");
  if (!resolved_) STELA_TRY(resolve(&batch));
  if (batch.rows() == 0) return {};
  std::vector<ColumnData> nulls;
  std::vector<ColumnView> views;
  STELA_TRY(arrange(batch, nulls, views));
  uint64_t bytes = 0;
  for (const ColumnView& view : views) bytes += inline_bytes(view);
  if (!fragment_ && buffered_bytes_ + bytes > store_.inline_bytes_max()) STELA_TRY(spill());
  if (fragment_) {
    STELA_TRY(fragment_->append(views));
  } else {
    for (size_t i = 0; i < views.size(); ++i) buffered_[i].append(views[i]);
    buffered_bytes_ += bytes;
  }
  rows_ += batch.rows();
  return {};
}

Status AppenderImpl::spill() {
  // Rows of one column are an array that somebody saved.
  const bool keep_flat = targets_.size() == 1;
  std::vector<format::ColumnSpec> specs;
  for (const Target& target : targets_) specs.push_back({target.id, target.type, keep_flat});
  fragment_ = std::make_unique<PreparedFragment>(core_, std::move(specs));
  if (rows_ == 0) return {};
  std::vector<ColumnView> views;
  for (const ColumnData& column : buffered_) views.push_back(column.view());
  STELA_TRY(fragment_->append(views));
  for (ColumnData& column : buffered_) column.clear();
  buffered_bytes_ = 0;
  return {};
}

Status AppenderImpl::build_first_schema(Builder& builder, DatasetHead& head) const {
  STELA_ASSIGN(auto columns, builder.columns(dataset_));
  if (!columns.empty()) {
    return {Code::kConflict, "another commit, " +
                                 (head.latest ? describe_version(head.latest->info) : std::string("just now")) +
                                 ", gave the dataset its columns first; try again"};
  }
  for (const Target& target : targets_) {
    ColumnEntry entry{target.name, target.type, target.nullable, target.group, false, builder.sequence()};
    builder.put(catalog::key(dataset_, catalog::KeyKind::kColumn, target.id.value), entry.encode());
    builder.put(catalog::key(dataset_, catalog::KeyKind::kColumnName, target.name),
                ColumnNameEntry{target.id}.encode());
  }
  head.node.next_column = std::max(head.node.next_column, ColumnId{targets_.back().id.value + 1});
  head.node.next_group = std::max(head.node.next_group, GroupId{targets_[0].group.value + 1});
  touch_schema(builder, dataset_, head.node);
  return {};
}

// The name means another column now: rows in memory go there, if they can.
Status AppenderImpl::follow(const Builder& builder, ColumnId now, Sequence birth, Target* target) const {
  STELA_ASSIGN(auto entry, builder.column(dataset_, now));
  bool fits = !fragment_ && entry && entry->type == target->type && entry->nullable == target->nullable;
  if (!fits) {
    return {Code::kConflict, "the column '" + target->name + "' was replaced by " +
                                 describe_commit(builder, dataset_, birth) + " while the rows were written; try again"};
  }
  target->id = now;
  target->group = entry->group;
  return {};
}

Result<std::vector<GroupId>> AppenderImpl::groups_now(const Builder& builder, std::vector<Target>* targets,
                                                      std::vector<std::pair<ColumnId, ColumnEntry>>* added) const {
  std::set<GroupId> groups;
  Sequence birth;
  std::string ignored;
  STELA_TRY(builder.get(catalog::key(dataset_, catalog::KeyKind::kNode), &ignored, &birth));
  if (birth != schema_birth_) {
    // The schema changed since these rows were arranged: rows of a name that means another column now must
    // not vanish into the old one; columns that came since are null here.
    for (Target& target : *targets) {
      Sequence named;
      STELA_ASSIGN(ColumnId now, builder.column_named(dataset_, target.name, &named));
      if (now.value != 0 && now != target.id) STELA_TRY(follow(builder, now, named, &target));
    }
    STELA_ASSIGN(auto columns, builder.columns(dataset_));
    std::set<ColumnId> known;
    for (const Target& target : *targets) known.insert(target.id);
    for (auto& [id, entry] : columns) {
      if (known.contains(id)) continue;
      if (!entry.nullable) {
        return Status(Code::kConflict,
                      "the column '" + entry.name + "', which does not allow nulls, was added meanwhile");
      }
      groups.insert(entry.group);
      added->emplace_back(id, entry);
    }
  }
  for (const Target& target : *targets) groups.insert(target.group);
  return std::vector<GroupId>(groups.begin(), groups.end());
}

void AppenderImpl::add_inline_rows(Builder& builder, uint64_t first_row, const std::vector<Target>& targets,
                                   const std::vector<std::pair<ColumnId, ColumnEntry>>& added) const {
  std::map<GroupId, RowChunk> chunks;
  auto chunk_of = [&](GroupId group) -> RowChunk& {
    RowChunk& chunk = chunks[group];
    chunk.dataset = dataset_;
    chunk.group = group;
    chunk.first_row = first_row;
    chunk.rows = rows_;
    return chunk;
  };
  for (size_t i = 0; i < targets.size(); ++i) {
    RowChunk& chunk = chunk_of(targets[i].group);
    chunk.ids.push_back(targets[i].id);
    chunk.columns.push_back(buffered_[i]);
  }
  for (const auto& [id, entry] : added) {
    RowChunk& chunk = chunk_of(entry.group);
    chunk.ids.push_back(id);
    chunk.columns.emplace_back(entry.type).append_nulls(rows_);
  }
  for (auto& [group, chunk] : chunks) builder.add_rows(std::move(chunk));
}

Status AppenderImpl::build(Builder& builder, const CommitInfo& info, VersionInfo* version) const {
  STELA_ASSIGN(DatasetHead head, read_head(builder, dataset_));
  std::vector<GroupId> groups;
  std::vector<Target> targets = targets_;
  std::vector<std::pair<ColumnId, ColumnEntry>> added;
  VersionChange change;
  uint64_t first_row = planted(Canary::kReuseRowIds) ? head.rows() : head.row_ids();
  if (establishes_) {
    STELA_TRY(build_first_schema(builder, head));
    groups.push_back(targets_[0].group);
    delete_all_rows(builder, dataset_, head);  // those of columns that were dropped
    change.operation = rows_ == 0 ? "schema" : "append";
    change.kind = rows_ == 0 ? VersionKind::kSchema : VersionKind::kAppend;
  } else {
    STELA_ASSIGN(groups, groups_now(builder, &targets, &added));
  }
  change.rows = (establishes_ ? 0 : head.rows()) + rows_;
  change.row_ids = first_row + rows_;
  change.rows_changed = rows_ > 0 || change.rows != head.rows();
  change.rows_added = rows_;
  if (fragment_) {
    fragment_->add_entries(builder, dataset_, groups, first_row);
    change.bytes_added = fragment_->bytes();
  } else if (rows_ > 0) {
    add_inline_rows(builder, first_row, targets, added);
    change.bytes_added = buffered_bytes_;
  }
  *version = add_version(builder, dataset_, head, info, std::move(change));
  return {};
}

// Another writer changed the schema first. Rows still in memory can be arranged by name once more.
Status AppenderImpl::resolve_again() {
  Batch batch;
  for (size_t i = 0; i < targets_.size(); ++i) batch.add(targets_[i].name, std::move(buffered_[i]));
  uint64_t rows = rows_;
  resolved_ = false;
  rows_ = 0;
  buffered_bytes_ = 0;
  if (rows == 0) return resolve(&batch);
  return append(batch);
}

void AppenderImpl::reset() {
  resolved_ = false;
  rows_ = 0;
  buffered_bytes_ = 0;
  buffered_.clear();
  fragment_.reset();
  fragment_finished_ = false;
}

// What the commit needs moves into the transaction.
Result<VersionInfo> AppenderImpl::stage(Branch& branch, const CommitInfo& info) {
  auto kept = std::make_shared<AppenderImpl>(std::move(*this));
  schema_.clear();
  reset();
  auto committed = [kept] {
    if (!kept->fragment_) return;
    kept->fragment_->settle();
    kept->store_.grown(kept->dataset_);
  };
  auto dropped = [kept] {
    if (kept->fragment_) kept->fragment_->remove();
  };
  VersionInfo version;
  STELA_TRY(branch.stage(
      {dataset_, [kept, info](Builder& b, VersionInfo* v) { return kept->build(b, info, v); }, committed, dropped},
      &version));
  return version;
}

Result<VersionInfo> AppenderImpl::commit(const CommitInfo& info) {
  if (!resolved_) STELA_TRY(resolve(nullptr));
  if (rows_ == 0 && !establishes_) return invalid("there are no rows to append");
  if (fragment_ && !fragment_finished_) {
    STELA_TRY(fragment_->finish());
    fragment_finished_ = true;
    core_.env->crash_point("append.fragment_written");
  }
  if (Branch* branch = store_.branch(); branch != nullptr) return stage(*branch, info);
  VersionInfo version;
  constexpr int kAttempts = 8;
  for (int attempt = 1;; ++attempt) {
    auto result = store_.commit(Privilege::kOrdinary, [&](Builder& builder) { return build(builder, info, &version); });
    if (result.ok()) break;
    if (result.status().code() != Code::kConflict || fragment_ || attempt == kAttempts) return result.status();
    STELA_TRY(resolve_again());
  }
  if (fragment_) {
    fragment_->settle();
    store_.grown(dataset_);
  }
  schema_.clear();
  reset();
  return version;
}

}  // namespace

std::unique_ptr<Appender> make_appender(StoreImpl& store, NodeId dataset, std::vector<Field> schema) {
  return std::make_unique<AppenderImpl>(store, dataset, std::move(schema));
}

}  // namespace stela::store
