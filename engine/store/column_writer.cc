#include <algorithm>
#include <map>

#include "engine/base/canary.h"

#include "engine/store/appender.h"

namespace stela::store {

namespace {

class ColumnWriterImpl final : public ColumnWriter {
 public:
  ColumnWriterImpl(StoreImpl& store, NodeId dataset, Field field, bool replace, Sequence base, ColumnId id,
                   GroupId group)
      : store_(store),
        core_(store.core()),
        dataset_(dataset),
        field_(std::move(field)),
        replace_(replace),
        base_(base),
        id_(id),
        group_(group),
        buffered_(field_.type) {}

  Status append(const ColumnView& values) override {
    STELA_TRY(core_.latch.check());
    if (!(*values.type == field_.type)) {
      return invalid("column '" + field_.name + "' has type " + field_.type.name() + ", the values have " +
                     values.type->name());
    }
    if (values.rows == 0) return {};
    STELA_TRY(check_values(core_.options, field_.name, field_.nullable, values));
    uint64_t bytes = inline_bytes(values);
    if (!fragment_ && buffered_bytes_ + bytes > store_.inline_bytes_max()) STELA_TRY(spill());
    if (fragment_) {
      STELA_TRY(fragment_->append({&values, 1}));
    } else {
      buffered_.append(values);
      buffered_bytes_ += bytes;
    }
    rows_ += values.rows;
    return {};
  }

  uint64_t rows() const override { return rows_; }

  uint64_t flat_bytes() const override {
    FileWriter* flat = fragment_ ? fragment_->flat_file() : nullptr;
    return flat == nullptr ? 0 : flat->size() - header_bytes();
  }

  Status read_back(uint64_t offset, MutableByteSpan into) override {
    if (offset > flat_bytes() || into.size() > flat_bytes() - offset) {
      return invalid("values are read back that are not in the column's flat file");
    }
    return fragment_->flat_file()->read_back(header_bytes() + offset, into);
  }

  Result<VersionInfo> commit(const CommitInfo& info) override {
    if (committed_) return invalid("the column was committed already");
    if (!fragment_) {
      STELA_ASSIGN(uint64_t nulls, bytes_of_nulls());
      if (buffered_bytes_ + nulls > core_.options.inline_bytes_max) STELA_TRY(spill());
    }
    if (fragment_) {
      STELA_TRY(fragment_->finish());
      core_.env->crash_point("column.fragment_written");
    }
    VersionInfo version;
    if (Branch* branch = store_.branch(); branch != nullptr) return stage(*branch, info);
    auto result = store_.commit(Privilege::kOrdinary, [&](Builder& builder) { return build(builder, info, &version); });
    if (!result.ok()) return result.status();
    committed_ = true;
    if (fragment_) {
      fragment_->settle();
      store_.grown(dataset_);
    }
    return version;
  }

