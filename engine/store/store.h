// Store: a folder of datasets with versions. The library's entry point.
//
//   auto store = Store::create(posix_env("/data/s"), {});     // or open()
//   auto table = store->create_table("/trips");
//   table->append(batch, {.message = "first day"});
//   auto head = table->head();           // a Snapshot: immutable, keeps what it reads alive
//   head->read("fare", 0, 10);
//
// Isolation: snapshot isolation; a Snapshot sees one version whole. A call that returns ok is durable.
// Thread safety: Store and Table from any thread; Snapshot is immutable; Appender, ColumnWriter and
// UpdateWriter are for one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/status.h"
#include "engine/format/fragment.h"
#include "engine/io/env.h"
#include "engine/store/commit.h"
#include "engine/store/options.h"
#include "engine/store/snapshot.h"
#include "engine/types/column.h"

namespace stela {

class Store;
class Store;
class StoreImpl;

// Rows of a large or unknown number, streamed into a dataset: memory is bounded by
// StoreOptions::import_memory_bytes whatever the number of rows. Up to inline_bytes_max of them go into
// the log, more into a fragment of their own that no one sees before commit(). Destroyed without commit:
// nothing happened.
class Appender {
 public:
  virtual ~Appender() = default;
  // Columns by name: each must be in the dataset with equal type (or be the first schema); a missing one
  // that is nullable becomes null. kInvalid names the column. Rows keep their order.
  virtual Status append(const Batch& batch) = 0;
  virtual uint64_t rows() const = 0;
  // One commit, durable when it returns. No rows: kInvalid unless the commit sets the first schema.
  // The appender may be used again for the rows that follow.
  virtual Result<VersionInfo> commit(const CommitInfo& info) = 0;
};

// A whole new column, or the replacement of one, streamed.
class ColumnWriter {
 public:
  virtual ~ColumnWriter() = default;
  virtual Status append(const ColumnView& values) = 0;
  virtual uint64_t rows() const = 0;
  // Bytes of values that lie in a flat file already, which grows with every append; 0 while there is none. They can
  // be read again until the writer is destroyed, also after commit().
  virtual uint64_t flat_bytes() const = 0;
  virtual Status read_back(uint64_t offset, MutableByteSpan into) = 0;
  // kInvalid when rows() is not the row count of the version it began from (it may be any in a dataset
  // without columns); kConflict when rows were appended, or the name was written, since.
  virtual Result<VersionInfo> commit(const CommitInfo& info) = 0;
};

// What an update stands on: the version whose rows it means, and which commits since then are its own.
struct UpdateBase {
  VersionNumber version;      // 0: the newest
  std::vector<Sequence> own;  // commits of the same writer after `version`, ascending: they are no conflict
  VersionNumber own_newest;   // version that the last of them made; 0 when there is none
};

// Cells of one column, changed in place: stores what differs from the base, and rewrites nothing.
class UpdateWriter {
 public:
  virtual ~UpdateWriter() = default;
  // Rows of the base version, ascending, above those of earlier calls; a value for each. kInvalid: rows it does not
  // have, another type, or a null where none may be. O(rows) and the reading of what they held.
  virtual Status write(std::span<const uint64_t> rows, const ColumnView& values) = 0;
  // Of those written, how many differ from the base.
  virtual uint64_t cells() const = 0;
  // Nothing differs: nullopt. kConflict when a cell it changes was changed by others since the base, or the column was
  // dropped or replaced: the sentence names that commit. Appended rows and other cells are no conflict. Once only.
  virtual Result<std::optional<VersionInfo>> commit(const CommitInfo& info) = 0;
  // After commit(): it stood on the base alone, and nobody else changed the column or the dataset's rows since.
  virtual bool was_alone() const = 0;
};

// A dataset; copyable handle, valid while the store is.
class Table {
 public:
  Table(StoreImpl* store, NodeId id) : store_(store), id_(id) {}
  NodeId id() const { return id_; }

