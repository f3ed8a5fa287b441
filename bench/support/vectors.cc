#include "bench/support/vectors.h"

#include <algorithm>
#include <random>

#include "bench/support/samples.h"
#include "bench/support/workspace.h"

namespace stela::bench {

ColumnData vector_block(uint32_t width) {
  constexpr uint64_t kBytes = 4 << 20;
  ColumnData column(DataType::tensor(TypeKind::kFloat32, {width}));
  uint64_t rows = std::max<uint64_t>(1, kBytes / column.type().value_width());
  auto* values = reinterpret_cast<float*>(column.grow_fixed(rows));
  std::mt19937_64 random(7);
  std::normal_distribution<float> normal;
  for (uint64_t i = 0; i < rows * width; ++i) values[i] = normal(random);
  return column;
}

double write_vectors(Store& store, const std::string& path, uint64_t rows, uint32_t width) {
  ColumnData block = vector_block(width);
  Stopwatch watch;
  Table table = require(store.create_table(path));
  // An empty dataset takes a column of any length, streamed into its flat file.
  auto writer = require(table.column_writer({"vector", block.type(), false}, false));
  for (uint64_t done = 0; done < rows;) {
    uint64_t count = std::min(block.rows(), rows - done);
    require(writer->append(block.view().slice(0, count)));
    done += count;
  }
  require(writer->commit({}));
  return watch.seconds();
}

double scan_column(const Table& table, const std::string& column) {
  Stopwatch watch;
  Snapshot head = require(table.head());
  ColumnInfo info = require(head.column(column));
  uint64_t rows_at_once = std::clamp<uint64_t>((8 << 20) / std::max<uint64_t>(1, info.type.value_width()), 1, 65536);
  auto scanner = require(head.scan({column}, 0, head.rows(), rows_at_once));
  for (Batch batch; require(scanner->next(&batch));) {
  }
  return watch.seconds();
}

}  // namespace stela::bench
