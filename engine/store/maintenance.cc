#include "engine/store/maintenance.h"

#include <algorithm>
#include <charconv>

#include "engine/base/canary.h"

namespace stela::store {

namespace {
// Nobody waits for upkeep who could catch them.
template <typename Function>
Status without_exceptions(Function&& function) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return {Code::kNoMemory, "memory ran out"};
  }
}
}  // namespace

Maintenance::Maintenance(Core& core, Committer& committer, LogDevice& log, Manifest manifest)
    : core_(core), committer_(committer), log_(log), manifest_(std::move(manifest)) {}

bool Maintenance::due() const {
  return committer_.log_bytes_since_checkpoint() > core_.options.flush_log_bytes ||
         committer_.tail_bytes() > core_.options.flush_tail_bytes;
}

Status Maintenance::run(bool force_flush, bool force_fold) {
  std::lock_guard lane(lane_);
  Status status = without_exceptions([&] { return run_round(force_flush, force_fold); });
  // Commits that wait for space in the log learn of any end, not only of a flush's.
  if (!status.ok()) committer_.flush_ended(status);
  return status;
}

Status Maintenance::run_round(bool force_flush, bool force_fold) {
  STELA_TRY(core_.latch.check());
  Status prepared = committer_.prepare_ahead();
  if (!prepared.ok() && !is_full(prepared)) return note_failure(prepared);
  if (force_flush || due()) {
    Status flushed = flush_with_reserve(false);
    committer_.flush_ended(flushed);
    STELA_TRY(note_failure(flushed));
  }
  STELA_TRY(note_failure(merge_fragments()));
  STELA_TRY(note_failure(fold_columns(force_fold)));
  STELA_TRY(note_failure(merge_runs()));
  STELA_TRY(note_failure(remove_files()));
  return note_failure(refill_reserve());
}

Status Maintenance::close() {
  std::lock_guard lane(lane_);
  return without_exceptions([&]() -> Status {
    STELA_TRY(core_.latch.check());
    return note_failure(flush_with_reserve(true));
  });
}

// A full disk passes; anything else that writing met may have lost what the system said it kept.
Status Maintenance::note_failure(const Status& status) { return core_.durable(status); }

Status Maintenance::flush_with_reserve(bool clean) {
  Status status = flush(clean);
  if (!is_full(status) || !reserve_present_) return status;
  // The reserve is for this: with the flush's files written the log becomes free.
  STELA_TRY(core_.env->files().remove(kReserveName));
  reserve_present_ = false;
  committer_.set_reserve_missing(true);
  return flush(clean);
}

Status Maintenance::refill_reserve() {
  if (reserve_present_ || core_.options.reserve_bytes == 0) return {};
  Files& files = core_.env->files();
  auto existing = files.open(kReserveName);
  if (!existing.ok()) {
    auto made = files.create(kReserveName);
    Status status = made.status();
    if (made.ok()) {
      Buffer zeros;
      zeros.append_zeros(std::min<uint64_t>(core_.options.reserve_bytes, 1 << 20));
      for (uint64_t written = 0; status.ok() && written < core_.options.reserve_bytes; written += zeros.size()) {
        status = (*made)->append(zeros.span());
      }
      FileWriter* writer = made->get();
      if (status.ok()) status = files.finish({&writer, 1});
    }
    if (is_full(status)) {
      committer_.set_reserve_missing(true);
      return {};
    }
    STELA_TRY(status);
  }
  reserve_present_ = true;
  committer_.set_reserve_missing(false);
  return {};
}

