// RegionView: a file put together from regions whose bytes are made on demand.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fsd/views/view.h"

namespace stela::fsd {

// Fills `into` with the region's bytes from `offset` on; offset + into.size() is within the region.
// Called from several threads.
using FillRegion = std::function<Status(uint64_t offset, MutableByteSpan into)>;

class RegionView final : public View {
 public:
  // Regions follow each other without gaps. Empty ones are left out.
  void add(uint64_t bytes, FillRegion fill);
  void add_bytes(std::string bytes);
  void add_zeros(uint64_t bytes);

  Result<uint64_t> size() override { return size_; }
  Result<size_t> read(uint64_t offset, MutableByteSpan into) override;

 private:
  struct Region {
    uint64_t begin;
    FillRegion fill;
  };
  std::vector<Region> regions_;
  uint64_t size_ = 0;
};

}  // namespace stela::fsd
