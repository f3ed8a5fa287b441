#include "bench/support/sqlite_peer.h"

#ifdef STELA_BENCH_SQLITE
#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#endif

namespace stela::bench {

#ifdef STELA_BENCH_SQLITE
namespace {

class Peer final : public SqlitePeer {
 public:
  explicit Peer(const std::string& path) {
    expect(sqlite3_open(path.c_str(), &database_) == SQLITE_OK);
    for (const char* statement :
         {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE t(id INTEGER, v REAL)"}) {
      expect(sqlite3_exec(database_, statement, nullptr, nullptr, nullptr) == SQLITE_OK);
    }
    expect(sqlite3_prepare_v2(database_, "INSERT INTO t VALUES(?, ?)", -1, &insert_, nullptr) == SQLITE_OK);
  }
  ~Peer() override {
    sqlite3_finalize(insert_);
    sqlite3_close(database_);
  }
  void insert(int64_t id, double value) override {
    sqlite3_bind_int64(insert_, 1, id);
    sqlite3_bind_double(insert_, 2, value);
    expect(sqlite3_step(insert_) == SQLITE_DONE);
    sqlite3_reset(insert_);
  }

 private:
  void expect(bool ok) {
    if (ok) return;
    std::fprintf(stderr, "SQLite: %s\n", sqlite3_errmsg(database_));
    std::exit(1);
  }
  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

}  // namespace

std::unique_ptr<SqlitePeer> SqlitePeer::open(const std::string& path) { return std::make_unique<Peer>(path); }
#else
std::unique_ptr<SqlitePeer> SqlitePeer::open(const std::string&) { return nullptr; }
#endif

}  // namespace stela::bench
