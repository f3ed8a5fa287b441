// The buffers of a column in an Arrow file, as regions of a RegionView.
#pragma once

#include <memory>
#include <span>

#include "fsd/views/arrow_layout.h"
#include "fsd/views/column_source.h"
#include "fsd/views/region_view.h"

namespace stela::fsd {

// Adds `regions`, with their padding, of the rows that `column` has; `value_bytes` as in its totals.
void add_arrow_regions(RegionView& view, std::shared_ptr<const ColumnSource> column, uint64_t value_bytes, bool large,
                       std::span<const ArrowRegion> regions);

}  // namespace stela::fsd
