// The values of a page as encodings want them: without nulls, and aligned to their words.
#pragma once

#include "engine/types/column.h"

namespace stela::format {

class BareValues {
 public:
  // `values` must outlive it, unless it had to be copied: where there are nulls of fixed width, each slot of one gets
  // the value before it, or else the first.
  explicit BareValues(const ColumnView& values);
  ColumnView view() const { return copied_ ? copy_.view() : bare_; }

 private:
  ColumnView bare_;
  ColumnData copy_;
  bool copied_ = false;
};

}  // namespace stela::format
