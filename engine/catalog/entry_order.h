// The one order of catalogue entries: key ascending, then birth descending, then install descending.
#pragma once

#include <string_view>

#include "engine/base/ids.h"

namespace stela::catalog {

// A place in the order; {key} alone is before every entry of that key.
struct Position {
  std::string_view key;
  Sequence birth = kSequenceMax;
  Sequence install = kSequenceMax;
};

// Negative: a comes first.
inline int compare_stamps(Sequence birth_a, Sequence install_a, Sequence birth_b, Sequence install_b) {
  if (birth_a != birth_b) return birth_a > birth_b ? -1 : 1;
  if (install_a != install_b) return install_a > install_b ? -1 : 1;
  return 0;
}
inline int compare(const Position& a, const Position& b) {
  if (int order = a.key.compare(b.key); order != 0) return order;
  return compare_stamps(a.birth, a.install, b.birth, b.install);
}

}  // namespace stela::catalog
