// SQLite's durable one-row commits, where its library was there when this was built.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace stela::bench {

class SqlitePeer {
 public:
  // WAL, synchronous=FULL, one table of one integer and one real. Null: not built with SQLite.
  static std::unique_ptr<SqlitePeer> open(const std::string& path);
  virtual ~SqlitePeer() = default;
  // One autocommitted insert.
  virtual void insert(int64_t id, double value) = 0;
};

}  // namespace stela::bench
