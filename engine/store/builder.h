// Builder: what a commit function sees and says, within the group being built.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/catalog/catalog.h"
#include "engine/catalog/keys.h"
#include "engine/store/commit.h"
#include "engine/store/entries.h"
#include "engine/store/patches.h"
#include "engine/store/record.h"
#include "engine/store/state.h"

namespace stela::store {

// What earlier commits of the same group made true; not yet in the catalogue.
struct PendingGroup {
  struct Value {
    std::string value;
    Sequence birth;
  };
  std::map<std::string, Value, std::less<>> values;
  // Patches are looked for by what they wrote, so that none hides an older one.
  std::multimap<std::string, Value, std::less<>> patches;

  // Patches of members of a commit that is still being built: they are no conflict for the next of them.
  std::vector<std::pair<std::string, Value>> own_patches;

  // Takes over what a commit says, or a member of one.
  void add(const std::map<std::string, Value, std::less<>>& said);
  void add_member(const std::map<std::string, Value, std::less<>>& said);
  // The commit has all its members.
  void finish_members();
};

// One commit in the making. Not thread-safe.
class Builder final : public CommitBuilder {
 public:
  // The leader's: it sees all that the catalogue has.
  Builder(const PendingGroup& group, const catalog::CatalogState& catalog, Sequence sequence, int64_t time_ns,
          uint64_t next_node)
      : group_(group), catalog_(catalog), sequence_(sequence), time_ns_(time_ns), next_node_(next_node) {}
  // A typed reader of what `view` sees, and nothing that is being published; `view` outlives it.
  explicit Builder(const ReadView& view)
      : group_(own_),
        catalog_(view.catalog()),
        stamp_(view.newest()),
        sequence_(view.q()),
        time_ns_(0),
        next_node_(0) {}
  // A commit over `view` and what `group` made true: a transaction's own, or the trial of one; `view` outlives it.
  Builder(const ReadView& view, const PendingGroup& group, Sequence sequence, int64_t time_ns)
      : group_(group),
        catalog_(view.catalog()),
        stamp_(view.newest()),
        sequence_(sequence),
        time_ns_(time_ns),
        next_node_(0) {}

  Sequence sequence() const override { return sequence_; }
  // The members of a transaction have a sequence each, from `first` on: together they are one version, and what one of
  // them wrote is no conflict for another.
  void set_members(Sequence first) { first_ = first; }
  // A transaction's branch: nothing of others comes after its base; changes from `first` on are its own. Each has a
  // version of its own there, so that what was read of one stays.
  void set_branch(Sequence first) {
    first_ = first;
    in_branch_ = true;
  }
  bool in_branch() const { return in_branch_; }
  bool is_of_this_commit(Sequence birth) const { return birth >= first_.value_or(sequence_) && birth <= sequence_; }
  // Of another member of this commit, or of this one.
  bool is_own(Sequence birth) const { return !in_branch_ && is_of_this_commit(birth); }
  int64_t time_ns() const override { return time_ns_; }
  // Whose change of names it is.
  void set_author(std::string author) { author_ = std::move(author); }
  const std::string& author() const { return author_; }
  Status get(std::string_view key, std::string* value, Sequence* birth = nullptr) const override;
  Status scan(std::string_view prefix, std::string_view after,
              const std::function<bool(std::string_view, std::string_view, Sequence)>& visit) const override;
  void put(std::string_view key, std::string_view value) override;
  // Every patch of a column born after `after`, in granules [first, end); in no order. Earlier commits of the group
  // too, but not other members of this commit.
  Status for_each_patch(NodeId dataset, ColumnId column, Sequence after, uint64_t first, uint64_t end,
                        const std::function<Status(uint64_t granule, const BornPatch&)>& visit) const;

  // ---- for the engine's own commits
  // An entry of an older birth, or the erasure of one.
  void put_physical(std::string_view key, std::string_view value, Sequence birth);
  void erase_physical(std::string_view key, Sequence birth);
  void add_rows(RowChunk chunk) { chunks_.push_back(std::move(chunk)); }
  NodeId new_node() { return NodeId{next_node_++}; }
  uint64_t next_node() const { return next_node_; }

  // Typed reads; nullopt when there is no such entry.
  Result<std::optional<NodeEntry>> node(NodeId id) const;
  Result<std::optional<VersionEntry>> latest_version(NodeId dataset) const;
  Result<std::optional<ColumnEntry>> column(NodeId dataset, ColumnId id) const;
  // The column of that name now, or 0.
  Result<ColumnId> column_named(NodeId dataset, std::string_view name, Sequence* birth = nullptr) const;
  // Living columns in order of id.
  Result<std::vector<std::pair<ColumnId, ColumnEntry>>> columns(NodeId dataset) const;

  // Takes what was built. Afterwards the builder is empty.
  std::vector<catalog::Entry> take_entries() { return std::move(entries_); }
  std::vector<RowChunk> take_chunks() { return std::move(chunks_); }
  const std::map<std::string, PendingGroup::Value, std::less<>>& values() const { return own_.values; }

 private:
  const PendingGroup& group_;
  const catalog::CatalogState& catalog_;
  const catalog::Stamp stamp_{kSequenceMax, kSequenceMax};
  const Sequence sequence_;
  std::optional<Sequence> first_;
  bool in_branch_ = false;
  const int64_t time_ns_;
  std::string author_;
  uint64_t next_node_;
  PendingGroup own_;
  std::vector<catalog::Entry> entries_;  // in order of put; one a (key, birth)
  std::vector<RowChunk> chunks_;
};

}  // namespace stela::store
