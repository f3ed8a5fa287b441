// A model of a store in plain maps, random workloads on both, and their comparison. Used by the crash
// suite of the engine and by the torture program.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/manual_clock.h"
#include "engine/store/store.h"

namespace stela::model {

struct ModelColumn {
  bool text = false;
  std::vector<std::optional<std::string>> values;  // integers as decimal text
};

DataType type_of(const ModelColumn& column);
// Its values from `first` on.
ColumnData to_data(const ModelColumn& column, size_t first);

struct ModelVersion {
  uint64_t rows = 0;
  std::map<std::string, ModelColumn> columns;
  bool removal = false;  // made by dropping a column
};

struct ModelDataset {
  std::vector<std::shared_ptr<const ModelVersion>> versions;
  std::map<std::string, uint64_t> tags;
};

// Cheap to copy: versions are shared.
struct Model {
  std::map<std::string, ModelDataset> datasets;
  std::map<std::string, ModelDataset> dropped;  // the last one dropped under each name
};

// Empty when the store shows exactly what the model has: names, tags, every version of every dataset, every
// value; otherwise the first difference. With `damage`, errors that say bytes are wrong are counted there and are no
// difference; all that can be read must be right.
std::string difference(Store& store, const Model& model, uint64_t* damage = nullptr);

// The same for the two newest versions of each dataset: what most mistakes of an operation show.
std::string difference_of_newest(Store& store, const Model& model);

// Small sizes, so that a short workload meets flushes, merges, large entries and recycled segments.
StoreOptions small_options();

// One random operation: what it makes of the model, and how to do it. `change` is applied to the model
// before `run`, so that both outcomes are known while it is in flight.
struct Operation {
  std::string name;
  Model after;
  std::function<Status(Store&)> run;
  // Of changes to one dataset, which a transaction may hold as well: `run` does this to its head.
  std::string dataset;
  std::function<Status(const Table&)> change;
};
Operation random_operation(const Model& model, SeededRandom& random);

// What a person relies on after a crash or a fault: the store opens, `check` is clean, it shows one of
// `candidates`, a new commit works, and opening it once more changes nothing. Empty, or what is wrong.
std::string verdict(std::shared_ptr<Env> env, const std::vector<const Model*>& candidates);

}  // namespace stela::model
