// Opening a table of many columns and reading one value: the same time whatever the number of columns.
#include <filesystem>
#include <random>

#include "bench/support/arguments.h"
#include "bench/support/plain_file.h"
#include "bench/support/report.h"
#include "bench/support/samples.h"
#include "bench/support/workspace.h"
#include "engine/io/counting_env.h"
#include "engine/io/posix_env.h"
#include "engine/store/store.h"

namespace stela::bench {
namespace {

constexpr uint64_t kRows = 100;
constexpr int kReads = 1000;

std::string column_name(uint64_t column) { return "c" + std::to_string(column); }

double expected(uint64_t column, uint64_t row) { return static_cast<double>(column * kRows + row); }

// Head, one column by name, one value, as a reader that begins does.
void read_one(const Table& table, uint64_t column, uint64_t row) {
  Snapshot head = require(table.head());
  ColumnData data = require(head.read(column_name(column), row, 1));
  double value = 0;
  std::memcpy(&value, data.view().values, sizeof(value));
  STELA_CHECK(value == expected(column, row), std::to_string(value));
}

void measure(const Workspace& workspace, Report& report, uint64_t columns) {
  std::string path = workspace.path(std::to_string(columns));
  std::string label = format_count(columns) + " columns: ";
  std::mt19937_64 random(columns);
  auto any = [&](uint64_t count) { return std::uniform_int_distribution<uint64_t>(0, count - 1)(random); };
  Stopwatch write;
  {
    auto store = require(Store::create(posix_env(path), {}));
    Table table = require(store->create_table("/wide"));
    Batch batch;
    for (uint64_t column = 0; column < columns; ++column) {
      batch.add(column_name(column), ColumnData(DataType::of(TypeKind::kFloat64)));
      for (uint64_t row = 0; row < kRows; ++row) batch.columns.back().append_value(expected(column, row));
    }
    require(table.append(batch, {}));
    require(store->close());
  }
  report.add(label + "written", format_seconds(write.seconds()));
  // A plain .npy of one column beside it.
  std::string plain = path + ".npy";
  Buffer values;
  values.append_zeros(128 + kRows * sizeof(double));
  write_plain_file(plain, values.span(), values.size());
  Samples plain_reads;
  for (int i = 0; i < kReads; ++i) plain_reads.add(open_and_read_plain_file(plain, 128 + any(kRows) * 8, 8));

  Samples opening, first, fresh, again;
  uint64_t read_bytes = 0;
  for (int i = 0; i < 20; ++i) {
    auto env = std::make_shared<CountingEnv>(posix_env(path));
    Stopwatch watch;
    auto store = require(Store::open(env, {}));
    opening.add(watch.seconds());
    Table table = require(store->table("/wide"));
    uint64_t before = env->counters().total().read_bytes;
    uint64_t column = any(columns);
    first.time([&] { read_one(table, column, any(kRows)); });
    read_bytes = env->counters().total().read_bytes - before;
  }
  auto store = require(Store::open(posix_env(path), {}));
  Table table = require(store->table("/wide"));
  for (int i = 0; i < kReads; ++i) fresh.time([&] { read_one(table, any(columns), any(kRows)); });
  uint64_t column = any(columns);
  for (int i = 0; i < kReads; ++i) again.time([&] { read_one(table, column, any(kRows)); });
  report.add_time(label + "open, one value of any column", fresh.median(), plain_reads.median(), "<= 0.3 ms");
  report.add_time(label + "the same column again", again.median(), plain_reads.median());
  report.add_time(label + "first read of a fresh process", first.median(), plain_reads.median(),
                  format_bytes(read_bytes) + " read");
  report.add(label + "store opened", format_seconds(opening.median()));
  report.add(label + "files and bytes",
             format_count(measure_folder(path).files) + ", " + format_bytes(measure_folder(path).bytes));
}

}  // namespace
}  // namespace stela::bench

int main(int argc, char** argv) {
  using namespace stela::bench;
  Arguments arguments(argc, argv, "opening wide tables",
                      {{"dir", "/var/tmp", "folder on the disk to measure"},
                       {"columns", "100000", "the widest; 1,000 and 10,000 come before it"}});
  Workspace workspace(arguments.text("dir"));
  Report report("Tables of many float64 columns of 100 rows, one value read (plain: open, pread, close of a .npy)");
  for (uint64_t columns : {1000, 10'000, 100'000}) {
    if (columns <= arguments.number("columns")) measure(workspace, report, columns);
  }
  return 0;
}
