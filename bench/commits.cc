// Durable one-row commits in the engine: their time against the cheapest durable write, its drift, what is left on
// disk, several writers, opening of versions, recovery after a kill.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <random>
#include <thread>

#include "bench/support/arguments.h"
#include "bench/support/duckdb_peer.h"
#include "bench/support/plain_file.h"
#include "bench/support/report.h"
#include "bench/support/samples.h"
#include "bench/support/sqlite_peer.h"
#include "bench/support/workspace.h"
#include "engine/io/counting_env.h"
#include "engine/io/posix_env.h"
#include "engine/store/store.h"

namespace stela::bench {
namespace {

constexpr uint64_t kRound = 100;  // commits, then as many plain writes: both see the same disk

Batch one_row(uint64_t id) {
  Batch batch;
  batch.add("id", ColumnData(DataType::of(TypeKind::kInt64)));
  batch.add("value", ColumnData(DataType::of(TypeKind::kFloat64)));
  batch.columns[0].append_value(static_cast<int64_t>(id));
  batch.columns[1].append_value(static_cast<double>(id) * 0.5);
  return batch;
}

std::string per_second(double commits, double seconds) {
  return format_count(static_cast<uint64_t>(commits / seconds)) + "/s";
}

void time_commits(const Workspace& workspace, uint64_t commits) {
  Samples engine, plain, sqlite, duckdb;
  PreparedBlocks blocks(workspace.path("blocks"), std::min<uint64_t>(commits, 4096));
  auto peer = SqlitePeer::open(workspace.path("peer.sqlite"));
  auto duckdb_peer = DuckdbPeer::open(workspace.path("peer.duckdb"));
  auto store = require(Store::create(posix_env(workspace.path("one")), {}));
  Table table = require(store->create_table("/log"));
  Report report(format_count(commits) + " durable one-row appends, each a commit");
  uint64_t memory_first = 0;
  for (uint64_t done = 0; done < commits; done += kRound) {
    for (uint64_t i = 0; i < kRound; ++i) {
      Batch batch = one_row(done + i);
      engine.time([&] { return require(table.append(batch, {})); });
    }
    for (uint64_t i = 0; i < kRound; ++i) plain.time([&] { blocks.write_next(); });
    for (uint64_t i = 0; peer && i < kRound; ++i)
      sqlite.time([&] { peer->insert(static_cast<int64_t>(done + i), 0.5); });
    // A tenth as many: it takes several times as long.
    if (duckdb_peer) {
      for (double seconds : duckdb_peer->insert(kRound / 10)) duckdb.add(seconds);
    }
    if (done == commits / 10 / kRound * kRound) memory_first = resident_bytes();
  }
  report.add_time("median", engine.median(), plain.median(), "<= 1.5x");
  report.add_time("99 of 100 within", engine.quantile(0.99), plain.quantile(0.99));
  if (peer) {
    report.add_time("SQLite (WAL, synchronous=FULL), median", sqlite.median(), plain.median());
  } else {
    report.add("SQLite", "skipped: built without libsqlite3-dev");
  }
  if (duckdb_peer) {
    report.add_time("DuckDB (by its Python package), median", duckdb.median(), plain.median());
  } else {
    report.add("DuckDB", "skipped: its package does not install");
  }
  size_t part = commits >= 100'000 ? 1000 : 100;
  std::string count = format_count(part);
  report.add_time("first " + count, engine.first(part).median(), plain.first(part).median());
  report.add_time("last " + count, engine.last(part).median(), plain.last(part).median());
  report.add("last " + count + " against first", format_ratio(engine.last(part).median() / engine.first(part).median()),
             format_ratio(plain.last(part).median() / plain.first(part).median()), {}, "no slower");
  report.add("memory after a tenth, at the end", format_bytes(memory_first) + ", " + format_bytes(resident_bytes()), {},
             {}, "flat");
  std::mt19937_64 random(1);
  auto open_version = [&](uint64_t first, uint64_t last) {
    Samples samples;
    for (int i = 0; i < 1000; ++i) {
      VersionNumber version{std::uniform_int_distribution<uint64_t>(first, last)(random)};
      samples.time([&] { return require(table.at(version)).rows(); });
    }
    return format_seconds(samples.median());
  };
  report.add("open a version: oldest 100", open_version(1, 100), {}, {}, "<= 50 us");
  report.add("open a version: any", open_version(1, commits), {}, {}, "<= 50 us");
  report.add("open a version: newest 100", open_version(commits - 99, commits), {}, {}, "<= 50 us");
  FolderSize open_size = measure_folder(workspace.path("one"));
  require(store->close());
  FolderSize closed_size = measure_folder(workspace.path("one"));
  report.add("files and bytes while open", format_count(open_size.files) + ", " + format_bytes(open_size.bytes), {}, {},
             "< 50 files");
  report.add("files and bytes after close", format_count(closed_size.files) + ", " + format_bytes(closed_size.bytes),
             {}, {}, "< 50 files");
}

// Seconds for `commits` in all by `writers`, and the groups they went in.
double write_concurrently(const Workspace& workspace, unsigned writers, uint64_t commits, uint64_t* groups) {
  std::string name = "writers" + std::to_string(writers);
  auto store = require(Store::create(posix_env(workspace.path(name)), {}));
  Table table = require(store->create_table("/log"));
  require(table.append(one_row(0), {}));
  uint64_t groups_before = store->counters().groups;
  Stopwatch watch;
  std::vector<std::thread> threads;
  for (unsigned writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&, writer] {
      for (uint64_t i = writer; i < commits; i += writers) require(table.append(one_row(i), {}));
    });
  }
  for (std::thread& thread : threads) thread.join();
  double seconds = watch.seconds();
  *groups = store->counters().groups - groups_before;
  return seconds;
}

