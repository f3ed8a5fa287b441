// Random operations on stores, and what the model is after each.
#include <algorithm>

#include "snapshots/tags.h"
#include "tests/crash/store_model.h"

namespace stela::model {

namespace {

using VersionPtr = std::shared_ptr<const ModelVersion>;

void fill(ModelColumn& column, uint64_t count, SeededRandom& random) {
  for (uint64_t i = 0; i < count; ++i) {
    if (random.below(5) == 0) {
      column.values.emplace_back(std::nullopt);
    } else if (column.text) {
      column.values.emplace_back(std::string(random.below(9), static_cast<char>('a' + random.below(26))));
    } else {
      column.values.emplace_back(std::to_string(static_cast<int64_t>(random.next())));
    }
  }
}

// Mostly a few rows, sometimes enough for a fragment of its own, sometimes for a flat file.
uint64_t random_rows(SeededRandom& random) {
  switch (random.below(6)) {
    case 0: return 60 + random.below(60);
    case 1: return 150 + random.below(60);
    default: return 1 + random.below(5);
  }
}

const std::string kNames[] = {"a", "b", "c"};
const std::string kColumns[] = {"w", "x", "y", "z"};

std::string pick_dataset(const Model& model, SeededRandom& random) {
  auto at = model.datasets.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(random.below(model.datasets.size())));
  return at->first;
}

std::string pick_column(const ModelVersion& version, SeededRandom& random) {
  auto at = version.columns.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(random.below(version.columns.size())));
  return at->first;
}

Operation append_rows(const Model& model, const std::string& name, SeededRandom& random) {
  Operation operation{"append to " + name, model, {}};
  operation.dataset = name;
  ModelDataset& dataset = operation.after.datasets[name];
  auto next = std::make_shared<ModelVersion>();
  if (!dataset.versions.empty()) *next = *dataset.versions.back();
  next->removal = false;
  if (next->columns.empty()) {
    next->rows = 0;
    next->columns["x"] = {};
    if (random.coin()) next->columns["y"].text = true;
  }
  uint64_t count = random_rows(random);
  Batch batch;
  for (auto& [column_name, column] : next->columns) {
    size_t first = column.values.size();
    fill(column, count, random);
    batch.add(column_name, to_data(column, first));
  }
  next->rows += count;
  dataset.versions.push_back(std::move(next));
  operation.change = [batch = std::move(batch)](const Table& table) -> Status {
    return table.append(batch, {}).status();
  };
  return operation;
}

Operation write_column(const Model& model, const std::string& name, SeededRandom& random) {
  const std::string column_name = kColumns[random.below(std::size(kColumns))];
  Operation operation{"write column " + name + "/" + column_name, model, {}};
  operation.dataset = name;
  ModelDataset& dataset = operation.after.datasets[name];
  auto next = std::make_shared<ModelVersion>();
  if (!dataset.versions.empty()) *next = *dataset.versions.back();
  next->removal = false;
  if (next->columns.empty()) next->rows = random_rows(random);
  ModelColumn column{random.coin(), {}};
  fill(column, next->rows, random);
  next->columns[column_name] = column;
  dataset.versions.push_back(std::move(next));
  operation.change = [column_name, data = to_data(column, 0)](const Table& table) -> Status {
    STELA_ASSIGN(auto writer, table.column_writer({column_name, data.type(), true}, true));
    STELA_TRY(writer->append(data.view()));
    return writer->commit({}).status();
  };
  return operation;
}

// A few cells, or many, in place.
Operation update_cells(const Model& model, const std::string& name, SeededRandom& random) {
  Operation operation{"update cells of " + name, model, {}};
  operation.dataset = name;
  ModelDataset& dataset = operation.after.datasets[name];
  std::string column_name = pick_column(*dataset.versions.back(), random);
  auto next = std::make_shared<ModelVersion>(*dataset.versions.back());
  next->removal = false;
  ModelColumn& column = next->columns[column_name];
  ModelColumn cells{column.text, {}};
  std::vector<uint64_t> rows;
  uint64_t one_in = 1 + random.below(40);
  for (uint64_t row = 0; row < next->rows; ++row) {
    if (random.below(one_in) == 0) rows.push_back(row);
  }
  fill(cells, rows.size(), random);
  bool differs = false;
  for (size_t i = 0; i < rows.size(); ++i) {
    differs = differs || column.values[rows[i]] != cells.values[i];
    column.values[rows[i]] = cells.values[i];
  }
  if (differs) dataset.versions.push_back(std::move(next));
  operation.change = [column_name, rows, data = to_data(cells, 0)](const Table& table) -> Status {
    return table.update(column_name, rows, data.view(), {}).status();
  };
  return operation;
}

