// FlatReader: checked reads of a flat file, 64 KiB extent by extent.
#pragma once

#include <memory>

#include "engine/format/column_metadata.h"
#include "engine/format/section_source.h"

namespace stela::format {

// Immutable and thread-safe; metadata (with `flat`) and source must outlive it.
class FlatReader {
 public:
  FlatReader(const ColumnMetadata& metadata, const SectionSource& source) : metadata_(metadata), source_(source) {}
  // Bytes [begin, begin + into.size()) of the values. Extents not verified yet are read whole, once.
  Status read(uint64_t begin, MutableByteSpan into) const;
  // The values of ascending rows; neighbours are read together.
  Status read_rows(std::span<const uint64_t> rows, ColumnData& out) const;
  // Checks what is not verified until the deadline; true when everything is.
  Result<bool> verify_until(Clock& clock, int64_t deadline_ns) const;
  // Checks every extent from the medium.
  Status verify(const std::function<void(const Damage&)>& damage) const;

 private:
  class Session;
  const ColumnMetadata& metadata_;
  const SectionSource& source_;
};

}  // namespace stela::format
