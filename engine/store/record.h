// Record: what one commit, or one physical change, writes into the log. Layout: record_format.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/catalog/catalog.h"
#include "engine/types/column.h"

namespace stela::store {

// Rows [first_row, first_row + rows) of the columns of one group, carried in full.
struct RowChunk {
  NodeId dataset;
  GroupId group;
  uint64_t first_row = 0;
  uint64_t rows = 0;
  std::vector<ColumnId> ids;
  std::vector<ColumnData> columns;
};

struct Record {
  Sequence sequence;
  int64_t time_ns = 0;
  // Largest ids given out so far, so that recovery never gives one twice.
  uint64_t next_node = 0;
  uint64_t next_file = 0;
  std::vector<catalog::Entry> entries;
  std::vector<FileId> runs;  // run files that hold further entries of this commit
  std::vector<RowChunk> chunks;

  void encode(std::string& out) const;
  static Result<Record> decode(std::string_view bytes);
};

// Values, validity and offsets of a column; `type` is written with it.
void encode_column(std::string& out, const ColumnView& column);
bool decode_column(Decoder& in, ColumnData* out);

}  // namespace stela::store
