#include "tests/crash/store_model.h"

#include <algorithm>

#include "snapshots/tags.h"

namespace stela::model {

namespace {

DataType type_of(const ModelColumn& column) { return DataType::of(column.text ? TypeKind::kUtf8 : TypeKind::kInt64); }

ColumnData to_data(const ModelColumn& column, size_t first) {
  ColumnData data(type_of(column));
  for (size_t row = first; row < column.values.size(); ++row) {
    const auto& value = column.values[row];
    if (!value) {
      data.append_nulls(1);
    } else if (column.text) {
      data.append_text(*value);
    } else {
      data.append_value<int64_t>(std::stoll(*value));
    }
  }
  return data;
}

// Where damage is tolerated, what a store may say of bytes that are wrong: an error, never other bytes.
class Errors {
 public:
  explicit Errors(uint64_t* tolerated) : tolerated_(tolerated) {}
  // Empty when `status` is such an error, which is counted.
  std::string text(const Status& status) const {
    bool damage = status.code() == Code::kDamaged || status.code() == Code::kIo;
    if (tolerated_ == nullptr || !damage) return status.message() + (status.message().empty() ? "no message" : "");
    ++*tolerated_;
    return {};
  }
  bool tolerates() const { return tolerated_ != nullptr; }

 private:
  uint64_t* const tolerated_;
};

std::string compare_rows(const Snapshot& snapshot, const std::string& name, const ModelColumn& expected, uint64_t first,
                         uint64_t count, const Errors& errors) {
  auto data = snapshot.read(name, first, count);
  if (!data.ok() && errors.tolerates() && count > 1) {  // the rows that are whole are there
    std::string wrong = compare_rows(snapshot, name, expected, first, count / 2, errors);
    return wrong.empty() ? compare_rows(snapshot, name, expected, first + count / 2, count - count / 2, errors) : wrong;
  }
  if (!data.ok()) return errors.text(data.status());
  ColumnView view = data->view();
  if (view.rows != count) return "column " + name + " gives " + std::to_string(view.rows) + " rows";
  for (uint64_t row = 0; row < count; ++row) {
    std::optional<std::string> value;
    if (view.is_valid(row)) {
      value = expected.text ? std::string(as_text(view.value(row)))
                            : std::to_string(get_fixed<int64_t>(view.value(row).data()));
    }
    if (value != expected.values[first + row]) {
      return "column " + name + " row " + std::to_string(first + row) + " is " + value.value_or("null") + ", not " +
             expected.values[first + row].value_or("null");
    }
  }
  return {};
}

std::string compare_column(const Snapshot& snapshot, const std::string& name, const ModelColumn& expected,
                           const Errors& errors) {
  auto info = snapshot.column(name);
  if (!info.ok()) return errors.text(info.status());
  if (!(info->type == type_of(expected))) return "column " + name + " has type " + info->type.name();
  std::string wrong = compare_rows(snapshot, name, expected, 0, snapshot.rows(), errors);
  if (!wrong.empty()) return wrong;
  auto totals = snapshot.totals(*info);
  if (!totals.ok()) return errors.text(totals.status());
  auto nulls = static_cast<uint64_t>(std::count(expected.values.begin(), expected.values.end(), std::nullopt));
  if (totals->nulls != nulls) return "column " + name + " counts " + std::to_string(totals->nulls) + " nulls";
  return {};
}

std::string compare_version(const Snapshot& snapshot, const ModelVersion& expected, const Errors& errors) {
  if (snapshot.rows() != expected.rows) {
    return "has " + std::to_string(snapshot.rows()) + " rows, not " + std::to_string(expected.rows);
  }
  auto columns = snapshot.columns();
  if (!columns.ok()) return errors.text(columns.status());
  if (columns->size() != expected.columns.size()) return "has " + std::to_string(columns->size()) + " columns";
  for (const auto& [name, column] : expected.columns) {
    std::string wrong = compare_column(snapshot, name, column, errors);
    if (!wrong.empty()) return wrong;
  }
  return {};
}

std::string compare_dataset(Store& store, const std::string& path, const ModelDataset& expected, const Errors& errors) {
  auto table = store.table(path);
  if (!table.ok()) return errors.text(table.status());
  auto latest = table->latest();
  if (!latest.ok()) return errors.text(latest.status());
  if (latest->value != expected.versions.size()) {
    return path + " is at version " + std::to_string(latest->value) + ", not " +
           std::to_string(expected.versions.size());
  }
  int64_t last_time = 0;
  for (uint64_t number = 1; number <= latest->value; ++number) {
    auto snapshot = table->at(VersionNumber{number});
    std::string wrong = snapshot.ok() ? compare_version(*snapshot, *expected.versions[number - 1], errors)
                                      : errors.text(snapshot.status());
    if (!wrong.empty()) return path + " version " + std::to_string(number) + ": " + wrong;
    if (!snapshot.ok()) continue;
    if (snapshot->version().time_ns <= last_time) return path + ": times of versions decrease";
    last_time = snapshot->version().time_ns;
  }
  auto tags = list_tags(store, table->id());
  if (!tags.ok()) return errors.text(tags.status());
  std::map<std::string, uint64_t> shown;
  for (const Tag& tag : *tags) shown[tag.name] = tag.version.value;
  return shown == expected.tags ? "" : path + ": tags differ";
}

}  // namespace

std::string difference(Store& store, const Model& model, uint64_t* damage) {
  const Errors errors(damage);
  auto names = store.children(kRootNode, {}, 1000);
  if (!names.ok()) return errors.text(names.status());
  std::vector<std::string> expected;
  for (const auto& [name, dataset] : model.datasets) expected.push_back(name);
  std::vector<std::string> shown;
  for (const NodeInfo& info : *names) shown.push_back(info.name);
  if (shown != expected) return "the names in the store differ from the model's";
  for (const auto& [name, dataset] : model.datasets) {
    std::string wrong = compare_dataset(store, "/" + name, dataset, errors);
    if (!wrong.empty()) return wrong;
  }
  return {};
}

StoreOptions small_options() {
  StoreOptions options;
  options.background = false;
  options.log_segment_bytes = 32 << 10;
  options.log_segments_ready = 2;
  options.inline_bytes_max = 600;
  options.entries_inline_max = 700;
  options.merge_factor = 3;
  options.page_bytes = 256;
  options.flat_bytes_min = 1024;
  options.statistics_rows = 16;
  options.run_block_bytes = 256;
  options.reserve_bytes = 8192;
  options.block_cache_bytes = 1 << 20;
  return options;
}

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

}  // namespace

