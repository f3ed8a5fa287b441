#include "engine/store/fragment_parts.h"

#include <algorithm>

namespace stela::store {
Result<GroupParts> read_parts(const catalog::CatalogState& catalog, catalog::Stamp stamp, NodeId dataset) {
  GroupParts parts;
  Status inner;
  std::string prefix = catalog::prefix(dataset, catalog::KeyKind::kFragment);
  STELA_TRY(catalog.scan(prefix, catalog::prefix_end(prefix), stamp,
                         [&](std::string_view key, std::string_view value, Sequence birth) {
                           auto entry = FragmentEntry::decode(value);
                           if (!entry.ok() || key.size() != prefix.size() + 16) {
                             inner = entry.ok() ? damaged("a fragment's key is malformed") : entry.status();
                             return false;
                           }
                           GroupId group{get_ordered(key.data() + prefix.size())};
                           uint64_t first = get_ordered(key.data() + prefix.size() + 8);
                           parts[group].push_back({first, birth, std::move(*entry)});
                           return true;
                         }));
  STELA_TRY(inner);
  return parts;
}

std::vector<std::vector<GroupId>> alike_groups(const GroupParts& parts) {
  std::map<std::vector<std::pair<uint64_t, uint64_t>>, std::vector<GroupId>> by_bounds;
  for (const auto& [group, list] : parts) {
    std::vector<std::pair<uint64_t, uint64_t>> bounds;
    for (const Part& part : list) bounds.emplace_back(part.first_row, part.entry.rows);
    by_bounds[bounds].push_back(group);
  }
  std::vector<std::vector<GroupId>> result;
  for (auto& [bounds, groups] : by_bounds) result.push_back(std::move(groups));
  return result;
}

Result<std::map<ColumnId, DataType>> columns_of(const catalog::CatalogState& catalog, catalog::Stamp stamp,
                                                NodeId dataset, const std::vector<GroupId>& groups) {
  std::map<ColumnId, DataType> columns;
  Status inner;
  std::string prefix = catalog::prefix(dataset, catalog::KeyKind::kColumn);
  STELA_TRY(catalog.scan(
      prefix, catalog::prefix_end(prefix), stamp, [&](std::string_view key, std::string_view value, Sequence) {
        auto entry = ColumnEntry::decode(value);
        if (!entry.ok()) {
          inner = entry.status();
          return false;
        }
        if (groups.empty() || std::find(groups.begin(), groups.end(), entry->group) != groups.end()) {
          columns[ColumnId{get_ordered(key.data() + prefix.size())}] = entry->type;
        }
        return true;
      }));
  STELA_TRY(inner);
  return columns;
}

namespace {

// What was mapped as a plain file before a merge is so after it.
Result<bool> is_flat_somewhere(const std::vector<std::shared_ptr<const format::FragmentReader>>& readers, ColumnId id) {
  for (const auto& reader : readers) {
    auto chunk = reader->column(id);
    if (!chunk.ok() && chunk.status().code() != Code::kNotFound) return chunk.status();
    if (chunk.ok() && (*chunk)->flat()) return true;
  }
  return false;
}

}  // namespace

Status copy_parts(FileTable& files, const std::vector<Part>& parts, const std::map<ColumnId, DataType>& columns,
                  format::FragmentWriter& writer) {
  std::vector<std::shared_ptr<const format::FragmentReader>> readers;
  std::map<ColumnId, bool> present;
  for (const Part& part : parts) {
    STELA_ASSIGN(auto reader, files.section(part.entry.file, part.entry.offset, part.entry.length));
    STELA_ASSIGN(std::vector<ColumnId> ids, reader->column_ids());
    for (ColumnId id : ids) present[id] = columns.contains(id);
    readers.push_back(std::move(reader));
  }
  std::vector<format::ColumnSpec> specs;
  for (const auto& [id, wanted] : present) {
    if (!wanted) continue;
    STELA_ASSIGN(bool keep_flat, is_flat_somewhere(readers, id));
    specs.push_back({id, columns.at(id), keep_flat});
  }
  STELA_TRY(writer.begin_section(specs));
  constexpr uint64_t kBatchBytes = 8 << 20;
  for (size_t i = 0; i < parts.size(); ++i) {
    std::vector<std::shared_ptr<const format::ColumnChunk>> chunks;
    uint64_t value_bytes = 0;
    for (const format::ColumnSpec& spec : specs) {
      auto chunk = readers[i]->column(spec.id);
      if (!chunk.ok() && chunk.status().code() != Code::kNotFound) return chunk.status();
      chunks.push_back(chunk.ok() ? *chunk : nullptr);
      if (chunk.ok()) value_bytes += (*chunk)->value_bytes();
    }
    uint64_t row_bytes = std::max<uint64_t>(1, value_bytes / std::max<uint64_t>(1, parts[i].entry.rows));
    uint64_t batch = std::clamp<uint64_t>(kBatchBytes / row_bytes, 1, 65536);
    for (uint64_t row = 0; row < parts[i].entry.rows; row += batch) {
      uint64_t count = std::min(batch, parts[i].entry.rows - row);
      std::vector<ColumnData> data;
      std::vector<ColumnView> views;
      for (size_t c = 0; c < specs.size(); ++c) {
        data.emplace_back(specs[c].type);
        if (chunks[c] == nullptr) {
          data.back().append_nulls(count);
        } else {
          STELA_TRY(chunks[c]->read(parts[i].entry.skip + row, count, data.back()));
        }
      }
      for (const ColumnData& column : data) views.push_back(column.view());
      STELA_TRY(writer.append(views));
    }
  }
  return {};
}

void put_replacements(Builder& builder, NodeId dataset, const std::vector<Replacement>& replacements,
                      const format::FragmentWriter& writer) {
  for (const auto& [group, parts, section] : replacements) {
    auto key_of = [&, g = group](uint64_t row) {
      return catalog::key(dataset, catalog::KeyKind::kFragment, g.value, row);
    };
    const uint64_t first = parts.front().first_row;
    Sequence birth = parts.front().birth;
    for (const Part& part : parts) birth = std::min(birth, part.birth);
    for (const Part& part : parts) {
      const bool superseded = part.first_row == first && part.birth == birth;
      if (!superseded) builder.erase_physical(key_of(part.first_row), part.birth);
    }
    FragmentEntry entry{
        writer.file_id(), section.offset, section.length, section.rows, bytes_of(writer) / replacements.size(),
        section.flats};
    builder.put_physical(key_of(first), entry.encode(), birth);
  }
}

void put_files(Builder& builder, const format::FragmentWriter& writer) {
  for (const format::DataFile& file : writer.files()) {
    builder.put_physical(catalog::key(NodeId{0}, catalog::KeyKind::kFile, file.id.value),
                         FileEntry{file.kind, file.bytes}.encode(), builder.sequence());
  }
}

void settle_files(Core& core, const format::FragmentWriter& writer) {
  for (const format::DataFile& file : writer.files()) {
    core.files->settle(file.id);
    core.files->trust_written(file);
    core.counters.data_files.fetch_add(1, std::memory_order_relaxed);
    core.counters.data_bytes.fetch_add(file.bytes, std::memory_order_relaxed);
  }
}

uint64_t bytes_of(const format::FragmentWriter& writer) {
  uint64_t bytes = 0;
  for (const format::DataFile& file : writer.files()) bytes += file.bytes;
  return bytes;
}

}  // namespace stela::store