 private:
  // What the commit needs is shared with the transaction; what was written can be read back meanwhile.
  Result<VersionInfo> stage(Branch& branch, const CommitInfo& info) {
    committed_ = true;
    std::shared_ptr<ColumnWriterImpl> kept(new ColumnWriterImpl(*this));
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

  uint64_t header_bytes() const { return format::npy_header(field_.type, 0).size(); }

  Status spill() {
    fragment_ = std::make_shared<PreparedFragment>(core_, std::vector<format::ColumnSpec>{{id_, field_.type, true}});
    if (rows_ == 0) return {};
    ColumnView view = buffered_.view();
    STELA_TRY(fragment_->append({&view, 1}));
    buffered_.clear();
    return {};
  }

  // The newest commit of somebody else, for a sentence.
  std::string others(const Builder& builder, const DatasetHead& head) const {
    auto before = version_before(builder, dataset_, head);
    return before.ok() && *before ? describe_version(**before) : std::string("another commit");
  }

  // Rows that were deleted, or came back, since the base: a value for each position would be another row's.
  Status check_rows(const Builder& builder, const DatasetHead& head) const {
    bool others = false;
    STELA_TRY(builder.scan(catalog::prefix(dataset_, catalog::KeyKind::kDeleted), {},
                           [&](std::string_view, std::string_view, Sequence birth) {
                             others = birth > base_ && !builder.is_own(birth);
                             return !others;
                           }));
    if (!others) return {};
    return {Code::kConflict, "the rows of the dataset were changed by " +
                                 describe_commit(builder, dataset_, head.latest->info.rows_changed) +
                                 " while the column '" + field_.name + "' was written; read them again and repeat"};
  }

  Status check_conflicts(const Builder& builder, const DatasetHead& head, bool has_columns, ColumnId* old) const {
    Sequence name_birth;
    STELA_ASSIGN(*old, builder.column_named(dataset_, field_.name, &name_birth));
    if (name_birth > base_ && !builder.is_own(name_birth) && !planted(Canary::kStaleBase)) {
      return {Code::kConflict, "the column '" + field_.name + "' was changed by " + others(builder, head) +
                                   " since this write began; read it again and repeat"};
    }
    if (old->value != 0 && replace_) {
      STELA_ASSIGN(auto column, builder.column(dataset_, *old));
      if (column && column->patched > base_ && !builder.is_own(column->patched)) {
        return {Code::kConflict, "values of the column '" + field_.name + "' were changed by " +
                                     describe_commit(builder, dataset_, column->patched) +
                                     " since this write began; read it again and repeat"};
      }
    }
    if (old->value != 0 && !replace_) return {Code::kExists, "there is a column '" + field_.name + "' already"};
    bool rows_moved = head.latest && head.latest->info.rows_changed > base_;
    if (!has_columns || (head.rows() == 0 && !rows_moved)) return {};
    if (rows_moved) STELA_TRY(check_rows(builder, head));
    if (rows_ == head.rows()) return {};
    if (rows_moved) {
      return {Code::kConflict, "rows were appended by " + others(builder, head) + " while the column '" + field_.name +
                                   "' was written; save it with " + std::to_string(head.rows()) + " values"};
    }
    return invalid("the column '" + field_.name + "' has " + std::to_string(rows_) + " values, but the dataset has " +
                   std::to_string(head.rows()) + " rows");
  }

  Status build(Builder& builder, const CommitInfo& info, VersionInfo* version) const {
    STELA_ASSIGN(DatasetHead head, read_head(builder, dataset_));
    STELA_ASSIGN(auto columns, builder.columns(dataset_));
    ColumnId old;
    STELA_TRY(check_conflicts(builder, head, !columns.empty(), &old));
    VersionChange change;
    change.kind = old.value != 0 ? VersionKind::kReplaceColumn : VersionKind::kAddColumn;
    change.operation = old.value != 0 ? "replace column" : "add column";
    change.columns.push_back(id_);
    if (old.value != 0) {
      STELA_ASSIGN(auto replaced, builder.column(dataset_, old));
      if (!replaced) return damaged("the column '" + field_.name + "' has a name but no entry");
      replaced->dropped = true;
      builder.put(catalog::key(dataset_, catalog::KeyKind::kColumn, old.value), replaced->encode());
      change.columns.push_back(old);
    }
    ColumnEntry entry{field_.name, field_.type, field_.nullable, group_, false, builder.sequence()};
    builder.put(catalog::key(dataset_, catalog::KeyKind::kColumn, id_.value), entry.encode());
    builder.put(catalog::key(dataset_, catalog::KeyKind::kColumnName, field_.name), ColumnNameEntry{id_}.encode());
    head.node.next_column = std::max(head.node.next_column, ColumnId{id_.value + 1});
    head.node.next_group = std::max(head.node.next_group, GroupId{group_.value + 1});
    touch_schema(builder, dataset_, head.node);
    LivingRows living;
    const bool makes_rows = columns.empty() || (head.rows() == 0 && rows_ > 0);
    if (makes_rows) {
      delete_all_rows(builder, dataset_, head);
      std::vector<RowRange> fresh;
      if (rows_ > 0) fresh.push_back({head.row_ids(), rows_});
      living = LivingRows::of(head.row_ids() + rows_, std::move(fresh));
      put_nulls(builder, columns, old, head.row_ids());
    } else {
      STELA_ASSIGN(living, read_living(builder, dataset_, head));
    }
    put_values(builder, living);
    change.bytes_added = fragment_ ? fragment_->bytes() : buffered_bytes_;
    change.rows = rows_;
    change.row_ids = living.ids();
    change.rows_changed = makes_rows && rows_ + head.rows() > 0;
    *version = add_version(builder, dataset_, head, info, std::move(change));
    return {};
  }

  // Of what put_nulls() puts into the log.
  Result<uint64_t> bytes_of_nulls() const {
    if (rows_ == 0) return uint64_t{0};
    ReadView view = store_.view();
    Builder reader(view);
    STELA_ASSIGN(DatasetHead head, read_head(reader, dataset_));
    if (head.rows() > 0) return uint64_t{0};
    STELA_ASSIGN(auto columns, reader.columns(dataset_));
    uint64_t bytes = 0;
    for (const auto& [id, entry] : columns) bytes += rows_ * (entry.type.value_width() + 1);
    return bytes;
  }

  // The other columns of a dataset that had no rows have no values in the rows this one makes.
  void put_nulls(Builder& builder, const std::vector<std::pair<ColumnId, ColumnEntry>>& columns, ColumnId old,
                 uint64_t first_row) const {
    if (rows_ == 0) return;
    std::map<GroupId, RowChunk> chunks;
    for (const auto& [id, entry] : columns) {
      if (id == old) continue;
      if (!entry.nullable) {
        ColumnEntry nullable = entry;
        nullable.nullable = true;
        builder.put(catalog::key(dataset_, catalog::KeyKind::kColumn, id.value), nullable.encode());
      }
      RowChunk& chunk = chunks[entry.group];
      if (fragment_) continue;
      chunk.ids.push_back(id);
      chunk.columns.emplace_back(entry.type).append_nulls(rows_);
    }
    for (auto& [group, chunk] : chunks) {
      // What a fragment does not have is null.
      if (fragment_) {
        fragment_->add_fragment(builder, dataset_, group, first_row, rows_, 0);
        continue;
      }
      chunk.dataset = dataset_;
      chunk.group = group;
      chunk.first_row = first_row;
      chunk.rows = rows_;
      builder.add_rows(std::move(chunk));
    }
  }

  // A value for each living row.
  void put_values(Builder& builder, const LivingRows& living) const {
    if (fragment_) fragment_->add_file_entries(builder);
    uint64_t position = 0;
    for (const RowRange& range : living.ranges()) {
      if (fragment_) {
        fragment_->add_fragment(builder, dataset_, group_, range.first, range.count, position);
      } else {
        RowChunk chunk{dataset_, group_, range.first, range.count, {id_}, {ColumnData(field_.type)}};
        chunk.columns[0].append(buffered_.view().slice(position, range.count));
        builder.add_rows(std::move(chunk));
      }
      position += range.count;
    }
  }

  StoreImpl& store_;
  Core& core_;
  const NodeId dataset_;
  const Field field_;
  const bool replace_;
  const Sequence base_;
  const ColumnId id_;
  const GroupId group_;
  uint64_t rows_ = 0;
  uint64_t buffered_bytes_ = 0;
  ColumnData buffered_;
  std::shared_ptr<PreparedFragment> fragment_;
  bool committed_ = false;
};

}  // namespace

Result<std::unique_ptr<ColumnWriter>> make_column_writer(StoreImpl& store, NodeId dataset, Field field, bool replace,
                                                         std::optional<VersionNumber> base) {
  STELA_TRY(check_column_name(field.name));
  STELA_TRY(field.type.validate());
  ReadView view = store.view();
  Builder reader(view);
  STELA_ASSIGN(DatasetHead head, read_head(reader, dataset));
  Sequence began = view.q();
  if (base && base->value == 0) began = Sequence{0};
  if (base && base->value != 0) {
    STELA_ASSIGN(VersionEntry version, store.version_entry(view, dataset, *base));
    began = version.info.sequence;
  }
  auto [id, group] = store.core().column_ids.reserve(dataset, head.node.next_column, head.node.next_group, 1);
  if (replace) {
    STELA_ASSIGN(ColumnId old, reader.column_named(dataset, field.name));
    STELA_ASSIGN(auto replaced, reader.column(dataset, old));
    field.nullable = field.nullable && (!replaced || replaced->nullable);
  }
  return std::unique_ptr<ColumnWriter>(
      std::make_unique<ColumnWriterImpl>(store, dataset, std::move(field), replace, began, id, group));
}

}  // namespace stela::store