Operation drop_column(const Model& model, const std::string& name, SeededRandom& random) {
  Operation operation{"drop a column of " + name, model, {}};
  operation.dataset = name;
  ModelDataset& dataset = operation.after.datasets[name];
  std::string column = pick_column(*dataset.versions.back(), random);
  auto next = std::make_shared<ModelVersion>(*dataset.versions.back());
  next->columns.erase(column);
  next->removal = true;
  dataset.versions.push_back(std::move(next));
  operation.change = [column](const Table& table) -> Status { return table.drop_column(column, {}).status(); };
  return operation;
}

Operation rename_column(const Model& model, const std::string& name, SeededRandom& random) {
  Operation operation{"rename a column of " + name, model, {}};
  operation.dataset = name;
  ModelDataset& dataset = operation.after.datasets[name];
  std::string from = pick_column(*dataset.versions.back(), random);
  std::string to = kColumns[random.below(std::size(kColumns))];
  operation.change = [from, to](const Table& table) -> Status {
    return table.rename_column(from, to, true, {}).status();
  };
  if (from == to) return operation;
  auto next = std::make_shared<ModelVersion>(*dataset.versions.back());
  next->removal = false;
  next->columns[to] = next->columns[from];
  next->columns.erase(from);
  dataset.versions.push_back(std::move(next));
  return operation;
}

Operation change_tag(const Model& model, const std::string& name, SeededRandom& random) {
  Operation operation{"tag " + name, model, {}};
  ModelDataset& dataset = operation.after.datasets[name];
  std::string tag = random.coin() ? "t1" : "t2";
  if (dataset.tags.contains(tag) && random.coin()) {
    dataset.tags.erase(tag);
    operation.run = [name, tag](Store& store) -> Status {
      STELA_ASSIGN(Table table, store.table("/" + name));
      return remove_tag(store, table.id(), tag, {});
    };
    return operation;
  }
  uint64_t version = 1 + random.below(dataset.versions.size());
  dataset.tags[tag] = version;
  operation.run = [name, tag, version](Store& store) -> Status {
    STELA_ASSIGN(Table table, store.table("/" + name));
    return set_tag(store, table.id(), tag, VersionNumber{version}, true, {});
  };
  return operation;
}

Operation rename_dataset(const Model& model, const std::string& name, const std::string& to) {
  Operation operation{"rename " + name + " to " + to, model, {}};
  operation.after.datasets[to] = operation.after.datasets[name];
  operation.after.datasets.erase(name);
  operation.after.dropped.erase(name);
  operation.after.dropped.erase(to);
  operation.run = [name, to](Store& store) { return store.rename(kRootNode, name, kRootNode, to, {}); };
  return operation;
}

Operation drop_dataset(const Model& model, const std::string& name) {
  Operation operation{"drop " + name, model, {}};
  // An empty one is nothing to come back to.
  const ModelDataset& dataset = model.datasets.at(name);
  if (!dataset.versions.empty() || !model.dropped.contains(name)) operation.after.dropped[name] = dataset;
  operation.after.datasets.erase(name);
  operation.run = [name](Store& store) { return store.drop("/" + name, false, {}); };
  return operation;
}

Operation restore_dataset(const Model& model, const std::string& name) {
  Operation operation{"restore " + name, model, {}};
  ModelDataset& dataset = operation.after.datasets[name] = operation.after.dropped[name];
  operation.after.dropped.erase(name);
  size_t kept = dataset.versions.size();
  while (kept > 1 && dataset.versions[kept - 1]->removal) --kept;
  if (kept < dataset.versions.size()) dataset.versions.push_back(dataset.versions[kept - 1]);
  operation.run = [name](Store& store) { return store.restore_dropped("/" + name, {}).status(); };
  return operation;
}

Operation create_dataset(const Model& model, const std::string& name) {
  Operation operation{"create " + name, model, {}};
  operation.after.datasets[name] = {};
  operation.run = [name](Store& store) { return store.create_table("/" + name).status(); };
  return operation;
}

// The versions after the first `before` are one.
void make_one_version(ModelDataset& dataset, size_t before) {
  if (dataset.versions.size() <= before + 1) return;
  auto last = std::make_shared<ModelVersion>(*dataset.versions.back());
  last->removal = std::all_of(dataset.versions.begin() + static_cast<std::ptrdiff_t>(before), dataset.versions.end(),
                              [](const VersionPtr& version) { return version->removal; });
  dataset.versions.resize(before);
  dataset.versions.push_back(std::move(last));
}