void time_writers(const Workspace& workspace, uint64_t commits) {
  Report report("Writers of one dataset at once, one-row appends");
  uint64_t groups = 0;
  double alone = 0;
  for (unsigned writers : {1U, 2U, 4U, 8U, 16U}) {
    double seconds = write_concurrently(workspace, writers, commits, &groups);
    if (writers == 1) alone = seconds;
    report.add(std::to_string(writers) + (writers == 1 ? " writer" : " writers"),
               per_second(static_cast<double>(commits), seconds), {}, format_ratio(alone / seconds) + " of one",
               (writers == 8 ? ">= 4x one; " : "") +
                   format_ratio(static_cast<double>(commits) / static_cast<double>(groups)) + " commits a sync");
  }
}

void time_datasets(const Workspace& workspace, uint64_t datasets, uint64_t commits) {
  Report report(format_count(commits) + " one-row appends round robin over " + format_count(datasets) + " datasets");
  auto env = std::make_shared<CountingEnv>(posix_env(workspace.path("many")));
  auto store = require(Store::create(env, {}));
  std::vector<Table> tables;
  for (uint64_t i = 0; i < datasets; ++i) tables.push_back(require(store->create_table("/d" + std::to_string(i))));
  uint64_t written_before = env->counters().total().written_bytes;
  Stopwatch watch;
  for (uint64_t i = 0; i < commits; ++i) require(tables[i % datasets].append(one_row(i), {}));
  double seconds = watch.seconds();
  require(store->close());
  auto written = env->counters().total().written_bytes - written_before;
  report.add("commits", per_second(static_cast<double>(commits), seconds));
  report.add("written for each byte of rows",
             format_ratio(static_cast<double>(written) / static_cast<double>(commits * 16)), {}, {},
             "256x is one 4 KiB block a commit");
  FolderSize size = measure_folder(workspace.path("many"));
  report.add("files and bytes after close", format_count(size.files) + ", " + format_bytes(size.bytes));
}

// A child commits and kills itself; this process opens what it left.
void time_recovery(const Workspace& workspace, uint64_t commits) {
  Report report("Opening after kill -9 at the end of " + format_count(commits) + " commits");
  std::string path = workspace.path("killed");
  pid_t child = ::fork();
  if (child == 0) {
    auto store = require(Store::create(posix_env(path), {}));
    Table table = require(store->create_table("/log"));
    for (uint64_t i = 0; i < commits; ++i) require(table.append(one_row(i), {}));
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFSIGNALED(status)) {
    report.add("recovery", "the child failed");
    return;
  }
  Stopwatch watch;
  auto store = require(Store::open(posix_env(path), {}));
  double seconds = watch.seconds();
  uint64_t versions = require(require(store->table("/log")).latest()).value;
  report.add("recovery", format_seconds(seconds), {}, {}, "<= 1 s");
  report.add("versions found", format_count(versions), {}, {}, format_count(commits));
}

}  // namespace
}  // namespace stela::bench

int main(int argc, char** argv) {
  using namespace stela::bench;
  Arguments arguments(argc, argv, "durable one-row commits in the engine",
                      {{"dir", "/var/tmp", "folder on the disk to measure"},
                       {"commits", "10000", "appends to one dataset"},
                       {"writers", "8000", "appends of each run of concurrent writers, 0: none"},
                       {"datasets", "1000", "datasets written round robin, ten appends each, 0: none"},
                       {"recovery", "1", "0: no kill and recovery"}});
  Workspace workspace(arguments.text("dir"));
  // First, while this process has one thread: it forks.
  if (arguments.number("recovery") > 0) time_recovery(workspace, arguments.number("commits"));
  time_commits(workspace, arguments.number("commits"));
  if (arguments.number("writers") > 0) time_writers(workspace, arguments.number("writers"));
  uint64_t datasets = arguments.number("datasets");
  if (datasets > 0) time_datasets(workspace, datasets, datasets * 10);
  return 0;
}
