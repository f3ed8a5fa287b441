#include "engine/store/store.h"

#include <algorithm>

#include "engine/store/names.h"
#include "engine/store/snapshot_impl.h"
#include "engine/store/store_impl.h"

namespace stela {

using catalog::KeyKind;
using store::Builder;
using store::Privilege;

Store::Store(std::unique_ptr<StoreImpl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::create(std::shared_ptr<Env> env, const StoreOptions& options) {
  STELA_ASSIGN(auto impl, StoreImpl::create(std::move(env), options));
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Result<std::unique_ptr<Store>> Store::open(std::shared_ptr<Env> env, const StoreOptions& options) {
  STELA_ASSIGN(auto impl, StoreImpl::open(std::move(env), options));
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Status Store::close() { return impl_->close(); }

Status Store::get(std::string_view key, std::string* value, Sequence as_of, Sequence* birth) const {
  store::ReadView view = impl_->view();
  return view.catalog().get(key, view.stamp(as_of), value, birth);
}

Status Store::scan(std::string_view prefix, Sequence as_of, std::string_view after,
                   const std::function<bool(std::string_view, std::string_view, Sequence)>& visit) const {
  store::ReadView view = impl_->view();
  std::string from = after.empty() ? std::string(prefix) : std::string(after) + '\0';
  return view.catalog().scan(from, catalog::prefix_end(prefix), view.stamp(as_of), visit);
}

Result<CommitResult> Store::commit(const CommitInfo&, const CommitFunction& build) {
  return impl_->commit(Privilege::kRemoval, [&](Builder& builder) { return build(builder); });
}

namespace {

// `names` are those it changes; `build` owns what it uses, since a transaction keeps it.
Status run_names(StoreImpl& impl, Privilege privilege, std::vector<FolderName> names, const CommitInfo& info,
                 store::Committer::Build build) {
  auto signed_build = [author = info.author, build = std::move(build)](Builder& builder) {
    builder.set_author(author);
    return build(builder);
  };
  if (store::Branch* branch = impl.branch()) return branch->stage_names(std::move(names), std::move(signed_build));
  return impl.commit(privilege, signed_build).status();
}

}  // namespace

Result<NodeInfo> Store::node(NodeId id) const {
  std::string value;
  Status status = get(catalog::key(id, KeyKind::kNode), &value);
  if (status.code() == Code::kNotFound && id == kRootNode) {
    NodeInfo root;
    root.id = kRootNode;
    root.kind = NodeKind::kFolder;
    return root;
  }
  if (status.code() == Code::kNotFound) return not_found("there is no such directory");
  STELA_TRY(status);
  STELA_ASSIGN(store::NodeEntry entry, store::NodeEntry::decode(value));
  if (entry.dropped) return not_found("'" + entry.name + "' was dropped");
  NodeInfo info = store::node_info(id, entry);
  if (info.kind == NodeKind::kDataset) {
    auto latest = Table(impl_.get(), id).latest();
    if (latest.ok() && latest->value > 0) {
      auto version = Table(impl_.get(), id).version(*latest);
      if (version.ok()) info.changed_ns = std::max(info.changed_ns, version->time_ns);
    }
  }
  return info;
}

Result<NodeInfo> Store::child(NodeId folder, std::string_view name) const {
  std::string value;
  Status status = get(catalog::key(folder, KeyKind::kName, name), &value);
  if (status.code() == Code::kNotFound) return not_found("there is no '" + std::string(name) + "'");
  STELA_TRY(status);
  STELA_ASSIGN(store::NameEntry entry, store::NameEntry::decode(value));
  if (entry.node.value == 0) return not_found("there is no '" + std::string(name) + "'");
  return node(entry.node);
}

Result<NodeInfo> Store::lookup(std::string_view path) const {
  STELA_ASSIGN(auto parts, store::split_path(path));
  STELA_ASSIGN(NodeInfo at, node(kRootNode));
  for (const std::string& part : parts) {
    auto next = child(at.id, part);
    if (next.status().code() == Code::kNotFound) {
      return not_found("there is no '" + std::string(path) + "' in the store");
    }
    if (!next.ok()) return next.status();
    at = *next;
  }
  return at;
}

Result<std::vector<NodeInfo>> Store::children(NodeId folder, std::string_view after, size_t limit) const {
  std::string prefix = catalog::prefix(folder, KeyKind::kName);
  std::vector<NodeId> ids;
  Status inner;
  STELA_TRY(scan(prefix, kSequenceMax, after.empty() ? std::string() : prefix + std::string(after),
                 [&](std::string_view, std::string_view value, Sequence) {
                   auto entry = store::NameEntry::decode(value);
                   if (!entry.ok()) inner = entry.status();
                   if (entry.ok() && entry->node.value != 0) ids.push_back(entry->node);
                   return inner.ok() && ids.size() < limit;
                 }));
  STELA_TRY(inner);
  std::vector<NodeInfo> result;
  for (NodeId id : ids) {
    auto info = node(id);
    if (info.status().code() == Code::kNotFound) continue;  // dropped since the names were read
    if (!info.ok()) return info.status();
    result.push_back(*info);
  }
  return result;
}

std::string Store::path_of(NodeId id) const {
  std::string path;
  for (int depth = 0; id != kRootNode && depth < 4096; ++depth) {
    std::string value;
    if (!get(catalog::key(id, KeyKind::kNode), &value).ok()) return path;
    auto entry = store::NodeEntry::decode(value);
    if (!entry.ok()) return path;
    path = "/" + entry->name + path;
    id = entry->parent;
  }
  return path.empty() ? "/" : path;
}

Result<NodeInfo> Store::make_directory(NodeId parent, std::string_view name, const NodeAttributes& attributes,
                                       const CommitInfo& info) {
  NodeId reserved;
  if (store::Branch* branch = impl_->branch()) {
    STELA_ASSIGN(reserved, branch->new_node());
  }
  auto made = std::make_shared<NodeInfo>();
  auto build = [=, text = std::string(name)](Builder& builder) -> Status {
    NodeId id = reserved.value != 0 ? reserved : builder.new_node();
    STELA_ASSIGN(*made, store::build_directory(builder, id, parent, text, attributes));
    return {};
  };
  STELA_TRY(run_names(*impl_, Privilege::kOrdinary, {{parent, std::string(name)}}, info, build));
  return *made;
}

Status Store::remove_directory(NodeId parent, std::string_view name, const CommitInfo& info) {
  return run_names(*impl_, Privilege::kRemoval, {{parent, std::string(name)}}, info,
                   [parent, text = std::string(name)](Builder& builder) {
                     return store::build_remove_directory(builder, parent, text);
                   });
}

Status Store::rename(NodeId from, std::string_view name, NodeId to, std::string_view new_name, const CommitInfo& info) {
  return run_names(*impl_, Privilege::kRemoval, {{from, std::string(name)}, {to, std::string(new_name)}}, info,
                   [=, text = std::string(name), new_text = std::string(new_name)](Builder& builder) {
                     return store::build_rename(builder, from, text, to, new_text);
                   });
}

Status Store::set_attributes(NodeId id, const NodeAttributes& attributes, const CommitInfo&) {
  return impl_->commit(Privilege::kRemoval, [&](Builder& b) { return store::build_attributes(b, id, attributes); })
      .status();
}

namespace {

// The folder a path's last part lies in, and that part.
Result<std::pair<NodeId, std::string>> split_last(const Store& store, std::string_view path) {
  STELA_ASSIGN(auto parts, store::split_path(path));
  if (parts.empty()) return invalid("'/' itself cannot be changed");
  NodeId at = kRootNode;
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    STELA_ASSIGN(NodeInfo info, store.child(at, parts[i]));
    at = info.id;
  }
  return std::pair(at, parts.back());
}

}  // namespace

Status Store::drop(std::string_view path, bool recursive, const CommitInfo& info) {
  STELA_ASSIGN(auto place, split_last(*this, path));
  return run_names(*impl_, Privilege::kRemoval, {place}, info, [place, recursive](Builder& builder) {
    return store::build_drop(builder, place.first, place.second, recursive);
  });
}

Result<NodeInfo> Store::restore_dropped(std::string_view path, const CommitInfo& info) {
  STELA_ASSIGN(auto place, split_last(*this, path));
  NodeInfo restored;
  auto columns_at = [&](NodeId dataset, Sequence s) -> Result<std::vector<std::pair<ColumnId, store::ColumnEntry>>> {
    std::vector<std::pair<ColumnId, store::ColumnEntry>> columns;
    std::string prefix = catalog::prefix(dataset, KeyKind::kColumn);
    Status inner;
    STELA_TRY(scan(prefix, s, {}, [&](std::string_view key, std::string_view value, Sequence) {
      auto entry = store::ColumnEntry::decode(value);
      if (!entry.ok()) {
        inner = entry.status();
        return false;
      }
      if (!entry->dropped) columns.emplace_back(ColumnId{get_ordered(key.data() + prefix.size())}, std::move(*entry));
      return true;
    }));
    STELA_TRY(inner);
    return columns;
  };
  STELA_TRY(impl_
                ->commit(Privilege::kOrdinary,
                         [&](Builder& builder) -> Status {
                           builder.set_author(info.author);
                           STELA_ASSIGN(restored,
                                        store::build_restore(builder, place.first, place.second, info, columns_at));
                           return {};
                         })
                .status());
  return restored;
}

Result<Table> Store::create_table(std::string_view path, const CommitInfo& info, const NodeAttributes& attributes) {
  STELA_ASSIGN(auto parts, store::split_path(path));
  if (parts.empty()) return invalid("'/' is no dataset");
  NodeId at = kRootNode;
  for (size_t i = 0; i < parts.size(); ++i) {
    bool last = i + 1 == parts.size();
    auto made = make_directory(at, parts[i], attributes, info);
    if (!made.ok() && (last || made.status().code() != Code::kExists)) return made.status();
    if (!made.ok()) made = child(at, parts[i]);
    if (!made.ok()) return made.status();
    at = made->id;
  }
  return Table(impl_.get(), at);
}

Result<Table> Store::table(std::string_view path) const {
  STELA_ASSIGN(NodeInfo info, lookup(path));
  return table(info.id);
}

Result<Table> Store::table(NodeId id) const {
  STELA_ASSIGN(NodeInfo info, node(id));
  if (info.kind == NodeKind::kFolder) return invalid("'" + path_of(id) + "' is a folder, not a dataset");
  return Table(impl_.get(), id);
}

Result<std::unique_ptr<Transaction>> Store::begin() {
  if (impl_->branch() != nullptr) return invalid("a transaction cannot begin within another");
  return std::unique_ptr<Transaction>(new Transaction(std::unique_ptr<Store>(new Store(StoreImpl::branch_of(*impl_)))));
}

Transaction::Transaction(std::unique_ptr<Store> store) : store_(std::move(store)) {}
Transaction::~Transaction() = default;

Table Transaction::table(NodeId dataset) const { return Table(store_->impl_.get(), dataset); }
Store& Transaction::store() const { return *store_; }
uint64_t Transaction::changes() const { return store_->impl_->branch()->changes(); }
std::vector<FolderName> Transaction::names() const { return store_->impl_->branch()->names(); }

Status Transaction::check() const { return store_->impl_->branch()->check(); }

Result<std::vector<std::pair<NodeId, VersionInfo>>> Transaction::commit(const CommitInfo& info) {
  return store_->impl_->branch()->commit(info);
}

void Transaction::give_up(Status why) { store_->impl_->branch()->give_up(std::move(why)); }

Result<CompactionReport> Store::compact(NodeId dataset, const CompactionOptions& options) {
  if (impl_->branch() != nullptr) return unsupported("a transaction cannot compact");
  STELA_TRY(impl_->maintenance().run(true, true));
  return impl_->maintenance().compact(dataset, options);
}

Status Store::maintain(bool force) { return impl_->maintenance().run(force, force); }
std::optional<std::string> Store::read_only_reason() const { return impl_->core().latch.reason(); }
uint64_t Store::store_id() const { return impl_->core().store_id; }
const StoreOptions& Store::options() const { return impl_->core().options; }
Env& Store::env() const { return *impl_->core().env; }

StoreCounters Store::counters() const {
  store::Core& core = impl_->core();
  StoreCounters out;
  out.commits = core.counters.commits.load();
  out.groups = core.counters.groups.load();
  out.log_bytes = core.counters.log_bytes.load();
  out.log_syncs = out.groups;
  out.flushes = core.counters.flushes.load();
  out.merges = core.counters.merges.load();
  out.folds = core.counters.folds.load();
  out.files_removed = core.counters.files_removed.load();
  out.commit_waits = core.counters.commit_waits.load();
  out.data_files = core.counters.data_files.load();
  out.data_bytes = core.counters.data_bytes.load();
  out.tail_bytes = impl_->committer().tail_bytes();
  out.tail_rows = impl_->committer().tail_rows();
  out.log_bytes_since_checkpoint = impl_->committer().log_bytes_since_checkpoint();
  catalog::BlockCache::Counters cache = core.cache->counters();
  out.cache_hits = cache.hits;
  out.cache_misses = cache.misses;
  out.cache_bytes = cache.bytes;
  out.catalog_runs = core.states.current()->catalog->runs.size();
  out.newest_sequence = core.states.newest().value;
  return out;
}

}  // namespace stela
