#include "tests/crash/store_model.h"

#include <algorithm>

#include "snapshots/tags.h"

namespace stela::model {

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

namespace {

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

std::string compare_dataset(Store& store, const std::string& path, const ModelDataset& expected, const Errors& errors,
                            uint64_t versions) {
  auto table = store.table(path);
  if (!table.ok()) return errors.text(table.status());
  auto latest = table->latest();
  if (!latest.ok()) return errors.text(latest.status());
  if (latest->value != expected.versions.size()) {
    return path + " is at version " + std::to_string(latest->value) + ", not " +
           std::to_string(expected.versions.size());
  }
  int64_t last_time = 0;
  for (uint64_t number = latest->value - std::min(latest->value, versions) + 1; number <= latest->value; ++number) {
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

namespace {
std::string compare_store(Store& store, const Model& model, const Errors& errors, uint64_t versions) {
  auto names = store.children(kRootNode, {}, 1000);
  if (!names.ok()) return errors.text(names.status());
  std::vector<std::string> expected;
  for (const auto& [name, dataset] : model.datasets) expected.push_back(name);
  std::vector<std::string> shown;
  for (const NodeInfo& info : *names) shown.push_back(info.name);
  if (shown != expected) return "the names in the store differ from the model's";
  for (const auto& [name, dataset] : model.datasets) {
    std::string wrong = compare_dataset(store, "/" + name, dataset, errors, versions);
    if (!wrong.empty()) return wrong;
  }
  return {};
}
}  // namespace

std::string difference(Store& store, const Model& model, uint64_t* damage) {
  return compare_store(store, model, Errors(damage), UINT64_MAX);
}

std::string difference_of_newest(Store& store, const Model& model) {
  return compare_store(store, model, Errors(nullptr), 2);
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
