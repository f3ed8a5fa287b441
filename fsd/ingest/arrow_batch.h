// Rows of one column of an Arrow record batch as a column in memory, a bounded number at a time.
#pragma once

#include <vector>

#include "engine/types/column.h"
#include "fsd/ingest/arrow_body.h"
#include "fsd/ingest/arrow_field.h"

namespace stela::fsd {

// A batch's body bound to a field: counts and buffers checked against each other. The body, and the dictionary where
// the field has one, must stay and keep their contents while rows are read.
class ArrowBatch {
 public:
  // Takes the field's nodes and buffers at the cursor, which moves behind them. `dictionary`: null for a field
  // without one, and for the batch of a dictionary itself.
  static Result<ArrowBatch> bind(const ArrowBody& body, const ArrowField& field, const ColumnData* dictionary,
                                 ArrowBody::Cursor* cursor);
  // At most so many rows and about so many bytes at a time.
  void set_limits(uint64_t rows, uint64_t bytes);

  uint64_t rows() const { return rows_; }
  // Replaces `out`, whose type is the field's, with the next rows: about 4 MiB of them, at least one. No rows
  // at the end. kInvalid names the row within the batch.
  Status next(ColumnData& out);

 private:
  using Place = ArrowBody::Place;
  ArrowBatch(const ArrowBody& body, const ArrowField& field, const ColumnData* dictionary)
      : source_(&body.source()), field_(&field), dictionary_(dictionary), rows_(body.rows()) {}

  Status bind_places(const ArrowBody& body, ArrowBody::Cursor* cursor);
  Status check_sizes() const;
  uint64_t rows_at_a_time() const;
  Status read_bits(const Place& place, uint64_t first, uint64_t count, std::vector<uint8_t>& bits) const;
  Status read_validity(uint64_t count);
  Status read_fixed(uint64_t count, ColumnData& out);
  Status read_bools(uint64_t count, ColumnData& out);
  Status read_variable(uint64_t* count, ColumnData& out);
  Status read_views(uint64_t* count, ColumnData& out);
  Status read_offsets(uint64_t count);
  Status read_indices(uint64_t count, ColumnData& out);
  Status check_list_items(uint64_t count);
  Status check_values(uint64_t count, const ColumnData& out) const;
  Status finish_rows(uint64_t count, ColumnData& out);
  Status at_row(uint64_t row, const std::string& why) const;
  bool is_valid(uint64_t row) const { return validity_.empty() || bit_get(validity_.data(), (first_ & 7) + row); }

  ByteSource* source_;
  const ArrowField* field_;
  const ColumnData* dictionary_;
  uint64_t rows_ = 0;
  uint64_t rows_at_once_ = 64 << 10;
  uint64_t bytes_at_once_ = 4 << 20;
  int64_t nulls_declared_ = 0;
  uint64_t nulls_seen_ = 0;
  uint64_t first_ = 0;  // of the rows to be read next
  Place validity_place_;
  std::vector<Place> item_validity_;  // of each list level's items
  Place values_;                      // or offsets
  Place bytes_;                       // of variable values
  std::vector<Place> view_bytes_;     // of views
  std::vector<uint8_t> validity_;     // of the rows at hand, from bit first_ & 7; empty: all valid
  std::vector<uint8_t> bits_;
  std::vector<uint64_t> offsets_;
  std::vector<uint32_t> lengths_;
  Buffer raw_;
  std::byte* fixed_ = nullptr;  // fixed-width values of the rows at hand, in the caller's column
};

}  // namespace stela::fsd
