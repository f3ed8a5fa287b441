// Which type a column of a text file gets: the first of bool, int64, uint64, float64, date, timestamp and
// text that every one of its values fits (docs/csv.md).
//
// What values show is a set of bits that only grows, so the answer does not depend on their order and parts
// of a file may be judged apart and joined by `|`.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/types/data_type.h"

namespace stela::fsd {

enum Evidence : uint16_t {
  kSeenBool = 1 << 0,
  kSeenInteger = 1 << 1,
  kSeenNegative = 1 << 2,     // an integer below zero
  kSeenBeyondInt64 = 1 << 3,  // an integer above INT64_MAX that is a uint64
  kSeenBeyond64 = 1 << 4,     // an integer that neither int64 nor uint64 holds
  kSeenInexact = 1 << 5,      // an integer that float64 cannot hold exactly
  kSeenFraction = 1 << 6,     // a number with a point, an exponent, or a word for one
  kSeenDate = 1 << 7,
  kSeenLocalTime = 1 << 8,  // a timestamp without a zone
  kSeenZonedTime = 1 << 9,
  kSeenNanoseconds = 1 << 10,         // a timestamp with more than six digits of fraction
  kSeenOutsideNanoseconds = 1 << 11,  // a date or timestamp that int64 nanoseconds cannot hold
  kSeenText = 1 << 12,
};

// The evidence of one value that is neither null nor empty-unquoted.
uint16_t evidence_of(std::string_view text);
// Bits that a typed parser adds for values it took, where they matter for a wider type later.
uint16_t integer_evidence(int64_t value);
uint16_t unsigned_evidence(uint64_t value);
uint16_t instant_evidence(int64_t seconds, uint32_t nanoseconds);

// No evidence: text.
DataType type_for_evidence(uint16_t evidence);

}  // namespace stela::fsd
