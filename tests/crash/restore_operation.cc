#include "tests/crash/restore_operation.h"

#include <algorithm>

namespace stela::model {

namespace {

bool shows_the_same(const ModelVersion& a, const ModelVersion& b) {
  if (a.rows != b.rows || a.columns.size() != b.columns.size()) return false;
  return std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.text == y.second.text && x.second.values == y.second.values;
  });
}

}  // namespace

Operation any_operation(const Model& model, SeededRandom& random) {
  if (model.datasets.empty() || random.below(12) != 0) return random_operation(model, random);
  auto at = model.datasets.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(random.below(model.datasets.size())));
  const auto& [name, dataset] = *at;
  if (dataset.versions.size() < 2) return random_operation(model, random);
  uint64_t number = 1 + random.below(dataset.versions.size() - 1);
  // Where values are the same, columns or rows may still be others, which only the store knows.
  if (shows_the_same(*dataset.versions[number - 1], *dataset.versions.back())) return random_operation(model, random);
  Operation operation{"restore version " + std::to_string(number) + " of " + name, model, {}};
  auto next = std::make_shared<ModelVersion>(*dataset.versions[number - 1]);
  next->removal = false;
  operation.after.datasets[name].versions.push_back(std::move(next));
  operation.run = [path = "/" + name, number](Store& store) -> Status {
    STELA_ASSIGN(Table table, store.table(path));
    return table.restore(VersionNumber{number}, {}).status();
  };
  return operation;
}

}  // namespace stela::model