Status Maintenance::install_manifest(Manifest next) {
  next.number = manifest_.number + 1;
  next.store_id = manifest_.store_id;
  next.log_segment_bytes = manifest_.log_segment_bytes;
  next.lowest_unsettled_file = core_.files->lowest_unsettled();
  next.next_file = core_.files->next_file();
  Files& files = core_.env->files();
  try {
    STELA_TRY(write_manifest(files, next));
  } catch (const std::bad_alloc&) {  // it may be there and be the newest
    core_.latch.close("memory ran out while a manifest was written; the store is read-only until it is opened again");
    throw;
  }
  core_.env->crash_point("flush.manifest_written");
  uint64_t obsolete = manifest_.number;  // two are kept: this one and the one before
  manifest_ = std::move(next);
  if (obsolete > 1) {
    Status removed = files.remove(manifest_name(obsolete - 1));
    if (!removed.ok() && removed.code() != Code::kNotFound) return removed;
  }
  return {};
}

namespace {

// Tails of one dataset that begin and end at the same rows become one section.
struct SectionPlan {
  NodeId dataset;
  uint64_t first_row = 0;
  uint64_t rows = 0;
  Sequence birth;
  std::vector<GroupId> groups;
  std::vector<std::shared_ptr<const Tail>> tails;
};

std::vector<SectionPlan> plan_sections(const TailSet& tails) {
  std::map<std::tuple<NodeId, uint64_t, uint64_t>, SectionPlan> plans;
  for (const auto& [key, list] : tails.all()) {
    for (const auto& tail : list) {
      SectionPlan& plan = plans[{key.first, tail->first_row(), tail->rows()}];
      plan.dataset = key.first;
      plan.first_row = tail->first_row();
      plan.rows = tail->rows();
      plan.birth = plan.tails.empty() ? tail->birth() : std::min(plan.birth, tail->birth());
      plan.groups.push_back(key.second);
      plan.tails.push_back(tail);
    }
  }
  std::vector<SectionPlan> result;
  for (auto& [key, plan] : plans) result.push_back(std::move(plan));
  return result;
}

Status write_section(format::FragmentWriter& writer, const SectionPlan& plan, uint64_t batch_rows) {
  std::vector<format::ColumnSpec> specs;
  std::vector<const Tail*> sources;
  for (const auto& tail : plan.tails) {
    for (auto& [id, type] : tail->columns()) {
      specs.push_back({id, type});
      sources.push_back(tail.get());
    }
  }
  STELA_TRY(writer.begin_section(specs));
  for (uint64_t row = 0; row < plan.rows; row += batch_rows) {
    uint64_t count = std::min(batch_rows, plan.rows - row);
    std::vector<ColumnData> columns;
    std::vector<ColumnView> views;
    for (size_t i = 0; i < specs.size(); ++i) {
      columns.emplace_back(specs[i].type);
      sources[i]->read(specs[i].id, row, count, columns.back());
    }
    for (const ColumnData& column : columns) views.push_back(column.view());
    STELA_TRY(writer.append(views));
  }
  return {};
}

}  // namespace

Status Maintenance::write_tails(const Committer::Cut& cut, std::vector<catalog::Entry>& entries) {
  std::vector<SectionPlan> plans = plan_sections(*cut.tails);
  if (plans.empty()) return {};
  std::vector<FileId> allocated;
  auto allocate = [&] {
    allocated.push_back(core_.files->allocate());
    return allocated.back();
  };
  format::FragmentWriter writer(core_.env->files(), allocate, core_.fragment_options());
  for (const SectionPlan& plan : plans) {
    STELA_TRY(write_section(writer, plan, 65536));
    STELA_ASSIGN(format::SectionInfo section, writer.end_section());
    for (GroupId group : plan.groups) {
      FragmentEntry fragment{writer.file_id(), section.offset, section.length,
                             section.rows,     section.length, section.flats};
      entries.push_back({catalog::key(plan.dataset, catalog::KeyKind::kFragment, group.value, plan.first_row),
                         plan.birth, cut.sequence, false, fragment.encode()});
    }
    note_grown(plan.dataset);
  }
  core_.env->crash_point("flush.fragment_before_finish");
  STELA_TRY(writer.finish());
  core_.env->crash_point("flush.fragment_written");
  for (const format::DataFile& file : writer.files()) {
    FileEntry entry{file.kind, file.bytes};
    entries.push_back({catalog::key(NodeId{0}, catalog::KeyKind::kFile, file.id.value), cut.sequence, cut.sequence,
                       false, entry.encode()});
    core_.counters.data_files.fetch_add(1, std::memory_order_relaxed);
    core_.counters.data_bytes.fetch_add(file.bytes, std::memory_order_relaxed);
    core_.files->settle(file.id);
  }
  return {};
}

