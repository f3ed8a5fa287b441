#include "engine/store/dataset_commit.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "engine/store/names.h"

namespace stela::store {

Result<DatasetHead> read_head(const Builder& builder, NodeId dataset) {
  DatasetHead head;
  std::string value;
  Status status = builder.get(catalog::key(dataset, catalog::KeyKind::kNode), &value, &head.schema_birth);
  if (status.code() == Code::kNotFound) return not_found("there is no such dataset");
  STELA_TRY(status);
  STELA_ASSIGN(head.node, NodeEntry::decode(value));
  if (head.node.dropped) {
    return not_found("the dataset '" + head.node.name + "' was dropped" +
                     describe_name_change(builder, head.node.parent, head.node.name));
  }
  if (head.node.kind == NodeKind::kFolder) {
    return invalid("'" + head.node.name + "' is a folder; columns and rows belong into a dataset");
  }
  STELA_ASSIGN(head.latest, builder.latest_version(dataset));
  return head;
}

VersionInfo add_version(Builder& builder, NodeId dataset, const DatasetHead& head, const CommitInfo& info,
                        VersionChange change) {
  VersionEntry entry;
  entry.kind = change.kind;
  // The members of a transaction make one version together.
  const bool amends = head.latest && builder.is_own(head.latest->info.sequence);
  if (amends) {
    const VersionInfo& before = head.latest->info;
    if (head.latest->kind != change.kind) entry.kind = VersionKind::kTransaction;
    change.rows_added += before.rows_added;
    change.bytes_added += before.bytes_added;
    for (ColumnId id : before.columns) {
      if (std::find(change.columns.begin(), change.columns.end(), id) == change.columns.end())
        change.columns.push_back(id);
    }
  }
  entry.info.number = VersionNumber{head.latest ? head.latest->info.number.value + (amends ? 0 : 1) : 1};
  entry.info.sequence = builder.sequence();
  entry.info.time_ns = builder.time_ns();
  entry.info.rows = change.rows;
  entry.info.row_ids = std::max(change.row_ids, head.row_ids());
  entry.info.author = info.author;
  entry.info.operation = info.operation.empty() ? change.operation : info.operation;
  entry.info.message = info.message;
  entry.info.rows_changed = change.rows_changed || !head.latest ? builder.sequence() : head.latest->info.rows_changed;
  entry.info.rows_added = change.rows_added;
  entry.info.bytes_added = change.bytes_added;
  entry.info.columns = std::move(change.columns);
  builder.put(catalog::version_key(dataset, entry.info.number), entry.encode());
  return entry.info;
}

Result<LivingRows> read_living(const Builder& builder, NodeId dataset, const DatasetHead& head) {
  if (head.rows() == head.row_ids()) return LivingRows::all(head.rows());
  LivingRowsReader reader(head.row_ids());
  std::string prefix = catalog::prefix(dataset, catalog::KeyKind::kDeleted);
  Status inner;
  STELA_TRY(builder.scan(prefix, {}, [&](std::string_view key, std::string_view value, Sequence) {
    inner = reader.add(key.substr(prefix.size()), value);
    return inner.ok();
  }));
  STELA_TRY(inner);
  return reader.finish();
}

void delete_all_rows(Builder& builder, NodeId dataset, const DatasetHead& head) {
  if (head.rows() == 0) return;
  LivingRows none = LivingRows::of(head.row_ids(), {});
  for (uint64_t block = 0; block * kDeletedBlockRows < head.row_ids(); ++block) {
    builder.put(catalog::key(dataset, catalog::KeyKind::kDeleted, block), none.deleted_of(block).encode());
  }
}

void touch_schema(Builder& builder, NodeId dataset, NodeEntry node) {
  node.kind = NodeKind::kDataset;
  node.changed_ns = builder.time_ns();
  builder.put(catalog::key(dataset, catalog::KeyKind::kNode), node.encode());
}

std::string format_utc(int64_t time_ns) {
  auto seconds = static_cast<time_t>(time_ns / 1'000'000'000 - (time_ns % 1'000'000'000 < 0 ? 1 : 0));
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  size_t length = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return std::string(text, length);
}

std::string describe_version(const VersionInfo& version) {
  std::string by = version.author.empty() ? "" : ", by " + version.author;
  return "version " + std::to_string(version.number.value) + " (" + version.operation + by + ", " +
         format_utc(version.time_ns) + ")";
}

std::string describe_commit(const Builder& builder, NodeId dataset, Sequence sequence) {
  std::string text = "another commit";
  // Newest first; what cannot be read is said less exactly.
  (void)builder.scan(catalog::prefix(dataset, catalog::KeyKind::kVersion), {},
                     [&](std::string_view, std::string_view value, Sequence) {
                       auto entry = VersionEntry::decode(value);
                       if (!entry.ok() || entry->info.sequence < sequence) return false;
                       if (entry->info.sequence == sequence) text = describe_version(entry->info);
                       return entry->info.sequence > sequence;
                     });
  return text;
}

Result<std::optional<VersionInfo>> version_before(const Builder& builder, NodeId dataset, const DatasetHead& head) {
  if (!head.latest) return std::optional<VersionInfo>();
  if (!builder.is_own(head.latest->info.sequence)) return std::optional(head.latest->info);
  const uint64_t number = head.latest->info.number.value;
  if (number == 1) return std::optional<VersionInfo>();
  std::string value;
  STELA_TRY(builder.get(catalog::version_key(dataset, VersionNumber{number - 1}), &value));
  STELA_ASSIGN(VersionEntry entry, VersionEntry::decode(value));
  return std::optional(std::move(entry.info));
}

Status check_name_unchanged(const Builder& builder, NodeId dataset, const std::string& name, Sequence base) {
  Sequence birth;
  STELA_TRY(builder.column_named(dataset, name, &birth).status());
  if (birth <= base || builder.is_of_this_commit(birth)) return {};
  return {Code::kConflict, "the column '" + name + "' was changed by " + describe_commit(builder, dataset, birth) +
                               " since the transaction began"};
}

Status check_column_name(std::string_view name) {
  if (name.empty()) return invalid("a column needs a name");
  if (name.size() > 65536) return {Code::kNameTooLong, "a column's name is longer than 64 KiB"};
  if (name.find('\0') != std::string_view::npos) return invalid("a column's name must not contain NUL");
  return {};
}

}  // namespace stela::store