  // kNotFound before the first version. `version`: kNotFound when it does not exist.
  Result<Snapshot> head() const;
  Result<Snapshot> at(VersionNumber version) const;
  // The newest version's number, 0 before the first. Two loads, no I/O.
  Result<VersionNumber> latest() const;
  Result<VersionInfo> version(VersionNumber number) const;

  Result<VersionInfo> append(const Batch& batch, const CommitInfo& info) const;
  // `schema` is used when the dataset has none yet; empty: taken from the first batch.
  Result<std::unique_ptr<Appender>> appender(std::vector<Field> schema = {}) const;
  // replace = false: kExists when the name is taken. The write is against version `base` (0: before the first;
  // not given: the newest one): kConflict at the commit when the name or the rows have changed since.
  Result<std::unique_ptr<ColumnWriter>> column_writer(Field field, bool replace,
                                                      std::optional<VersionNumber> base = {}) const;
  // Of the column that has this name in the base version. kNotFound: there is none.
  Result<std::unique_ptr<UpdateWriter>> update_writer(std::string_view column, const UpdateBase& base = {}) const;
  Result<std::unique_ptr<UpdateWriter>> update_writer(ColumnId column, const UpdateBase& base) const;
  // The same in one call: those cells, against the newest version.
  Result<std::optional<VersionInfo>> update(std::string_view column, std::span<const uint64_t> rows,
                                            const ColumnView& values, const CommitInfo& info) const;
  // Shows again what that version shows: rows, values, columns and their names; a new commit that another one can undo.
  // nullopt: it does already. kNotFound: no such version. Costs what it undoes.
  Result<std::optional<VersionInfo>> restore(VersionNumber to, const CommitInfo& info) const;
  Result<VersionInfo> drop_column(std::string_view name, const CommitInfo& info) const;
  // kExists when `to` is taken, unless `replace`.
  Result<VersionInfo> rename_column(std::string_view from, std::string_view to, bool replace,
                                    const CommitInfo& info) const;
  // States the types of an empty dataset (no version yet): version 1 with no rows.
  Result<VersionInfo> set_schema(const std::vector<Field>& fields, const CommitInfo& info) const;

 private:
  StoreImpl* store_;
  NodeId id_;
};

// A name in a folder.
using FolderName = std::pair<NodeId, std::string>;

// Changes of rows, columns and names, of one dataset or several, that take place together or not at all.
//
// Its tables show what it began on and its own changes, and nothing that others commit meanwhile; nobody else sees any
// of it before commit(). Each change is validated against what was committed since it began, at the commit: rows
// appended by both sides follow each other; the same cell, or the same column's name, changed by both is kConflict.
// Destroyed without commit: nothing happened. It must not outlive its store, and what was made of its tables must not
// outlive it. Thread-safe; its appenders and writers are as those of others.
//
// Small changes are held in memory, up to three quarters of a segment of the log (kLimit); larger ones are written to
// files at once.
class Transaction {
 public:
  ~Transaction();
  // Each change counts as a version there; others see them as one.
  Table table(NodeId dataset) const;
  // All of the store as the transaction sees it; datasets and folders can be made, renamed and removed in it too, but
  // tags and attributes cannot be changed (kUnsupported). Lives as long as this.
  Store& store() const;
  uint64_t changes() const;
  // Names of datasets and folders that it made, moved or removed.
  std::vector<FolderName> names() const;
  // What commit() would say now; changes nothing. O(changes).
  Status check() const;
  // One version in each dataset it changed, with this author, operation ("transaction" if empty) and message. kConflict
  // names the commit that was first; nothing is lost then and commit may be tried again. Once it succeeded: kInvalid.
  Result<std::vector<std::pair<NodeId, VersionInfo>>> commit(const CommitInfo& info);
  // Ends it without a commit, while its tables may still be in use: what they show stays, changes give `why`.
  void give_up(Status why);