namespace {

bool comes_before(const catalog::Entry& entry, const catalog::EntryIterator& other) {
  if (int order = std::string_view(entry.key).compare(other.key()); order != 0) return order < 0;
  if (entry.birth != other.birth()) return entry.birth > other.birth();
  return entry.install > other.install();
}

void sort_entries(std::vector<catalog::Entry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const catalog::Entry& a, const catalog::Entry& b) {
    return std::tie(a.key, b.birth, b.install) < std::tie(b.key, a.birth, a.install);
  });
}

}  // namespace

Result<std::shared_ptr<const catalog::RunReader>> Maintenance::write_run(std::unique_ptr<catalog::EntryIterator> source,
                                                                         const std::vector<catalog::Entry>& more,
                                                                         bool drop_superseded) {
  Files& files = core_.env->files();
  FileId id = core_.files->allocate();
  STELA_ASSIGN(auto file, files.create(run_name(id)));
  catalog::RunWriter writer(*file, id, {.block_bytes = core_.options.run_block_bytes, .store_id = core_.store_id});
  // Of one (key, birth) only the newest install that every reader can see already is still needed, and
  // not even that when it is an erasure and nothing older lies elsewhere.
  Sequence seen_by_all = core_.states.oldest_pinned();
  std::string last_key;
  Sequence last_birth;
  bool last_settled = false;
  auto add = [&](const catalog::Entry& entry) -> Status {
    if (planted(Canary::kLoseDeletedRows) && catalog::is_of_kind(entry.key, catalog::KeyKind::kDeleted)) return {};
    bool same = entry.key == last_key && entry.birth == last_birth;  // no key is empty
    if (drop_superseded && same && last_settled) return {};
    last_settled = entry.install <= seen_by_all;
    last_key = entry.key;
    last_birth = entry.birth;
    if (drop_superseded && last_settled && entry.erased) return {};
    return writer.add(entry);
  };
  auto next = more.begin();
  for (source->seek({}); source->valid(); source->next()) {
    for (; next != more.end() && comes_before(*next, *source); ++next) STELA_TRY(add(*next));
    STELA_TRY(add({std::string(source->key()), source->birth(), source->install(), source->erased(),
                   std::string(source->value())}));
  }
  STELA_TRY(source->status());
  for (; next != more.end(); ++next) STELA_TRY(add(*next));
  STELA_TRY(writer.finish().status());
  FileWriter* handle = file.get();
  STELA_TRY(files.finish({&handle, 1}));
  core_.env->crash_point("flush.run_written");
  STELA_ASSIGN(auto reader, files.open(run_name(id)));
  return catalog::RunReader::open(std::move(reader), id, core_.store_id, core_.cache);
}

