// The roadmap's own criteria, with target and figure.
#include <atomic>
#include <random>
#include <thread>

#include "bench/support/arguments.h"
#include "bench/support/plain_file.h"
#include "bench/support/report.h"
#include "bench/support/samples.h"
#include "bench/support/vectors.h"
#include "bench/support/workspace.h"
#include "engine/io/posix_env.h"
#include "engine/store/store.h"

namespace stela::bench {
namespace {

struct Sized {
  const char* label;
  uint64_t rows;
  uint32_t width;
  const char* write_goal;
  const char* read_goal;
};

void measure_vectors(const Workspace& workspace, Store& store, Report& report, const Sized& what) {
  ColumnData block = vector_block(what.width);
  uint64_t bytes = what.rows * block.type().value_width();
  std::string label = std::string(what.label) + " (" + format_bytes(bytes) + ") ";
  std::string plain = workspace.path("plain");
  double plain_write = write_plain_file(plain, {block.view().values, block.view().value_bytes()}, bytes);
  double plain_read = read_plain_file(plain);
  ::remove(plain.c_str());
  std::string path = "/v" + std::to_string(bytes);
  reset_resident_peak();
  report.add_time(label + "written, durable", write_vectors(store, path, what.rows, what.width), plain_write,
                  what.write_goal);
  report.add_time(label + "read, every byte checked", scan_column(require(store.table(path)), "vector"), plain_read,
                  what.read_goal);
  report.add(label + "peak memory", format_bytes(resident_bytes_peak()), {}, {},
             "<= " + format_bytes(store.options().import_memory_bytes));
  require(store.drop(path, false, {}));
  require(store.maintain(true));
}

void measure_columns(const Workspace& workspace, Report& report) {
  std::string path = workspace.path("columns");
  {
    auto store = require(Store::create(posix_env(path), {}));
    Table table = require(store->create_table("/wide"));
    Batch batch;
    for (int i = 0; i < 1000; ++i) {
      batch.add("c" + std::to_string(i), ColumnData(DataType::of(TypeKind::kInt64)));
      for (int64_t row = 0; row < 1000; ++row) batch.columns.back().append_value(row);
    }
    require(table.append(batch, {}));
    require(store->close());
  }
  Stopwatch watch;
  auto store = require(Store::open(posix_env(path), {}));
  Snapshot head = require(require(store->table("/wide")).head());
  auto columns = require(head.columns());
  for (const ColumnInfo& column : columns) {
    ColumnData value(column.type);
    require(head.read(column, 0, 1, value));
  }
  report.add("1,000 columns: store opened, each column opened, a value of each", format_seconds(watch.seconds()), {},
             {}, "< 100 ms");
}

// Random rows, each read by itself, by every reader for about a second in all.
double rows_per_second(const Table& table, unsigned readers) {
  std::atomic<uint64_t> total{0};
  std::atomic<bool> stop{false};
  Stopwatch watch;
  std::vector<std::thread> threads;
  for (unsigned reader = 0; reader < readers; ++reader) {
    threads.emplace_back([&, reader] {
      std::mt19937_64 random(reader);
      Snapshot head = require(table.head());
      ColumnInfo column = require(head.column("vector"));
      for (uint64_t done = 0;; ++done) {
        if (done % 16 == 0 && stop.load(std::memory_order_relaxed)) break;
        ColumnData value(column.type);
        require(head.read(column, random() % head.rows(), 1, value));
        total.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1000));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  return static_cast<double>(total) / watch.seconds();
}

void measure_readers(Store& store, Report& report) {
  write_vectors(store, "/readers", 200'000, 384);
  Table table = require(store.table("/readers"));
  rows_per_second(table, 1);  // every block verified once
  double alone = rows_per_second(table, 1);
  for (unsigned readers : {1U, 4U, 16U}) {
    double rate = readers == 1 ? alone : rows_per_second(table, readers);
    report.add(std::to_string(readers) + " reader" + (readers == 1 ? "" : "s") + " of random rows of 384 float32",
               format_count(static_cast<uint64_t>(rate)) + " rows/s", {}, format_ratio(rate / alone) + " of one",
               readers == 1 ? "" : "no slower than one; cores: " + std::to_string(std::thread::hardware_concurrency()));
  }
}

}  // namespace
}  // namespace stela::bench

int main(int argc, char** argv) {
  using namespace stela::bench;
  Arguments arguments(argc, argv, "the roadmap's criteria", {{"dir", "/var/tmp", "folder on the disk to measure"}});
  Workspace workspace(arguments.text("dir"));
  Report report("The roadmap's criteria");
  auto store = require(stela::Store::create(stela::posix_env(workspace.path("store")), {}));
  measure_vectors(workspace, *store, report, {"vectors of 384 float32", 65'104, 384, "< 5 s", "< 2 s"});
  measure_vectors(workspace, *store, report, {"vectors of 384 float32", 651'042, 384, "", ""});
  measure_vectors(workspace, *store, report, {"1 M x 768 float32", 1'000'000, 768, "< 30 s", ""});
  measure_columns(workspace, report);
  measure_readers(*store, report);
  return 0;
}
