// What an Arrow schema says about its columns, in Stela's terms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/types/data_type.h"

namespace stela::fsd::arrow_ipc {
struct Schema;
}

namespace stela::fsd {

// How values lie in a record batch.
enum class ArrowStorage : uint8_t {
  kFixed,      // as in a ColumnView
  kBits,       // bool: a bit an element
  kInt32,      // date32, time32: widened to int64
  kOffsets32,  // utf8, binary
  kOffsets64,  // large_utf8, large_binary
  kViews,      // utf8_view, binary_view: 16 bytes a row, with the value or where it is
};

struct ArrowDictionary {
  int64_t id = 0;
  uint8_t index_bytes = 4;
  bool is_signed = true;
};

struct ArrowField {
  std::string name;
  DataType type;
  ArrowStorage storage = ArrowStorage::kFixed;
  // Sizes of the fixed-size lists around the element, outermost first. Their product is type.elements(); a
  // tensor may come as one list.
  std::vector<uint32_t> list_sizes;
  std::optional<ArrowDictionary> dictionary;
};

// Of a verified schema. kUnsupported names a column's type that is not taken.
Result<std::vector<ArrowField>> read_arrow_fields(const arrow_ipc::Schema& schema);
// kInvalid unless the schema has exactly one column.
Result<ArrowField> read_arrow_field(const arrow_ipc::Schema& schema);

}  // namespace stela::fsd