namespace {

// Several changes, of one dataset or more, as one commit: one version in each.
Operation transaction(const Model& model, SeededRandom& random) {
  Operation operation{"transaction:", model, {}};
  std::vector<std::pair<std::string, std::function<Status(const Table&)>>> changes;
  for (uint64_t left = 2 + random.below(3); left > 0; --left) {
    std::string name = pick_dataset(operation.after, random);
    const ModelDataset& dataset = operation.after.datasets.at(name);
    bool has_columns = !dataset.versions.empty() && !dataset.versions.back()->columns.empty();
    uint64_t choice = has_columns ? random.below(6) : random.below(2);
    Operation each = choice == 0   ? write_column(operation.after, name, random)
                     : choice <= 1 ? append_rows(operation.after, name, random)
                     : choice <= 3 ? update_cells(operation.after, name, random)
                     : choice == 4 ? rename_column(operation.after, name, random)
                                   : drop_column(operation.after, name, random);
    operation.name += " " + each.name + ";";
    operation.after = std::move(each.after);
    changes.emplace_back(name, std::move(each.change));
  }
  for (auto& [name, dataset] : operation.after.datasets) {
    const size_t before = model.datasets.at(name).versions.size();
    if (dataset.versions.size() <= before + 1) continue;
    auto last = std::make_shared<ModelVersion>(*dataset.versions.back());
    last->removal = std::all_of(dataset.versions.begin() + static_cast<std::ptrdiff_t>(before), dataset.versions.end(),
                                [](const VersionPtr& version) { return version->removal; });
    dataset.versions.resize(before);
    dataset.versions.push_back(std::move(last));
  }
  operation.run = [changes](Store& store) -> Status {
    STELA_ASSIGN(auto transaction, store.begin());
    for (const auto& [name, change] : changes) {
      STELA_ASSIGN(Table table, store.table("/" + name));
      STELA_TRY(change(transaction->table(table.id())));
    }
    STELA_TRY(transaction->check());
    return transaction->commit({}).status();
  };
  return operation;
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

std::string verdict(std::shared_ptr<Env> env, const std::vector<const Model*>& candidates) {
  const Model* shown = nullptr;
  for (int round = 0; round < 2; ++round) {
    auto store = Store::open(env, small_options());
    if (store.status().code() == Code::kNotFound && candidates.front()->datasets.empty() && round == 0) return {};
    if (!store.ok()) return "it does not open: " + store.status().message();
    if (auto reason = (*store)->read_only_reason()) return "it opens read-only: " + *reason;
    std::string damage;
    Status checked = (*store)->check([&](const DamageReport& report) { damage = report.file + ": " + report.reason; });
    if (!checked.ok()) return "check fails: " + checked.message();
    if (!damage.empty()) return "check finds damage: " + damage;
    std::string wrong;
    const std::vector<const Model*> allowed = shown != nullptr ? std::vector<const Model*>{shown} : candidates;
    for (const Model* candidate : allowed) {
      wrong = difference(**store, *candidate);
      if (!wrong.empty()) continue;
      shown = candidate;
      break;
    }
    if (!wrong.empty()) return (round == 0 ? "it differs: " : "a second recovery differs: ") + wrong;
    if (round == 1) {
      auto table = (*store)->create_table("/after");
      if (!table.ok()) return "nothing new can be made: " + table.status().message();
      ColumnData data(DataType::of(TypeKind::kInt64));
      data.append_value<int64_t>(7);
      Batch batch;
      batch.add("v", std::move(data));
      auto version = table->append(batch, {});
      if (!version.ok()) return "a new commit fails: " + version.status().message();
      Status kept = (*store)->maintain(true);
      if (!kept.ok()) return "maintenance fails: " + kept.message();
    }
  }
  return {};
}

}  // namespace stela::model
