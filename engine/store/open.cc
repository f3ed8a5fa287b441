// Creation, opening, recovery and closing of a store.
#include <algorithm>
#include <chrono>

#include "engine/log/log_reader.h"
#include "engine/store/snapshot_impl.h"
#include "engine/store/store_impl.h"

namespace stela {

using store::Manifest;

namespace store {
format::FragmentOptions Core::fragment_options() const {
  format::FragmentOptions fragment;
  fragment.store_id = store_id;
  fragment.page_bytes = options.page_bytes;
  fragment.flat_bytes_min = options.flat_bytes_min;
  fragment.statistics_rows = options.statistics_rows;
  fragment.memory_bytes = options.import_memory_bytes / 4;
  return fragment;
}

Status Core::durable(const Status& status) {
  if (status.code() == Code::kIo) {
    latch.close("files could not be made durable (" + status.message() +
                "); the store is read-only until it is opened again");
  }
  return status;
}
}  // namespace store

namespace {

Status check_options(const StoreOptions& options) {
  uint64_t segment = options.log_segment_bytes;
  if (segment < 4 * kLogBlock || segment > (uint64_t{1} << 30) || segment % kLogBlock != 0) {
    return invalid("log_segment_bytes must be a multiple of 4096 between 16384 and 1 GiB, not " +
                   std::to_string(segment));
  }
  if (options.merge_factor < 2) return invalid("merge_factor must be at least 2");
  if (options.statistics_rows == 0) return invalid("statistics_rows must be at least 1");
  return {};
}

// The first manifest of an empty store.
Status write_first_manifest(Files& files, uint64_t store_id, const StoreOptions& options) {
  Manifest manifest;
  manifest.number = 1;
  manifest.store_id = store_id;
  manifest.log_segment_bytes = options.log_segment_bytes;
  manifest.clean = true;
  return store::write_manifest(files, manifest);
}

}  // namespace

Result<std::unique_ptr<StoreImpl>> StoreImpl::create(std::shared_ptr<Env> env, const StoreOptions& options) {
  STELA_TRY(check_options(options));
  STELA_ASSIGN(auto lease, env->acquire_lease("creating"));
  Files& files = env->files();
  auto header = store::read_store_header(files);
  if (header.ok()) return Status(Code::kExists, "there is a Stela store here already");
  if (header.status().code() != Code::kNotFound) return header.status();
  store::StoreHeader fresh{env->random().next(), env->clock().utc_ns()};
  STELA_TRY(store::write_store_header(files, fresh));
  STELA_TRY(write_first_manifest(files, fresh.store_id, options));
  return open_with_lease(std::move(env), options, std::move(lease));
}

Result<std::unique_ptr<StoreImpl>> StoreImpl::open(std::shared_ptr<Env> env, const StoreOptions& options) {
  STELA_TRY(check_options(options));
  STELA_ASSIGN(auto lease, env->acquire_lease(options.read_only ? "open read-only" : "open"));
  return open_with_lease(std::move(env), options, std::move(lease));
}

Result<std::unique_ptr<StoreImpl>> StoreImpl::open_with_lease(std::shared_ptr<Env> env, const StoreOptions& options,
                                                              std::unique_ptr<Lease> lease) {
  Files& files = env->files();
  STELA_ASSIGN(store::StoreHeader header, store::read_store_header(files));
  auto manifest = store::read_newest_manifest(files);
  if (manifest.status().code() == Code::kNotFound && !options.read_only) {
    // The creation was interrupted after the header: nothing else can be there.
    STELA_TRY(write_first_manifest(files, header.store_id, options));
    manifest = store::read_newest_manifest(files);
  }
  if (!manifest.ok()) return manifest.status();
  if (manifest->store_id != header.store_id) return damaged("the manifest belongs to another store than 'STELA' says");

  std::unique_ptr<StoreImpl> impl(new StoreImpl());
  impl->lease_ = std::move(lease);
  impl->core_.env = std::move(env);
  impl->core_.options = options;
  impl->core_.store_id = header.store_id;
  impl->core_.cache = std::make_shared<catalog::BlockCache>(options.block_cache_bytes);
  impl->core_.files =
      std::make_unique<store::FileTable>(files, header.store_id, impl->core_.cache, options.descriptors_max);
  if (options.read_only) impl->core_.latch.close("the store was opened read-only");
  STELA_ASSIGN(impl->log_, impl->core_.env->open_log(manifest->log_segment_bytes));
  // A record must fit a segment whatever was asked for.
  StoreOptions& effective = impl->core_.options;
  effective.log_segment_bytes = manifest->log_segment_bytes;
  effective.inline_bytes_max = std::min(effective.inline_bytes_max, manifest->log_segment_bytes / 4);
  effective.entries_inline_max = std::min(effective.entries_inline_max, manifest->log_segment_bytes / 8);
  STELA_TRY(impl->recover(*manifest));
  impl->start_lane();
  return impl;
}

Status StoreImpl::recover(const Manifest& manifest) {
  Files& files = core_.env->files();
  auto catalog = std::make_shared<catalog::CatalogState>();
  auto table = std::make_shared<catalog::MemTable>();
  auto tails = std::make_shared<store::TailSet>();
  catalog->tables.push_back(table);
  for (const catalog::RunInfo& run : manifest.runs) {
    auto file = files.open(store::run_name(run.file));
    if (!file.ok()) return file.status().with_context("the catalogue cannot be opened");
    STELA_ASSIGN(auto reader, catalog::RunReader::open(*file, run.file, core_.store_id, core_.cache));
    catalog->runs.push_back(std::move(reader));
  }
  auto state = std::make_shared<store::State>();
  state->catalog = std::move(catalog);
  state->tails.push_back(tails);
  core_.states.replace(std::move(state), manifest.newest);
  core_.files->set_next_file(manifest.next_file);

  store::Committer::Start start{manifest.log_start, manifest.newest,  manifest.newest_time_ns,    manifest.next_node,
                                std::move(table),   std::move(tails), manifest.log_start.position};
  committer_ = std::make_unique<store::Committer>(core_, *log_, std::move(start));
  maintenance_ = std::make_unique<store::Maintenance>(core_, *committer_, *log_, manifest);
  STELA_ASSIGN(log::ReplayResult replayed,
               log::replay(*log_, core_.store_id, manifest.log_start, [&](std::string_view bytes) {
                 auto record = store::Record::decode(bytes);
                 return record.ok() ? committer_->apply_recovered(std::move(*record)) : record.status();
               }));
  committer_->recovered_to(replayed.tail);
  if (replayed.damage) core_.latch.close(*replayed.damage + "; the store is read-only, what lies before is readable");
  STELA_TRY(count_data_files());
  if (!core_.latch.check().ok()) return {};
  STELA_TRY(committer_->begin_epoch());
  core_.env->crash_point("recovery.epoch_written");
  STELA_TRY(maintenance_->clean_up_after_recovery());
  return maintenance_->refill_reserve();
}

Status StoreImpl::count_data_files() {
  store::ReadView view = core_.states.view();
  std::string prefix = catalog::prefix(NodeId{0}, catalog::KeyKind::kFile);
  return view.catalog().scan(prefix, catalog::prefix_end(prefix), view.newest(),
                             [&](std::string_view, std::string_view value, Sequence) {
                               auto entry = store::FileEntry::decode(value);
                               core_.counters.data_files.fetch_add(1);
                               core_.counters.data_bytes.fetch_add(entry.ok() ? entry->bytes : 0);
                               return true;
                             });
}

void StoreImpl::start_lane() {
  if (!core_.options.background || core_.options.read_only) return;
  committer_->set_wake_maintenance([this] {
    std::lock_guard lock(lane_mutex_);
    lane_woken_ = true;
    lane_wake_.notify_one();
  });
  lane_thread_ = std::thread([this] { lane(); });
}

void StoreImpl::lane() {
  auto idle = std::chrono::nanoseconds(std::max<int64_t>(core_.options.flush_idle_ns, 1'000'000));
  while (true) {
    bool woken = false;
    {
      auto fold = std::chrono::nanoseconds(std::max<int64_t>(maintenance_->next_fold_ns(), 1'000'000));
      std::unique_lock lock(lane_mutex_);
      woken = lane_wake_.wait_for(lock, std::min(idle, fold), [&] { return lane_woken_ || lane_stop_; }) || fold < idle;
      if (lane_stop_) return;
      lane_woken_ = false;
    }
    if (!core_.latch.check().ok()) continue;
    // What goes wrong is kept where it matters: the latch, or the commits that wait (flush_ended).
    Status ignored = maintenance_->run(!woken && committer_->has_unflushed(), false);
    (void)ignored;
  }
}

Status StoreImpl::close() {
  if (closed_) return {};
  closed_ = true;
  if (lane_thread_.joinable()) {
    {
      std::lock_guard lock(lane_mutex_);
      lane_stop_ = true;
      lane_wake_.notify_one();
    }
    lane_thread_.join();
    committer_->set_wake_maintenance({});
  }
  Status status;
  if (!core_.options.read_only && committer_) status = maintenance_->close();
  core_.latch.close("the store is closed");
  lease_.reset();
  return status;
}

StoreImpl::~StoreImpl() {
  Status ignored = close();
  (void)ignored;
}

Result<store::VersionEntry> StoreImpl::version_entry(const store::ReadView& view, NodeId dataset,
                                                     VersionNumber number) {
  std::string value;
  Status status = view.catalog().get(catalog::version_key(dataset, number), view.newest(), &value);
  if (status.code() == Code::kNotFound) return not_found("there is no version " + std::to_string(number.value));
  STELA_TRY(status);
  return store::VersionEntry::decode(value);
}

std::unique_ptr<StoreImpl> StoreImpl::branch_of(StoreImpl& parent) {
  std::unique_ptr<StoreImpl> impl(new StoreImpl());
  impl->parent_ = &parent;
  impl->closed_ = true;
  impl->branch_ = std::make_unique<store::Branch>(parent.core_, *parent.committer_);
  return impl;
}

Result<CommitResult> StoreImpl::commit(store::Privilege privilege, const store::Committer::Build& build) {
  if (branch_ != nullptr) return unsupported("a transaction changes rows, columns and names of datasets and folders; do this outside of it");
  return committer_->commit(privilege, build);
}

Result<std::shared_ptr<const SnapshotImpl>> StoreImpl::snapshot(NodeId dataset, VersionNumber number) {
  store::ReadView view = StoreImpl::view();
  VersionInfo info;
  if (number.value != 0) {
    STELA_ASSIGN(store::VersionEntry entry, version_entry(view, dataset, number));
    info = std::move(entry.info);
  } else {
    std::string prefix = catalog::prefix(dataset, catalog::KeyKind::kVersion);
    std::string newest;
    STELA_TRY(view.catalog().scan(prefix, catalog::prefix_end(prefix), view.newest(),
                                  [&](std::string_view, std::string_view value, Sequence) {
                                    newest = std::string(value);
                                    return false;
                                  }));
    if (newest.empty()) return not_found("the dataset has no version yet: it has neither columns nor rows");
    STELA_ASSIGN(store::VersionEntry entry, store::VersionEntry::decode(newest));
    info = std::move(entry.info);
  }
  return std::shared_ptr<const SnapshotImpl>(
      std::make_shared<SnapshotImpl>(core(), std::move(view), dataset, std::move(info)));
}

}  // namespace stela