// Several changes, of one dataset or more and of their names, as one commit: one version in each.
class TransactionMaker {
 public:
  explicit TransactionMaker(const Model& model) : operation_{"transaction:", model, {}} {
    for (const auto& [name, dataset] : model.datasets) before_[name] = dataset.versions.size();
  }
  void add(SeededRandom& random) {
    if (random.below(5) == 0 && add_name(random)) return;
    std::string name = pick_dataset(operation_.after, random);
    const ModelDataset& dataset = operation_.after.datasets.at(name);
    bool has_columns = !dataset.versions.empty() && !dataset.versions.back()->columns.empty();
    uint64_t choice = has_columns ? random.below(6) : random.below(2);
    Operation each = choice == 0   ? write_column(operation_.after, name, random)
                     : choice <= 1 ? append_rows(operation_.after, name, random)
                     : choice <= 3 ? update_cells(operation_.after, name, random)
                     : choice == 4 ? rename_column(operation_.after, name, random)
                                   : drop_column(operation_.after, name, random);
    changes_.push_back([name, change = each.change](Store& inside) -> Status {
      STELA_ASSIGN(Table table, inside.table("/" + name));
      return change(table);
    });
    take(std::move(each));
  }
  Operation finish() {
    for (auto& [name, dataset] : operation_.after.datasets) make_one_version(dataset, before_.at(name));
    operation_.run = [changes = std::move(changes_)](Store& store) -> Status {
      STELA_ASSIGN(auto transaction, store.begin());
      for (const auto& change : changes) STELA_TRY(change(transaction->store()));
      STELA_TRY(transaction->check());
      return transaction->commit({}).status();
    };
    return std::move(operation_);
  }

 private:
  bool add_name(SeededRandom& random) {
    std::string name = kNames[random.below(std::size(kNames))];
    if (!operation_.after.datasets.contains(name)) {
      if (random.coin()) {
        before_[name] = 0;
        take_names(create_dataset(operation_.after, name));
        return true;
      }
      std::string from = pick_dataset(operation_.after, random);
      before_[name] = before_.at(from);
      take_names(rename_dataset(operation_.after, from, name));
      return true;
    }
    if (operation_.after.datasets.size() == 1) return false;
    make_one_version(operation_.after.datasets.at(name), before_.at(name));
    take_names(drop_dataset(operation_.after, name));
    return true;
  }
  void take_names(Operation each) {
    changes_.push_back(each.run);
    take(std::move(each));
  }
  void take(Operation each) {
    operation_.name += " " + each.name + ";";
    operation_.after = std::move(each.after);
  }

  Operation operation_;
  std::map<std::string, size_t> before_;  // versions that were there
  std::vector<std::function<Status(Store&)>> changes_;
};

Operation transaction(const Model& model, SeededRandom& random) {
  TransactionMaker maker(model);
  for (uint64_t left = 2 + random.below(3); left > 0; --left) maker.add(random);
  return maker.finish();
}

Operation compact_dataset(const Model& model, const std::string& name, SeededRandom& random) {
  return {"compact " + name, model, [name, cold = random.coin()](Store& store) -> Status {
            STELA_ASSIGN(Table table, store.table("/" + name));
            return store.compact(table.id(), {.cold = cold, .progress = {}}).status();
          }};
}

Operation next_operation(const Model& model, SeededRandom& random) {
  std::string name = kNames[random.below(std::size(kNames))];
  bool exists = model.datasets.contains(name);
  if (!exists && model.dropped.contains(name) && random.coin()) return restore_dataset(model, name);
  if (!exists && (model.datasets.empty() || random.below(3) == 0)) return create_dataset(model, name);
  if (!exists) {
    std::string from = pick_dataset(model, random);
    if (random.below(4) == 0) return rename_dataset(model, from, name);
    name = from;
  }
  const ModelDataset& dataset = model.datasets.at(name);
  if (random.below(12) == 0) return transaction(model, random);
  uint64_t choice = random.below(100);
  if (choice < 10) return {"maintain", model, [](Store& store) { return store.maintain(true); }};
  if (choice < 14) return compact_dataset(model, name, random);
  if (choice < 17) return drop_dataset(model, name);
  bool has_columns = !dataset.versions.empty() && !dataset.versions.back()->columns.empty();
  if (choice < 24 && !dataset.versions.empty()) return change_tag(model, name, random);
  if (choice < 32 && has_columns) return drop_column(model, name, random);
  if (choice < 38 && has_columns) return rename_column(model, name, random);
  if (choice < 52) return write_column(model, name, random);
  if (choice < 72 && has_columns) return update_cells(model, name, random);
  return append_rows(model, name, random);
}

}  // namespace

Operation random_operation(const Model& model, SeededRandom& random) {
  Operation operation = next_operation(model, random);
  if (!operation.change) return operation;
  operation.run = [name = operation.dataset, change = operation.change](Store& store) -> Status {
    STELA_ASSIGN(Table table, store.table("/" + name));
    return change(table);
  };
  return operation;
}

}  // namespace stela::model
