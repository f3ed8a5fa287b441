// Rows of a column of vectors through the engine, from a store that bench/vectors.py has filled.
#include <algorithm>
#include <cstring>
#include <random>

#include "bench/support/arguments.h"
#include "bench/support/report.h"
#include "bench/support/samples.h"
#include "bench/support/workspace.h"
#include "engine/io/posix_env.h"
#include "engine/store/store.h"

namespace stela::bench {
namespace {

std::vector<uint64_t> draw(uint64_t rows, size_t count, std::mt19937_64& random) {
  std::vector<uint64_t> drawn(count);
  for (uint64_t& row : drawn) row = std::uniform_int_distribution<uint64_t>(0, rows - 1)(random);
  std::sort(drawn.begin(), drawn.end());
  drawn.erase(std::unique(drawn.begin(), drawn.end()), drawn.end());
  return drawn;
}

}  // namespace
}  // namespace stela::bench

int main(int argc, char** argv) {
  using namespace stela;
  using namespace stela::bench;
  Arguments arguments(argc, argv, "rows of vectors",
                      {{"store", "", "a store with the column v in the dataset /d"}, {"reads", "300", "of each kind"}});
  auto store = require(Store::open(posix_env(arguments.text("store")), {.read_only = true}));
  Snapshot head = require(require(store->table("/d")).head());
  ColumnInfo column = require(head.column("v"));
  ColumnData all(column.type);
  for (uint64_t row = 0; row < head.rows(); row += 10'000) {  // verified once, and in the page cache
    all.clear();
    require(head.read(column, row, std::min<uint64_t>(10'000, head.rows() - row), all));
  }
  std::mt19937_64 random(3);
  Report report(format_count(head.rows()) + " rows of " + column.type.name() + " through the engine: rows at random");
  for (size_t count : {1, 1000}) {
    Samples samples;
    for (uint64_t i = 0; i < arguments.number("reads"); ++i) {
      std::vector<uint64_t> rows = draw(head.rows(), count, random);
      ColumnData data(column.type);
      samples.time([&] { require(head.read_rows(column, rows, data)); });
    }
    report.add(format_count(count), format_seconds(samples.median()), "", "", count == 1 ? "<= 15 us" : "<= 2 ms");
  }
  return 0;
}
