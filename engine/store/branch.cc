#include "engine/store/branch.h"

#include <utility>

#include "engine/store/appender.h"
#include "engine/store/dataset_commit.h"
#include "engine/store/names.h"

namespace stela::store {

Branch::Branch(Core& core, Committer& committer) : Branch(core, committer, committer.reserve(kChangesMax, kNodesMax)) {}

Branch::Branch(Core& core, Committer& committer, Committer::Reserved reserved)
    : core_(core),
      committer_(committer),
      base_(std::move(reserved.base)),
      first_(reserved.first),
      first_node_(reserved.first_node),
      newest_(base_.q()),
      table_(std::make_shared<catalog::MemTable>()),
      tails_(std::make_shared<TailSet>()) {
  auto catalog = std::make_shared<catalog::CatalogState>(base_.catalog());
  catalog->tables.insert(catalog->tables.begin(), table_);
  auto state = std::make_shared<State>(base_.state());
  state->catalog = std::move(catalog);
  state->own_tails = tails_;
  state->base = base_.q();
  states_.replace(std::move(state), newest_);
}

Branch::~Branch() {
  if (committed_ || uncertain_) return;
  for (const Change& change : changes_) {
    if (change.dropped) change.dropped();
  }
}

// The commit is one group, which does not cross segments; what it says besides is small.
uint64_t Branch::log_bytes_max() const { return core_.options.log_segment_bytes / 4 * 3; }

uint64_t Branch::log_bytes_of(const std::vector<catalog::Entry>& entries, const std::vector<RowChunk>& chunks) const {
  uint64_t bytes = 0;
  for (const catalog::Entry& entry : entries) bytes += entry.key.size() + entry.value.size() + 24;
  if (bytes > core_.options.entries_inline_max) bytes = 0;  // they get a file of their own
  for (const RowChunk& chunk : chunks) {
    for (const ColumnData& column : chunk.columns) bytes += inline_bytes(column.view());
  }
  return bytes + 64;
}

uint64_t Branch::inline_bytes_max() const {
  std::lock_guard lock(mutex_);
  uint64_t inline_max = core_.options.inline_bytes_max;
  return log_bytes_ + inline_max > log_bytes_max() / 2 ? 0 : inline_max;
}

uint64_t Branch::changes() const {
  std::lock_guard lock(mutex_);
  return changes_.size();
}

void Branch::give_up(Status why) {
  std::lock_guard lock(mutex_);
  if (ended_.ok()) ended_ = std::move(why);
}

Status Branch::stage(Change change, VersionInfo* version) {
  std::lock_guard lock(mutex_);
  Status staged = run_on_branch(change, version);
  if (staged.ok()) {
    changes_.push_back(std::move(change));
  } else if (change.dropped) {
    change.dropped();
  }
  return staged;
}

Status Branch::run_on_branch(const Change& change, VersionInfo* version) {
  if (!ended_.ok()) return ended_;
  if (changes_.size() == kChangesMax) {
    return {Code::kLimit, "a transaction has at most " + std::to_string(kChangesMax) + " changes"};
  }
  const Sequence sequence{first_.value + changes_.size()};
  ReadView view = states_.view();
  PendingGroup none;
  Builder builder(view, none, sequence, core_.env->clock().utc_ns());
  builder.set_branch(first_);
  STELA_TRY(change.build(builder, version));
  std::vector<catalog::Entry> entries = builder.take_entries();
  std::vector<RowChunk> chunks = builder.take_chunks();
  uint64_t log_bytes = log_bytes_ + log_bytes_of(entries, chunks);
  if (log_bytes > log_bytes_max()) {
    return {Code::kLimit, "the small changes of a transaction share " + std::to_string(log_bytes_max()) +
                              " bytes of the log and there is no room for more: commit it and begin another"};
  }
  log_bytes_ = log_bytes;
  // A part of it could neither be shown nor taken back.
  Status without_memory(Code::kNoMemory, "memory ran out in the transaction; begin it again");
  try {
    for (const catalog::Entry& entry : entries) table_->insert(entry);
    for (const RowChunk& chunk : chunks) tails_->append(chunk, sequence);
    if (changes_.size() == changes_.capacity()) changes_.reserve(2 * changes_.size() + 4);
  } catch (const std::bad_alloc&) {
    ended_ = std::move(without_memory);
    throw;
  }
  newest_ = sequence;
  states_.publish(sequence);
  return {};
}

Result<NodeId> Branch::new_node() {
  std::lock_guard lock(mutex_);
  if (nodes_ == kNodesMax) {
    return Status(Code::kLimit, "a transaction makes at most " + std::to_string(kNodesMax) + " datasets and folders");
  }
  return NodeId{first_node_.value + nodes_++};
}

std::vector<FolderName> Branch::names() const {
  std::lock_guard lock(mutex_);
  return names_;
}

Status Branch::stage_names(std::vector<FolderName> names, Committer::Build build) {
  auto meant = std::make_shared<std::vector<NodeId>>();
  auto change = [names, build = std::move(build), meant](Builder& builder, VersionInfo*) -> Status {
    std::vector<NodeId> now;
    for (const auto& [folder, name] : names) {
      STELA_ASSIGN(NodeId node, child_of(builder, folder, name));
      now.push_back(node);
    }
    if (builder.in_branch()) {
      *meant = now;
      return build(builder);
    }
    for (size_t i = 0; i < names.size(); ++i) {
      if (now[i] == (*meant)[i]) continue;
      return {Code::kConflict, "the name '" + names[i].second + "' was given, moved or removed by another commit" +
                                   describe_name_change(builder, names[i].first, names[i].second) +
                                   " since the transaction began"};
    }
    Status status = build(builder);
    bool in_the_way = status.code() == Code::kNotFound || status.code() == Code::kExists ||
                      status.code() == Code::kNotEmpty || status.code() == Code::kInvalid;
    return in_the_way ? Status(Code::kConflict, status.message() + ", since the transaction began") : status;
  };
  STELA_TRY(stage({NodeId{0}, std::move(change), {}, {}}, nullptr));
  std::lock_guard lock(mutex_);
  names_.insert(names_.end(), names.begin(), names.end());
  return {};
}

std::vector<Committer::Build> Branch::members(const CommitInfo& info, std::map<NodeId, VersionInfo>* versions) const {
  std::vector<Committer::Build> members;
  for (const Change& change : changes_) {
    members.push_back([&change, versions](Builder& builder) {
      VersionInfo* version = change.dataset.value == 0 ? nullptr : &(*versions)[change.dataset];
      return change.build(builder, version);
    });
  }
  // The version says what the whole was, not its last change.
  members.push_back([info, versions](Builder& builder) -> Status {
    for (auto& [dataset, version] : *versions) {
      STELA_ASSIGN(auto latest, builder.latest_version(dataset));
      if (!latest || !builder.is_of_this_commit(latest->info.sequence)) continue;
      latest->info.operation = info.operation.empty() ? "transaction" : info.operation;
      latest->info.message = info.message;
      latest->info.author = info.author;
      latest->info.sequence = builder.sequence();
      latest->info.time_ns = builder.time_ns();
      builder.put(catalog::version_key(dataset, latest->info.number), latest->encode());
      version = latest->info;
    }
    return {};
  });
  return members;
}

Status Branch::check() const {
  std::lock_guard lock(mutex_);
  std::map<NodeId, VersionInfo> versions;
  ReadView now = core_.states.view();
  PendingGroup said;
  const Sequence first{now.q().value + 1};
  uint64_t done = 0;
  for (const Committer::Build& member : members({}, &versions)) {
    Builder builder(now, said, Sequence{first.value + done++}, core_.env->clock().utc_ns());
    builder.set_members(first);
    STELA_TRY(member(builder));
    said.add_member(builder.values());
  }
  return {};
}

Result<std::vector<std::pair<NodeId, VersionInfo>>> Branch::commit(const CommitInfo& info) {
  std::lock_guard lock(mutex_);
  std::vector<std::pair<NodeId, VersionInfo>> result;
  if (committed_) return invalid("the transaction was committed already");
  if (!ended_.ok()) return ended_;
  if (!changes_.empty()) {
    std::map<NodeId, VersionInfo> versions;
    std::vector<Committer::Build> all = members(info, &versions);
    result.reserve(versions.size());
    const bool was_uncertain = std::exchange(uncertain_, true);  // until it is known, whatever ends this
    Status status = committer_.commit(Privilege::kOrdinary, all).status();
    committed_ = status.ok();
    uncertain_ = was_uncertain || (!committed_ && !core_.latch.check().ok());
    STELA_TRY(status);
    result.assign(versions.begin(), versions.end());
  }
  committed_ = true;
  ended_ = {Code::kConflict, "the transaction was committed already: begin another"};
  for (const Change& change : changes_) {
    if (change.committed) change.committed();
  }
  return result;
}

}  // namespace stela::store
