#include "engine/store/patches.h"

#include <algorithm>
#include <optional>

#include "engine/catalog/keys.h"
#include "engine/store/file_table.h"
#include "engine/store/record.h"

namespace stela::store {

Status for_each_patched_granule(
    const catalog::CatalogState& catalog, catalog::Stamp stamp, NodeId dataset, ColumnId column, WhichPatches which,
    Sequence after, uint64_t first, uint64_t end,
    const std::function<Result<bool>(uint64_t granule_first, std::vector<BornPatch>& patches)>& visit) {
  const std::string prefix = catalog::key(dataset, catalog::KeyKind::kPatch, column.value);
  auto entries = catalog.iterator(Sequence{after.value + 1}, stamp.s);
  std::vector<BornPatch> patches;
  uint64_t granule = 0;
  std::optional<Sequence> last_birth;  // of this key: only its newest install counts
  auto finish = [&]() -> Result<bool> {
    if (patches.empty()) return true;
    STELA_ASSIGN(bool more, visit(granule, patches));
    patches.clear();
    return more;
  };
  Sequence stop = after;
  auto key_of = [&](uint64_t row) { return catalog::key(dataset, catalog::KeyKind::kPatch, column.value, row); };
  for (entries->seek(key_of(first)); entries->valid();) {
    std::string_view key = entries->key();
    if (!key.starts_with(prefix)) break;
    if (key.size() != prefix.size() + 8) return damaged("a patch's key is malformed");
    uint64_t at = get_ordered(key.data() + prefix.size());
    if (at >= end) break;
    if (at != granule || !last_birth) {
      STELA_ASSIGN(bool more, finish());
      if (!more) return {};
      granule = at;
      last_birth = kSequenceMax;
      stop = after;
    }
    Sequence birth = entries->birth();
    if (birth <= stop) {  // older ones only from here
      entries->seek(key_of(at + 1));
      continue;
    }
    if (birth > stamp.s) {
      entries->seek_to(key_of(at), stamp.s, kSequenceMax);
      continue;
    }
    bool seen = entries->install() <= stamp.q && birth != *last_birth;
    if (seen) last_birth = birth;
    if (seen && !entries->erased()) {
      STELA_ASSIGN(PatchEntry entry, PatchEntry::decode(entries->value()));
      if (which == WhichPatches::kNeeded) stop = std::max(stop, entry.carried_to);
      patches.push_back({birth, std::move(entry)});
    }
    entries->next();
  }
  STELA_TRY(entries->status());
  return finish().status();
}

Result<ColumnData> PatchReader::values_of(const PatchEntry& entry, size_t count) const {
  ColumnData values(column_.type);
  if (entry.file.value == 0) {
    Decoder in(entry.cells);
    if (!decode_column(in, &values) || values.rows() != count || !(values.type() == column_.type)) {
      return damaged("the cells of a patch are malformed");
    }
    return values;
  }
  STELA_ASSIGN(auto section, files_.section(entry.file, entry.offset, entry.length));
  STELA_ASSIGN(auto chunk, section->column(column_.id));
  if (!(chunk->type() == column_.type) || entry.first_cell > chunk->rows() ||
      count > chunk->rows() - entry.first_cell) {
    return damaged("the cells of a patch are not in its file");
  }
  STELA_TRY(chunk->read(entry.first_cell, count, values));
  return values;
}

Status PatchReader::resolve(uint64_t granule_first, const std::vector<BornPatch>& patches, uint64_t first, uint64_t end,
                            PatchedCells& out) const {
  struct Cell {
    int32_t patch = -1;
    uint32_t index = 0;
  };
  std::vector<Cell> cells(granule_rows(column_.type));
  auto lay = [&](size_t patch, const GranuleRows& rows, size_t first_index) -> Status {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] >= cells.size()) return damaged("a patch has rows beyond its granule");
      Cell& cell = cells[rows[i]];
      if (cell.patch < 0) cell = {static_cast<int32_t>(patch), static_cast<uint32_t>(first_index + i)};
    }
    return {};
  };
  // Newest first: what is there stays. What a patch repeats is as old as the newest of what it repeats.
  Sequence stop = column_.folded;
  std::optional<size_t> carrier;
  std::vector<size_t> counts(patches.size());
  std::vector<GranuleRows> carried(patches.size());
  for (size_t i = 0; i < patches.size() && patches[i].birth > stop; ++i) {
    STELA_ASSIGN(GranuleRows written, decode_rows(patches[i].entry.written));
    STELA_ASSIGN(carried[i], decode_rows(patches[i].entry.carried));
    counts[i] = written.size() + carried[i].size();
    STELA_TRY(lay(i, written, 0));
    if (patches[i].entry.carried_to <= stop) continue;
    stop = patches[i].entry.carried_to;
    carrier = i;
  }
  if (carrier) STELA_TRY(lay(*carrier, carried[*carrier], counts[*carrier] - carried[*carrier].size()));

  std::vector<std::optional<ColumnData>> values(patches.size());
  for (size_t row = 0; row < cells.size();) {
    const Cell& cell = cells[row];
    uint64_t id = granule_first + row;
    if (cell.patch < 0 || id < first || id >= end) {
      ++row;
      continue;
    }
    size_t count = 1;
    while (row + count < cells.size() && id + count < end && cells[row + count].patch == cell.patch &&
           cells[row + count].index == cell.index + count) {
      ++count;
    }
    auto& of_patch = values[static_cast<size_t>(cell.patch)];
    if (!of_patch) {
      STELA_ASSIGN(of_patch,
                   values_of(patches[static_cast<size_t>(cell.patch)].entry, counts[static_cast<size_t>(cell.patch)]));
    }
    out.values.append(of_patch->view().slice(cell.index, count));
    for (size_t i = 0; i < count; ++i) out.rows.push_back(id + i);
    row += count;
  }
  return {};
}

Result<PatchedCells> PatchReader::cells(uint64_t first, uint64_t count) const {
  PatchedCells found{{}, ColumnData(column_.type)};
  if (!column_.has_patches() || count == 0) return found;
  uint64_t granule = granule_rows(column_.type);
  STELA_TRY(for_each_patched_granule(catalog_, stamp_, dataset_, column_.id, WhichPatches::kNeeded, column_.folded,
                                     first / granule * granule, first + count,
                                     [&](uint64_t at, std::vector<BornPatch>& patches) -> Result<bool> {
                                       STELA_TRY(resolve(at, patches, first, first + count, found));
                                       return true;
                                     }));
  return found;
}

Result<PatchReader::Granule> PatchReader::granule(uint64_t granule_first) const {
  Granule found{0, {{}, ColumnData(column_.type)}};
  if (!column_.has_patches()) return found;
  uint64_t end = granule_first + granule_rows(column_.type);
  STELA_TRY(for_each_patched_granule(catalog_, stamp_, dataset_, column_.id, WhichPatches::kNeeded, column_.folded,
                                     granule_first, end,
                                     [&](uint64_t at, std::vector<BornPatch>& patches) -> Result<bool> {
                                       Sequence stop = column_.folded;
                                       for (const BornPatch& patch : patches) {
                                         if (patch.birth <= stop) break;
                                         ++found.patches;
                                         stop = std::max(stop, patch.entry.carried_to);
                                       }
                                       STELA_TRY(resolve(at, patches, granule_first, end, found.cells));
                                       return true;
                                     }));
  return found;
}

}  // namespace stela::store
