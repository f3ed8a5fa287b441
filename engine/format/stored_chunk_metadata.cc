// The part of StoredChunk that reads its lists whole: statistics, pages, verification.
#include "engine/format/stored_chunk.h"

namespace stela::format {
namespace {

Status decode_leaf(const TreeLeaf& leaf, const DataType& type, std::vector<Statistics>* out) {
  Decoder in(leaf.payload);
  for (uint32_t i = 0; i < leaf.count; ++i) {
    Statistics statistics;
    if (!decode_statistics(in, type, &statistics)) return damaged("a block of statistics is malformed");
    out->push_back(std::move(statistics));
  }
  return in.at_end() ? Status() : damaged("a block of statistics is malformed");
}

}  // namespace

Result<std::vector<Statistics>> StoredChunk::statistics_of(const EntryTree& tree, SealKind kind) const {
  std::vector<Statistics> all;
  LeafWalker walker(tree, {kind, metadata_.id.value}, source_);
  TreeLeaf leaf;
  for (;;) {
    STELA_ASSIGN(bool more, walker.next(&leaf));
    if (!more) return all;
    STELA_TRY(decode_leaf(leaf, metadata_.type, &all).with_context(source_.name()));
  }
}

Result<std::vector<Statistics>> StoredChunk::fine_statistics() const {
  if (metadata_.fine_statistics.empty() && metadata_.rows > 0) return std::vector<Statistics>{metadata_.statistics};
  return statistics_of(metadata_.fine_statistics, SealKind::kFineStatistics);
}

Result<std::vector<PageInfo>> StoredChunk::pages() const {
  std::vector<PageInfo> all;
  if (metadata_.flat) {
    all.push_back({EncodingId::kPlain, metadata_.flat->header_bytes, metadata_.value_bytes, 0, metadata_.rows,
                   metadata_.statistics});
    return all;
  }
  std::vector<Statistics> statistics{metadata_.statistics};
  if (!metadata_.page_statistics.empty()) {
    STELA_ASSIGN(statistics, statistics_of(metadata_.page_statistics, SealKind::kPageStatistics));
  }
  LeafWalker walker(metadata_.pages, {SealKind::kPageTree, metadata_.id.value}, source_);
  TreeLeaf leaf;
  for (;;) {
    STELA_ASSIGN(bool more, walker.next(&leaf));
    if (!more) break;
    for (uint32_t i = 0; i < leaf.count; ++i) {
      STELA_ASSIGN(PageEntry entry, page_entry_of(leaf, i, metadata_, source_.length()));
      if (all.size() == statistics.size()) return damaged(source_.name() + ": a page has no statistics");
      uint64_t bytes = uint64_t{entry.front_bytes} + entry.stored_bytes;
      all.push_back({EncodingId{entry.encoding}, source_.position(entry.offset), bytes, entry.first_row, entry.rows,
                     statistics[all.size()]});
    }
  }
  return all;
}

Damage StoredChunk::whole_damage(const std::string& reason) const {
  return {source_.file(), metadata_.id, 0, 0, metadata_.rows, reason};
}

Status StoredChunk::verify(const std::function<void(const Damage&)>& damage) const {
  SectionSource medium = source_.uncached();
  Status own = medium.node(where_.offset, where_.bytes, {SealKind::kColumnMetadata, metadata_.id.value, 0, 0}).status();
  if (own.code() == Code::kDamaged) {
    damage(whole_damage(own.message()));
    return {};
  }
  STELA_TRY(own);
  STELA_TRY(verify_pages(medium, damage));
  STELA_TRY(verify_statistics(medium, damage));
  if (!metadata_.flat) return {};
  return FlatReader(metadata_, medium).verify(damage);
}

Status StoredChunk::verify_pages(const SectionSource& medium, const std::function<void(const Damage&)>& damage) const {
  PageReader reader(metadata_, medium);
  LeafWalker walker(metadata_.pages, {SealKind::kPageTree, metadata_.id.value}, medium);
  uint64_t row = 0;  // the next page must begin here
  bool gap = false;  // a list block was damaged and reported
  for (;;) {
    TreeLeaf leaf;
    Result<bool> more = walker.next(&leaf);
    if (more.status().code() == Code::kDamaged) {
      damage(whole_damage("rows from " + std::to_string(walker.failed_key()) + " on: " + more.status().message()));
      gap = true;
      continue;
    }
    STELA_TRY(more.status());
    if (!*more) break;
    for (uint32_t i = 0; i < leaf.count; ++i) {
      Result<PageEntry> entry = page_entry_of(leaf, i, metadata_, medium.length());
      if (!entry.ok() || (!gap && entry->first_row != row)) {
        damage(whole_damage(entry.ok() ? "the page list has a gap" : entry.status().message()));
        gap = true;
        continue;
      }
      row = entry->end_row();
      gap = false;
      Status status = reader.verify(*entry);
      if (status.code() == Code::kDamaged) {
        damage({medium.file(), metadata_.id, entry->ordinal, entry->first_row, entry->rows, status.message()});
      } else {
        STELA_TRY(status);
      }
    }
  }
  bool complete = row == metadata_.rows || metadata_.pages.empty() || gap;
  if (!complete) damage(whole_damage("the page list ends before the rows do"));
  return {};
}

Status StoredChunk::verify_statistics(const SectionSource& medium,
                                      const std::function<void(const Damage&)>& damage) const {
  for (SealKind kind : {SealKind::kPageStatistics, SealKind::kFineStatistics}) {
    const EntryTree& tree = kind == SealKind::kPageStatistics ? metadata_.page_statistics : metadata_.fine_statistics;
    LeafWalker walker(tree, {kind, metadata_.id.value}, medium);
    for (;;) {
      TreeLeaf leaf;
      Result<bool> more = walker.next(&leaf);
      if (more.ok() && !*more) break;
      std::vector<Statistics> ignored;
      Status status = more.ok() ? decode_leaf(leaf, metadata_.type, &ignored) : more.status();
      if (status.code() == Code::kDamaged)
        damage(whole_damage(status.message()));
      else
        STELA_TRY(status);
    }
  }
  return {};
}

}  // namespace stela::format
