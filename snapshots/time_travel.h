// From a moment to a version.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/store/store.h"

namespace stela {

// Nanoseconds since 1970-01-01T00:00:00Z of an RFC 3339 time ("2026-11-22T10:00:00Z", with fractions or an
// offset), a date (its 00:00:00Z) or "@seconds". kInvalid shows the forms.
Result<int64_t> parse_time(std::string_view text);
// "2026-11-22T10:00:00.123456789Z"; nine digits always.
std::string format_time(int64_t utc_ns);

// The newest version committed at or before `utc_ns`; kNotFound before the first. Binary search: O(log versions).
Result<VersionNumber> version_at(const Table& table, int64_t utc_ns);

// A version by its number, a tag's name, or a time as parse_time() takes it, in this order. kNotFound or kInvalid says
// what there is not.
Result<VersionNumber> version_named(const Store& store, const Table& table, std::string_view text);

// Newest first, at most `limit`, beginning below `before` (0 = at the newest).
Result<std::vector<VersionInfo>> version_log(const Table& table, VersionNumber before, size_t limit);

}  // namespace stela
