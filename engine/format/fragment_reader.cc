#include <algorithm>

#include "engine/format/section_trailer.h"
#include "engine/format/stored_chunk.h"

namespace stela::format {
namespace {

// Trailer and the root of the column table are read in one piece.
constexpr uint64_t kTailBytes = kTrailerBytes + kTreeNodeBytesMax + sizeof(uint32_t);

struct TableEntry {
  ColumnId id;
  uint64_t offset = 0;
  uint32_t bytes = 0;
};

TableEntry table_entry(const TreeLeaf& leaf, uint64_t index) {
  const char* at = leaf.payload.data() + index * kTableEntryBytes;
  return {ColumnId(get_fixed<uint64_t>(at)), get_fixed<uint64_t>(at + 8), get_fixed<uint32_t>(at + 16)};
}

class SectionReader final : public FragmentReader {
 public:
  SectionReader(SectionSource source, SectionTrailer trailer, EntryTree table)
      : source_(std::move(source)), trailer_(trailer), table_(std::move(table)) {}

  uint64_t rows() const override { return trailer_.rows; }
  uint64_t columns() const override { return trailer_.columns; }
  Result<std::shared_ptr<const ColumnChunk>> column(ColumnId id) const override;
  Result<std::vector<ColumnId>> column_ids() const override;

 private:
  Status check_leaf(const TreeLeaf& leaf) const {
    if (leaf.count > 0 && leaf.payload.size() == size_t{leaf.count} * kTableEntryBytes) return {};
    return damaged(source_.name() + ": a block of the column table does not have the size of its entries");
  }
  SectionSource source_;
  SectionTrailer trailer_;
  EntryTree table_;
};

Result<std::shared_ptr<const ColumnChunk>> SectionReader::column(ColumnId id) const {
  STELA_ASSIGN(TreeLeaf leaf, find_leaf(table_, {SealKind::kColumnTable, 0}, id.value, source_));
  STELA_TRY(check_leaf(leaf));
  uint32_t low = 0, high = leaf.count;
  while (high - low > 1) {
    uint32_t middle = low + (high - low) / 2;
    (table_entry(leaf, middle).id <= id ? low : high) = middle;
  }
  TableEntry entry = table_entry(leaf, low);
  std::string name = source_.name() + ": column " + std::to_string(id.value);
  if (entry.id != id) return not_found(name + " is not in this fragment");
  if (entry.bytes > kColumnMetadataBytesMax || entry.bytes <= sizeof(uint32_t)) {
    return damaged(name + ": the size of its metadata cannot be");
  }
  STELA_ASSIGN(auto block, source_.node(entry.offset, entry.bytes, {SealKind::kColumnMetadata, id.value, 0, 0}));
  auto metadata = decode_column_metadata(as_text(block->span(0, entry.bytes - sizeof(uint32_t))), id, trailer_.rows);
  if (!metadata.ok()) return metadata.status().with_context(name);
  return std::shared_ptr<const ColumnChunk>(std::make_shared<StoredChunk>(
      source_, std::move(metadata).value(), StoredChunk::MetadataPlace{entry.offset, entry.bytes}));
}

Result<std::vector<ColumnId>> SectionReader::column_ids() const {
  std::vector<ColumnId> ids;
  LeafWalker walker(table_, {SealKind::kColumnTable, 0}, source_);
  TreeLeaf leaf;
  for (;;) {
    STELA_ASSIGN(bool more, walker.next(&leaf));
    if (!more) return ids;
    STELA_TRY(check_leaf(leaf));
    for (uint32_t i = 0; i < leaf.count; ++i) ids.push_back(table_entry(leaf, i).id);
  }
}

// The root lies right before the trailer; `tail` ends with the trailer.
Result<EntryTree> read_root(const SectionTrailer& trailer, const SectionSource& source, const Buffer& tail) {
  EntryTree table;
  table.levels = trailer.levels;
  table.entries = trailer.columns;
  table.root_count = trailer.root_count;
  uint64_t bytes = trailer.root_bytes;
  if (bytes <= sizeof(uint32_t) || bytes > tail.size() - kTrailerBytes) {
    return damaged(source.name() + ": the size of the column table cannot be");
  }
  ByteSpan root = tail.span(tail.size() - kTrailerBytes - bytes, bytes - sizeof(uint32_t));
  auto crc = get_fixed<uint32_t>(root.data() + root.size());
  if (!seal_matches(crc, source.scope(), {SealKind::kColumnTable, 0, trailer.levels, 0}, root)) {
    return damaged(source.name() + ": the checksum of the column table is wrong");
  }
  table.root = std::string(as_text(root));
  return table;
}

}  // namespace

Result<std::shared_ptr<const FragmentReader>> FragmentReader::open(FragmentContext context, FileId file,
                                                                   uint64_t offset, uint64_t length) {
  SectionSource source(std::move(context), file, offset, length);
  STELA_ASSIGN(auto reader, source.open());
  if (length < kTrailerBytes || length > reader->size() || offset > reader->size() - length) {
    return damaged(source.name() + ": the file is shorter than the store says; bring it back from a backup");
  }
  Buffer tail(std::min(length, kTailBytes));
  STELA_TRY(reader->read_at(offset + length - tail.size(), tail.span()));
  auto trailer = decode_trailer(tail.span(tail.size() - kTrailerBytes, kTrailerBytes), source.scope(), length);
  if (!trailer.ok()) return trailer.status().with_context(source.name());
  STELA_ASSIGN(EntryTree table, read_root(*trailer, source, tail));
  return std::shared_ptr<const FragmentReader>(
      std::make_shared<SectionReader>(std::move(source), *trailer, std::move(table)));
}

}  // namespace stela::format