Status Maintenance::flush(bool clean) {
  bool log_moved = committer_.log_tail().position != manifest_.log_start.position;
  if (!committer_.has_unflushed() && !(clean && (log_moved || !manifest_.clean))) return {};
  Committer::Cut cut = committer_.cut();
  core_.env->crash_point("flush.cut");
  // What an earlier flush froze and could not write down lies below; this one takes it along.
  std::vector<std::shared_ptr<const TailSet>> frozen_tails;
  std::vector<catalog::Entry> entries;
  auto state = core_.states.current();
  std::vector<std::unique_ptr<catalog::EntryIterator>> sources;
  std::vector<std::shared_ptr<const catalog::MemTable>> frozen(state->catalog->tables.begin() + 1,
                                                               state->catalog->tables.end());
  for (const auto& table : frozen) sources.push_back(table->iterator());
  for (size_t i = 1; i < state->tails.size(); ++i) {
    Committer::Cut part = cut;
    part.tails = state->tails[i];
    STELA_TRY(write_tails(part, entries));
    frozen_tails.push_back(state->tails[i]);
  }
  sort_entries(entries);
  std::vector<std::shared_ptr<const catalog::RunReader>> runs;
  auto merged = catalog::merge_iterators(std::move(sources));
  merged->seek({});
  if (merged->valid() || !entries.empty()) {
    STELA_ASSIGN(auto run, write_run(std::move(merged), entries, false));
    runs.push_back(std::move(run));
  }
  Manifest next;
  next.log_start = cut.log;
  next.clean = clean;
  next.newest = cut.sequence;
  next.newest_time_ns = cut.time_ns;
  next.next_node = cut.next_node;
  for (const auto& run : runs) next.runs.push_back(run->info());
  for (const auto& run : cut.runs) next.runs.push_back(run->info());
  for (const auto& run : runs) core_.files->settle(run->info().file);
  if (planted(Canary::kReleaseLogEarly))
    STELA_TRY(log_.release(cut.log.position, core_.options.log_segments_ready + 1));
  STELA_TRY(install_manifest(std::move(next)));
  committer_.finish_cut(cut, frozen, frozen_tails, std::move(runs));
  core_.counters.flushes.fetch_add(1, std::memory_order_relaxed);
  STELA_TRY(log_.release(cut.log.position, core_.options.log_segments_ready + 1));
  core_.env->crash_point("flush.log_released");
  return {};
}

Status Maintenance::merge_runs() {
  auto state = core_.states.current();
  const auto& runs = state->catalog->runs;
  // Runs of about one size: the newest that are together as large as the next one, by the factor.
  if (runs.size() < core_.options.merge_factor) return {};
  size_t count = runs.size();
  uint64_t newer_bytes = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    bool dwarfed = i >= core_.options.merge_factor && runs[i]->info().bytes > newer_bytes * core_.options.merge_factor;
    if (dwarfed) {
      count = i;
      break;
    }
    newer_bytes += runs[i]->info().bytes;
  }
  std::vector<std::unique_ptr<catalog::EntryIterator>> sources;
  for (size_t i = 0; i < count; ++i) sources.push_back(runs[i]->iterator());
  bool everything = count == runs.size() || planted(Canary::kMergeLosesErasure);
  STELA_ASSIGN(auto merged, write_run(catalog::merge_iterators(std::move(sources)), {}, everything));
  Manifest next = manifest_;
  next.clean = false;
  next.runs.clear();
  // Only runs the manifest knows: one that a log record names stays named by that record.
  std::set<FileId> replaced;
  for (size_t i = 0; i < count; ++i) replaced.insert(runs[i]->info().file);
  next.runs.push_back(merged->info());
  for (const catalog::RunInfo& run : manifest_.runs) {
    if (!replaced.contains(run.file)) next.runs.push_back(run);
  }
  std::set<FileId> in_manifest;
  for (const catalog::RunInfo& run : manifest_.runs) in_manifest.insert(run.file);
  core_.files->settle(merged->info().file);
  STELA_TRY(install_manifest(std::move(next)));
  committer_.replace_runs([&](const std::vector<std::shared_ptr<const catalog::RunReader>>& now) {
    std::vector<std::shared_ptr<const catalog::RunReader>> result;
    bool placed = false;
    for (const auto& run : now) {
      if (!replaced.contains(run->info().file)) {
        result.push_back(run);
      } else if (!placed) {
        result.push_back(merged);
        placed = true;
      }
    }
    return result;
  });
  for (FileId file : replaced) {
    // Replay of the log may still want a run that a record names; it goes with a later merge or flush.
    if (!in_manifest.contains(file)) continue;
    Status removed = core_.env->files().remove(run_name(file));
    if (!removed.ok() && removed.code() != Code::kNotFound) return removed;
  }
  return {};
}

}  // namespace stela::store
