// The scrub: reads everything and says, for each damage, what a person would call it.
#include <map>
#include <set>

#include "engine/store/snapshot_impl.h"
#include "engine/store/store_impl.h"

namespace stela {

using catalog::KeyKind;

namespace {

struct Section {
  NodeId dataset;
  uint64_t first_row = 0;
  Sequence birth;
  store::FragmentEntry entry;
};

// Every living section once, however many groups or patches share it, under old versions too.
Result<std::vector<Section>> living_sections(const catalog::CatalogState& catalog, Sequence q) {
  std::vector<Section> sections;
  std::set<std::pair<FileId, uint64_t>> seen;
  std::string last_key;
  Sequence last_birth;
  auto entries = catalog.iterator();
  for (entries->seek({}); entries->valid(); entries->next()) {
    std::string_view key = entries->key();
    bool patch = key.size() == 25 && key[8] == static_cast<char>(KeyKind::kPatch);
    bool fold = key.size() == 17 && key[8] == static_cast<char>(KeyKind::kFold);
    if (!patch && !fold && (key.size() != 25 || key[8] != static_cast<char>(KeyKind::kFragment))) continue;
    if (entries->install() > q || (key == last_key && entries->birth() == last_birth)) continue;
    last_key = std::string(key);
    last_birth = entries->birth();
    if (entries->erased()) continue;
    store::FragmentEntry entry;
    if (patch) {
      STELA_ASSIGN(auto cells, store::PatchEntry::decode(entries->value()));
      if (cells.file.value == 0) continue;  // they lie in the entry, which its run's checksum covers
      entry.file = cells.file;
      entry.offset = cells.offset;
      entry.length = entry.bytes = cells.length;
    } else if (fold) {
      STELA_ASSIGN(auto folded, store::FoldEntry::decode(entries->value()));
      entry = std::move(folded.fragment);
    } else {
      STELA_ASSIGN(entry, store::FragmentEntry::decode(entries->value()));
    }
    if (!seen.insert({entry.file, entry.offset}).second) continue;
    sections.push_back(
        {NodeId{get_ordered(key.data())}, fold ? 0 : get_ordered(key.data() + 17), entries->birth(), std::move(entry)});
  }
  STELA_TRY(entries->status());
  return sections;
}

class Checker {
 public:
  Checker(const Store& store, StoreImpl& impl, const std::function<void(const DamageReport&)>& report)
      : store_(store), impl_(impl), report_(report) {}

  void check_section(const Section& section) {
    const store::FragmentEntry& entry = section.entry;
    std::string file = format::data_file_name(entry.file, format::FileKind::kFragment);
    auto reader = impl_.core().files->section(entry.file, entry.offset, entry.length);
    auto ids = reader.ok() ? (*reader)->column_ids() : Result<std::vector<ColumnId>>(reader.status());
    if (!ids.ok()) return report_whole(section, {}, file, ids.status().message());
    for (ColumnId id : *ids) {
      auto chunk = (*reader)->column(id);
      if (!chunk.ok()) {
        report_whole(section, id, file, chunk.status().message());
        continue;
      }
      Status status = (*chunk)->verify([&](const format::Damage& damage) { report_page(section, id, damage); });
      if (!status.ok()) report_whole(section, id, file, status.message());
    }
  }

 private:
  void report_whole(const Section& section, ColumnId column, const std::string& file, const std::string& reason) {
    DamageReport report = locate(section, column, 0, section.entry.rows);
    report.file = file;
    report.reason = reason;
    report_(report);
  }

  void report_page(const Section& section, ColumnId column, const format::Damage& damage) {
    DamageReport report = locate(section, column, damage.first_row, damage.rows);
    report.page = damage.page;
    report.file = format::data_file_name(
        damage.file, damage.file == section.entry.file ? format::FileKind::kFragment : format::FileKind::kFlat);
    report.reason = damage.reason;
    report_(report);
  }

  DamageReport locate(const Section& section, ColumnId column, uint64_t first_row, uint64_t rows) {
    DamageReport report;
    report.dataset = store_.path_of(section.dataset);
    report.first_row = section.first_row + first_row;
    report.rows = rows;
    std::string value;
    if (column.value != 0 && store_.get(catalog::key(section.dataset, KeyKind::kColumn, column.value), &value).ok()) {
      auto entry = store::ColumnEntry::decode(value);
      if (entry.ok()) report.column = entry->name;
    }
    report.first_version = first_version(section.dataset, section.birth, report.first_row);
    return report;
  }

  // The oldest version that sees `row` of a section born at `birth`.
  VersionNumber first_version(NodeId dataset, Sequence birth, uint64_t row) {
    VersionNumber oldest{0};
    Status status = store_.scan(catalog::prefix(dataset, KeyKind::kVersion), kSequenceMax, {},
                                [&](std::string_view, std::string_view value, Sequence) {
                                  auto entry = store::VersionEntry::decode(value);
                                  if (!entry.ok() || entry->info.sequence < birth) return false;
                                  if (entry->info.row_ids > row) oldest = entry->info.number;
                                  return true;
                                });
    return status.ok() ? oldest : VersionNumber{0};
  }

  const Store& store_;
  StoreImpl& impl_;
  const std::function<void(const DamageReport&)>& report_;
};

}  // namespace

Status Store::check(const std::function<void(const DamageReport&)>& report,
                    const std::function<void(uint64_t done, uint64_t total)>& progress) {
  store::ReadView view = impl_->core().states.view();
  if (auto reason = read_only_reason(); reason && !options().read_only) {
    DamageReport damage;
    damage.reason = *reason;
    report(damage);
  }
  for (const auto& run : view.catalog().runs) {
    STELA_TRY(run->verify([&](const std::string& reason) {
      DamageReport damage;
      damage.file = store::run_name(run->info().file);
      damage.reason = reason;
      report(damage);
    }));
  }
  auto sections = living_sections(view.catalog(), view.q());
  if (!sections.ok()) {
    DamageReport damage;
    damage.reason = sections.status().message();
    report(damage);
    return {};
  }
  uint64_t total = 0;
  uint64_t done = 0;
  for (const Section& section : *sections) total += section.entry.bytes;
  Checker checker(*this, *impl_, report);
  for (const Section& section : *sections) {
    checker.check_section(section);
    done += section.entry.bytes;
    if (progress) progress(done, total);
  }
  return {};
}

}  // namespace stela
