// The part of StoredChunk that reads its lists whole: statistics, pages, verification.
#include "engine/format/statistics_figures.h"
#include "engine/format/stored_chunk.h"

namespace stela::format {
namespace {

template <typename DecodeEntry>
Status decode_leaf(const TreeLeaf& leaf, DecodeEntry decode) {
  Decoder in(leaf.payload);
  for (uint32_t i = 0; i < leaf.count; ++i) {
    if (!decode(in)) return damaged("a block of statistics is malformed");
  }
  return in.at_end() ? Status() : damaged("a block of statistics is malformed");
}

// Of a whole list.
template <typename DecodeEntry>
Status decode_list(const EntryTree& tree, TreeName name, const SectionSource& source, DecodeEntry decode) {
  LeafWalker walker(tree, name, source);
  TreeLeaf leaf;
  for (;;) {
    STELA_ASSIGN(bool more, walker.next(&leaf));
    if (!more) return {};
    STELA_TRY(decode_leaf(leaf, decode).with_context(source.name()));
  }
}

}  // namespace

Result<std::vector<Statistics>> StoredChunk::statistics_of(const EntryTree& tree, SealKind kind,
                                                           const EntryTree& figures, SealKind figures_kind) const {
  std::vector<Statistics> all;
  STELA_TRY(decode_list(tree, {kind, metadata_.id.value}, source_,
                        [&](Decoder& in) { return decode_statistics(in, metadata_.type, &all.emplace_back()); }));
  if (figures.empty()) return all;
  std::vector<Statistics> with_figures = all;
  auto next = with_figures.begin();
  const Status read = decode_list(figures, {figures_kind, metadata_.id.value}, source_, [&](Decoder& in) {
    return next != with_figures.end() && decode_figures(in, &*next++);
  });
  if (read.ok() && next == with_figures.end()) return with_figures;
  if (!read.ok() && read.code() != Code::kDamaged) return read;
  return all;
}

Status StoredChunk::read_figures(const SectionSource& source, Statistics* statistics, ColumnFigures* figures) const {
  if (metadata_.figures_bytes == 0) return {};
  STELA_ASSIGN(auto block, source.node(metadata_.figures_offset, metadata_.figures_bytes,
                                       {SealKind::kColumnFigures, metadata_.id.value, 0, 0}));
  const auto bytes = as_text(block->span(0, metadata_.figures_bytes - sizeof(uint32_t)));
  return decode_column_figures(bytes, statistics, figures).with_context(source.name());
}

// Values and pages can be found without figures, so where these are damaged nothing is known of them, which verify()
// tells: the rest of a column is not lost with them.
Status StoredChunk::read_figures_if_whole(Statistics* statistics, ColumnFigures* figures) const {
  *statistics = metadata_.statistics;
  const Status read = read_figures(source_, statistics, figures);
  if (read.code() != Code::kDamaged) return read;
  *statistics = metadata_.statistics;
  *figures = {};
  return {};
}

Result<Statistics> StoredChunk::statistics() const {
  Statistics all;
  ColumnFigures figures;
  STELA_TRY(read_figures_if_whole(&all, &figures));
  return all;
}

Result<std::vector<Statistics>> StoredChunk::fine_statistics() const {
  Statistics all;
  ColumnFigures figures;
  STELA_TRY(read_figures_if_whole(&all, &figures));
  if (metadata_.fine_statistics.empty() && metadata_.rows > 0) return std::vector<Statistics>{std::move(all)};
  return statistics_of(metadata_.fine_statistics, SealKind::kFineStatistics, figures.fine, SealKind::kFineFigures);
}

Result<std::vector<PageInfo>> StoredChunk::pages() const {
  Statistics whole;
  ColumnFigures figures;
  STELA_TRY(read_figures_if_whole(&whole, &figures));
  std::vector<PageInfo> all;
  if (metadata_.flat) {
    all.push_back(
        {EncodingId::kPlain, metadata_.flat->header_bytes, metadata_.value_bytes, 0, metadata_.rows, std::move(whole)});
    return all;
  }
  std::vector<Statistics> statistics{std::move(whole)};
  if (!metadata_.page_statistics.empty()) {
    STELA_ASSIGN(statistics, statistics_of(metadata_.page_statistics, SealKind::kPageStatistics, figures.pages,
                                           SealKind::kPageFigures));
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
  Statistics whole = metadata_.statistics;
  ColumnFigures figures;
  const Status read = read_figures(medium, &whole, &figures);
  if (read.code() == Code::kDamaged) {
    damage(whole_damage(read.message()));
  } else {
    STELA_TRY(read);
  }
  struct List {
    SealKind kind;
    const EntryTree& tree;
    bool figures;
  };
  for (const List& list :
       {List{SealKind::kPageStatistics, metadata_.page_statistics, false},
        List{SealKind::kFineStatistics, metadata_.fine_statistics, false},
        List{SealKind::kPageFigures, figures.pages, true}, List{SealKind::kFineFigures, figures.fine, true}}) {
    auto decode = [&](Decoder& in) {
      Statistics ignored;
      ignored.rows = metadata_.rows;
      return list.figures ? decode_figures(in, &ignored) : decode_statistics(in, metadata_.type, &ignored);
    };
    LeafWalker walker(list.tree, {list.kind, metadata_.id.value}, medium);
    for (;;) {
      TreeLeaf leaf;
      Result<bool> more = walker.next(&leaf);
      if (more.ok() && !*more) break;
      Status status = more.ok() ? decode_leaf(leaf, decode) : more.status();
      if (status.code() == Code::kDamaged)
        damage(whole_damage(status.message()));
      else
        STELA_TRY(status);
    }
  }
  return {};
}

}  // namespace stela::format
