// Views: the bytes of a column, or of a whole table, as a file of some form.
//
// The bytes depend on logical values only, never on layout. Adding a form = one file pair that defines
// it and one line in view_registry.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/store/snapshot.h"

namespace stela::fsd {

// One opened view; immutable content. Thread-safe: reads may run in parallel.
class View {
 public:
  virtual ~View() = default;
  // Exact. O(fragments) for forms whose size follows from totals; for text forms the first call formats
  // everything once (bounded memory) unless `remembered_size` was given.
  virtual Result<uint64_t> size() = 0;
  // Fills `into` from `offset`; returns fewer bytes only at the end. Memory is bounded whatever the offset.
  virtual Result<size_t> read(uint64_t offset, MutableByteSpan into) = 0;
};

class ViewForm {
 public:
  virtual ~ViewForm() = default;
  // As in names: ".npy", ".valid.npy", ".arrow", ".csv", ".txt".
  virtual const char* extension() const = 0;
  // kUnsupported names the type and the form that has it.
  virtual Status supports(const DataType& type) const = 0;
  // True when the column's name is part of the bytes (.arrow, .csv).
  virtual bool shows_name() const = 0;
  // True when size() costs no pass over values, so that lookup and readdirplus may state it.
  virtual bool size_is_cheap(const DataType& type) const = 0;
  virtual Result<std::unique_ptr<View>> open(const Snapshot& snapshot, const ColumnInfo& column,
                                             std::optional<uint64_t> remembered_size) const = 0;
};

// Null when no form has that extension. `file_name` -> form and the column's encoded name before the
// extension; the longest extension wins ("a.valid.npy" is column "a").
const ViewForm* find_view_form(std::string_view extension);
struct ViewName {
  const ViewForm* form = nullptr;
  std::string_view stem;
};
std::optional<ViewName> split_view_name(std::string_view file_name);
std::span<const ViewForm* const> all_view_forms();
// ".npy" or ".arrow".
const ViewForm& listed_form(const DataType& type);

// Views of a whole dataset by their dot names: ".table.csv", ".table.arrow", ".schema.json", ".stats.json",
// ".commit.json".
class TableForm {
 public:
  virtual ~TableForm() = default;
  virtual const char* name() const = 0;
  virtual bool size_is_cheap() const = 0;
  // It tells how columns lie, too, which upkeep changes while the version stays: no text or size of it is to be kept.
  virtual bool tells_layout() const { return false; }
  virtual Result<std::unique_ptr<View>> open(const Snapshot& snapshot,
                                             std::optional<uint64_t> remembered_size) const = 0;
};
const TableForm* find_table_form(std::string_view name);
std::span<const TableForm* const> all_table_forms();

// Column names as file names (DESIGN.md, "Names"): percent-encoding of slash, leading dot, control bytes,
// '%' before two hex digits, endings that would read as a view; shortened with ~ and a hash over 255 bytes.
std::string encode_column_file_stem(std::string_view column_name);
// The inverse for stems that were not shortened.
std::string decode_column_file_stem(std::string_view stem);
// The column a stem names in this snapshot: by its decoded name, else by the shortened form.
Result<ColumnInfo> find_column_by_stem(const Snapshot& snapshot, std::string_view stem);

}  // namespace stela::fsd