 private:
  friend class Store;
  explicit Transaction(std::unique_ptr<Store> store);
  const std::unique_ptr<Store> store_;
};

class Store {
 public:
  // The folder must not hold a store: kExists.
  static Result<std::unique_ptr<Store>> create(std::shared_ptr<Env> env, const StoreOptions& options);
  // Recovers after a crash. kNotFound: no store here; kBusy: another process has it (the sentence says
  // who); kUnsupported: made by a newer Stela; kDamaged.
  static Result<std::unique_ptr<Store>> open(std::shared_ptr<Env> env, const StoreOptions& options);
  // Finishes commits, flushes, checkpoints, releases the lease. Snapshots must be gone.
  ~Store();
  // The same with a result. Afterwards every call fails.
  Status close();

  // ---- names. Paths are "/a/b", UTF-8 or any bytes but '/' and NUL, 255 bytes a component.
  Result<NodeInfo> lookup(std::string_view path) const;
  Result<NodeInfo> child(NodeId folder, std::string_view name) const;
  Result<NodeInfo> node(NodeId id) const;
  // In order of name, beginning after `after`, at most `limit`.
  Result<std::vector<NodeInfo>> children(NodeId folder, std::string_view after, size_t limit) const;
  std::string path_of(NodeId id) const;
  // An empty directory; its parent becomes a folder. kInvalid when the parent is a dataset with columns
  // or versions.
  Result<NodeInfo> make_directory(NodeId parent, std::string_view name, const NodeAttributes& attributes,
                                  const CommitInfo& info);
  // Empty directories, folders without children, datasets without columns; else kNotEmpty.
  Status remove_directory(NodeId parent, std::string_view name, const CommitInfo& info);
  // Moves and renames. kExists when the target exists and is not an empty directory.
  Status rename(NodeId from, std::string_view name, NodeId to, std::string_view new_name, const CommitInfo& info);
  Status set_attributes(NodeId id, const NodeAttributes& attributes, const CommitInfo& info);
  // Drops a dataset with everything in it, or a folder if `recursive`.
  Status drop(std::string_view path, bool recursive, const CommitInfo& info);
  // Brings back the dataset last known as `path`, as it was before the run of column removals that
  // preceded its drop. kNotFound when none was dropped there; kExists when the name is in use.
  Result<NodeInfo> restore_dropped(std::string_view path, const CommitInfo& info);

  // Makes parents that are missing, all with those attributes. kExists when the path exists.
  Result<Table> create_table(std::string_view path, const CommitInfo& info = {}, const NodeAttributes& attributes = {});
  Result<Table> table(std::string_view path) const;
  Result<Table> table(NodeId id) const;

  // A transaction over the newest state. O(1). kInvalid within another.
  Result<std::unique_ptr<Transaction>> begin();

  // ---- the general commit: tags, receipts and what upper layers keep in the catalogue (commit.h).
  Result<CommitResult> commit(const CommitInfo& info, const CommitFunction& build);
  // Newest visible value, or as of a sequence.
  Status get(std::string_view key, std::string* value, Sequence as_of = kSequenceMax, Sequence* birth = nullptr) const;
  Status scan(std::string_view prefix, Sequence as_of, std::string_view after,
              const std::function<bool(std::string_view key, std::string_view value, Sequence birth)>& visit) const;

  // ---- upkeep
  // One round of flush, merge and removal, as the background would do; `force` whatever the thresholds.
  Status maintain(bool force);
  // Writes what is stored of a dataset anew, in fewer and larger pages; no version is made and none changes. Commits
  // and readers go on meanwhile. O(stored values); memory as of an import.
  Result<CompactionReport> compact(NodeId dataset, const CompactionOptions& options);
  // Reads and checks every catalogue block, page and flat extent; one call of `report` for each damage.
  Status check(const std::function<void(const DamageReport&)>& report,
               const std::function<void(uint64_t done, uint64_t total)>& progress = {});
  // Set after the first failed sync or log write: everything but reading is then kReadOnly with the
  // sentence returned here.
  std::optional<std::string> read_only_reason() const;
  StoreCounters counters() const;
  uint64_t store_id() const;
  const StoreOptions& options() const;
  Env& env() const;
  StoreImpl& impl() const { return *impl_; }

 private:
  friend class Transaction;
  explicit Store(std::unique_ptr<StoreImpl> impl);
  std::unique_ptr<StoreImpl> impl_;
};

}  // namespace stela
