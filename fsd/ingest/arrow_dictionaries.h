// The dictionaries of an Arrow file, decoded: values in memory, by id, as the messages so far left them.
#pragma once

#include <map>
#include <vector>

#include "engine/types/column.h"
#include "fsd/ingest/arrow_field.h"
#include "fsd/ingest/arrow_messages.h"

namespace stela::fsd {

// One thread at a time. The fields must outlive it.
class ArrowDictionaries {
 public:
  // `bytes_max`: of all values held.
  ArrowDictionaries(const std::vector<ArrowField>& fields, uint64_t bytes_max);

  // A dictionary batch: replaces the values of its id, or adds to them (a delta). kInvalid for an id that no field
  // has, kLimit beyond `bytes_max`.
  Status take(ByteSource& source, const ArrowMessage& message);
  // What the indices of `field` point into, null for a field without a dictionary. `rows`: of the batch to be read;
  // kInvalid when it has rows and there was no dictionary yet.
  Result<const ColumnData*> find(const ArrowField& field, uint64_t rows) const;

 private:
  struct Dictionary {
    const ArrowField* field = nullptr;
    ColumnData values;
    bool seen = false;
  };
  std::map<int64_t, Dictionary> by_id_;
  bool contradictory_ = false;  // fields of different types share an id
  uint64_t bytes_max_;
};

}  // namespace stela::fsd
