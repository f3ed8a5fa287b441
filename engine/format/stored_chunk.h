// StoredChunk: a column of a section as files hold it, paged or flat.
#pragma once

#include "engine/format/column_figures.h"
#include "engine/format/flat_reader.h"
#include "engine/format/page_reader.h"

namespace stela::format {

class StoredChunk final : public ColumnChunk {
 public:
  // `where`: of the metadata block, so that verify() reads it again.
  struct MetadataPlace {
    uint64_t offset = 0;
    uint32_t bytes = 0;
  };
  StoredChunk(SectionSource source, ColumnMetadata metadata, MetadataPlace where)
      : source_(std::move(source)),
        metadata_(std::move(metadata)),
        where_(where),
        pages_(metadata_, source_),
        flat_(metadata_, source_) {}
  StoredChunk(const StoredChunk&) = delete;
  StoredChunk& operator=(const StoredChunk&) = delete;

  const DataType& type() const override { return metadata_.type; }
  uint64_t rows() const override { return metadata_.rows; }
  uint64_t nulls() const override { return metadata_.nulls; }
  uint64_t value_bytes() const override { return metadata_.value_bytes; }
  Status read(uint64_t first, uint64_t count, ColumnData& out) const override;
  Status read_rows(std::span<const uint64_t> ascending, ColumnData& out) const override;
  Result<uint64_t> nulls_in(uint64_t first, uint64_t count) const override;
  Result<uint64_t> value_bytes_in(uint64_t first, uint64_t count) const override;
  Result<Statistics> statistics() const override;
  Result<std::vector<Statistics>> fine_statistics() const override;
  Result<std::vector<PageInfo>> pages() const override;
  Result<EncodedPage> encoded_page(uint64_t row) const override;
  std::optional<FlatInfo> flat() const override { return metadata_.flat; }
  Result<bool> verify_flat(Clock& clock, int64_t deadline_ns) const override;
  Status verify(const std::function<void(const Damage&)>& damage) const override;

 private:
  Status check_range(uint64_t first, uint64_t count) const;
  Status read_flat(uint64_t first, uint64_t count, ColumnData& out) const;
  Status read_flat_rows(std::span<const uint64_t> rows, ColumnData& out) const;
  Status mark_nulls(uint64_t first, uint64_t count, ColumnData& out) const;
  Result<uint64_t> nulls_before(uint64_t row) const;
  Result<uint64_t> value_bytes_before(uint64_t row) const;
  // The column's into `statistics`.
  Status read_figures_if_whole(Statistics* statistics, ColumnFigures* figures) const;
  Status read_figures(const SectionSource& source, Statistics* statistics, ColumnFigures* figures) const;
  Result<std::vector<Statistics>> statistics_of(const EntryTree& tree, SealKind kind, const EntryTree& figures,
                                                SealKind figures_kind) const;
  Status verify_pages(const SectionSource& medium, const std::function<void(const Damage&)>& damage) const;
  Status verify_statistics(const SectionSource& medium, const std::function<void(const Damage&)>& damage) const;
  Damage whole_damage(const std::string& reason) const;

  SectionSource source_;
  ColumnMetadata metadata_;
  MetadataPlace where_;
  PageReader pages_;
  FlatReader flat_;
};

}  // namespace stela::format
