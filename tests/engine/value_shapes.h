// Columns whose values have the shapes that encodings are made for.
#pragma once

#include <random>

#include "engine/types/column.h"

namespace stela::format {

enum class Shape { kRandom, kConstant, kSmall, kOutlier, kAscending, kRuns, kFewDistinct };
inline constexpr Shape kShapes[] = {Shape::kRandom,    Shape::kConstant, Shape::kSmall,      Shape::kOutlier,
                                    Shape::kAscending, Shape::kRuns,     Shape::kFewDistinct};

// No nulls. Of text, the number a shape gives becomes words.
ColumnData shaped_column(const DataType& type, uint64_t rows, Shape shape, std::mt19937_64& random);

}  // namespace stela::format
