// What a scan reads and what it keeps: bytes read for 1 of 20 columns, memory of a scan larger than memory allows.
#include <random>

#include "bench/support/arguments.h"
#include "bench/support/plain_file.h"
#include "bench/support/report.h"
#include "bench/support/samples.h"
#include "bench/support/vectors.h"
#include "bench/support/workspace.h"
#include "engine/io/counting_env.h"
#include "engine/io/posix_env.h"
#include "engine/store/store.h"

namespace stela::bench {
namespace {

constexpr uint64_t kColumns = 20;

// Half of them float64, half text of about as many bytes.
Batch mixed_rows(uint64_t rows) {
  std::mt19937_64 random(3);
  Batch batch;
  for (uint64_t i = 0; i < kColumns; ++i) {
    bool text = i % 2 == 1;
    ColumnData column(DataType::of(text ? TypeKind::kUtf8 : TypeKind::kFloat64));
    for (uint64_t row = 0; row < rows; ++row) {
      if (text) {
        column.append_text(std::to_string(random() % 100'000'000));
      } else {
        column.append_value(static_cast<double>(random()));
      }
    }
    batch.add("c" + std::to_string(i), std::move(column));
  }
  return batch;
}

void measure_columns(const Workspace& workspace, uint64_t rows) {
  auto env = std::make_shared<CountingEnv>(posix_env(workspace.path("mixed")));
  {
    auto store = require(Store::create(env, {}));
    Table table = require(store->create_table("/mixed"));
    auto appender = require(table.appender());
    Batch batch = mixed_rows(65536);
    for (uint64_t done = 0; done < rows; done += batch.rows()) require(appender->append(batch));
    require(appender->commit({}));
    require(store->close());
  }
  auto store = require(Store::open(env, {}));
  Table table = require(store->table("/mixed"));
  auto read_by = [&](const std::vector<std::string>& columns) {
    uint64_t before = env->counters().total().read_bytes;
    for (const std::string& column : columns) scan_column(table, column);
    return env->counters().total().read_bytes - before;
  };
  std::vector<std::string> all;
  for (uint64_t i = 0; i < kColumns; ++i) all.push_back("c" + std::to_string(i));
  uint64_t number = read_by({"c4"});
  uint64_t text = read_by({"c5"});
  uint64_t whole = read_by(all);
  uint64_t on_disk = measure_folder(workspace.path("mixed/data")).bytes;
  Report report("Bytes read by a scan of " + format_count(rows) + " rows of 20 columns, from the I/O counters");
  auto percent = [&](uint64_t bytes) {
    return std::to_string(bytes * 1000 / std::max<uint64_t>(1, on_disk) / 10) + "." +
           std::to_string(bytes * 1000 / std::max<uint64_t>(1, on_disk) % 10) + " %";
  };
  report.add("1 float64 column", format_bytes(number), format_bytes(on_disk), percent(number), "<= 10 %");
  report.add("1 text column", format_bytes(text), format_bytes(on_disk), percent(text), "<= 10 %");
  report.add("all, one after the other", format_bytes(whole), format_bytes(on_disk), percent(whole));
}

void measure_memory(const Workspace& workspace, uint64_t gigabytes) {
  constexpr uint32_t kWidth = 768;
  uint64_t rows = gigabytes * 1'000'000'000 / (kWidth * sizeof(float));
  auto store = require(Store::create(posix_env(workspace.path("large")), {}));
  uint64_t limit = store->options().import_memory_bytes;
  ColumnData block = vector_block(kWidth);
  std::string plain = workspace.path("plain");
  ByteSpan bytes{block.view().values, block.view().value_bytes()};
  uint64_t total = rows * kWidth * sizeof(float);
  double plain_write = write_plain_file(plain, bytes, total);
  double plain_read = read_plain_file(plain);
  ::remove(plain.c_str());
  reset_resident_peak();
  double write = write_vectors(*store, "/large", rows, kWidth);
  uint64_t write_peak = resident_bytes_peak();
  reset_resident_peak();
  double scan = scan_column(require(store->table("/large")), "vector");
  uint64_t scan_peak = resident_bytes_peak();
  Report report(format_bytes(total) + " of float32 vectors, memory limit " + format_bytes(limit));
  report.add_time("written, durable", write, plain_write);
  report.add("peak memory of writing (VmHWM)", format_bytes(write_peak), {}, {}, "<= " + format_bytes(limit));
  report.add_time("scanned, every byte checked", scan, plain_read);
  report.add("peak memory of the scan (VmHWM)", format_bytes(scan_peak), {}, {}, "<= " + format_bytes(limit));
}

}  // namespace
}  // namespace stela::bench

int main(int argc, char** argv) {
  using namespace stela::bench;
  Arguments arguments(argc, argv, "bytes and memory of scans",
                      {{"dir", "/var/tmp", "folder on the disk to measure"},
                       {"rows", "1000000", "rows of the table of 20 columns"},
                       {"gigabytes", "10", "size of the large column, twice that much disk is used, 0: none"}});
  Workspace workspace(arguments.text("dir"));
  measure_columns(workspace, arguments.number("rows"));
  if (arguments.number("gigabytes") > 0) measure_memory(workspace, arguments.number("gigabytes"));
  return 0;
}
