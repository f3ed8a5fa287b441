// Columns whose values have the shapes that encodings are made for.
#pragma once

#include <random>

#include "engine/types/column.h"

namespace stela::format {

enum class Shape { kRandom, kConstant, kSmall, kOutlier, kAscending, kRuns, kFewDistinct, kDecimal, kWords, kEchoes };
// All but kEchoes, which is large.
inline constexpr Shape kShapes[] = {Shape::kRandom,      Shape::kConstant,  Shape::kSmall,
                                    Shape::kOutlier,     Shape::kAscending, Shape::kRuns,
                                    Shape::kFewDistinct, Shape::kDecimal,   Shape::kWords};

// True for as many of random cases as STELA_TEST_SCALE says, in percent; all of them when it is not set.
bool is_case_taken(std::mt19937_64& random);

// No nulls. Of text, the number a shape gives becomes words; kDecimal is numbers with two decimals where the type is a
// float, kWords text in which words come again, kEchoes noise of which half comes again in the next value.
ColumnData shaped_column(const DataType& type, uint64_t rows, Shape shape, std::mt19937_64& random);

}  // namespace stela::format
