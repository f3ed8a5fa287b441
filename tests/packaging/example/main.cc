// A store is created, a table appended to twice, its first version read again and its newest scanned.
#include <cstdio>
#include <vector>

#include "engine/io/posix_env.h"
#include "engine/store/store.h"

static stela::Batch trips(const std::vector<double>& fares) {
  stela::Batch batch;
  batch.add("fare", stela::ColumnData(stela::DataType::of(stela::TypeKind::kFloat64)));
  for (double fare : fares) batch.columns[0].append_value(fare);
  return batch;
}

static stela::Status tour(const char* folder) {
  STELA_ASSIGN(auto store, stela::Store::create(stela::posix_env(folder), {}));
  STELA_ASSIGN(stela::Table table, store->create_table("/trips"));
  STELA_ASSIGN(stela::VersionInfo first, table.append(trips({12.5, 7.0}), {"me", "", "first day"}));
  STELA_ASSIGN(stela::VersionInfo second, table.append(trips({31.25}), {"me", "", "second day"}));

  STELA_ASSIGN(stela::Snapshot before, table.at(first.number));
  STELA_ASSIGN(stela::Snapshot now, table.at(second.number));
  STELA_ASSIGN(auto scanner, now.scan({"fare"}, 0, now.rows()));
  double sum = 0;
  for (stela::Batch batch;;) {
    STELA_ASSIGN(bool more, scanner->next(&batch));
    if (!more) break;
    const auto* fares = reinterpret_cast<const double*>(batch.columns[0].view().values);
    for (uint64_t row = 0; row < batch.rows(); ++row) sum += fares[row];
  }
  std::printf("%zu fares at first, now %zu of %g in all\n", size_t{before.rows()}, size_t{now.rows()}, sum);
  return {};
}

int main(int argc, char** argv) {
  stela::Status status = tour(argc > 1 ? argv[1] : "example-store");
  return status.ok() ? 0 : (std::fprintf(stderr, "example: %s\n", status.message().c_str()), 1);
}
