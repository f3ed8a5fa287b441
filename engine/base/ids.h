// The numbers that carry the design, each a type of its own so that one cannot be passed for another.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <limits>

namespace stela {

template <typename Tag>
struct StrongId {
  uint64_t value = 0;
  constexpr StrongId() = default;
  constexpr explicit StrongId(uint64_t v) : value(v) {}
  constexpr auto operator<=>(const StrongId&) const = default;
};

// One counter a store: every commit and every physical change takes the next. 0 is before the first.
using Sequence = StrongId<struct SequenceTag>;
// A folder, dataset or still empty directory; 1 is the root folder, never reused.
using NodeId = StrongId<struct NodeIdTag>;
// Counted per dataset from 1; 0 means no version yet.
using VersionNumber = StrongId<struct VersionNumberTag>;
// Given once per dataset; a rename keeps it, a replacement is a new one.
using ColumnId = StrongId<struct ColumnIdTag>;
// Columns stored together; the first schema is group 0.
using GroupId = StrongId<struct GroupIdTag>;
// A file under data/ or catalog/.
using FileId = StrongId<struct FileIdTag>;

inline constexpr NodeId kRootNode{1};
inline constexpr Sequence kSequenceMax{std::numeric_limits<uint64_t>::max()};

}  // namespace stela

template <typename Tag>
struct std::hash<stela::StrongId<Tag>> {
  size_t operator()(const stela::StrongId<Tag>& id) const noexcept { return std::hash<uint64_t>{}(id.value); }
};
