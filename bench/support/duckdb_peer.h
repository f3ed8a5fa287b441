// DuckDB's durable one-row commits, by its Python package in a process of its own; the times are taken there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace stela::bench {

class DuckdbPeer {
 public:
  // One table of one integer and one real. Null: the package does not install.
  static std::unique_ptr<DuckdbPeer> open(const std::string& path);
  virtual ~DuckdbPeer() = default;
  // Seconds of so many autocommitted inserts, each.
  virtual std::vector<double> insert(uint64_t count) = 0;
};

}  // namespace stela::bench
