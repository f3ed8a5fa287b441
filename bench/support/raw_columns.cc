#include "bench/support/raw_columns.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bench/support/workspace.h"

namespace stela::bench {
namespace {

template <typename Container>
void fill(std::ifstream& file, Container& container) {
  file.read(reinterpret_cast<char*>(container.data()),
            static_cast<std::streamsize>(container.size() * sizeof(*container.data())));
}

ColumnData read_column(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string line, type_name;
  uint64_t rows = 0;
  int has_nulls = 0;
  std::getline(file, line);
  std::istringstream(line) >> type_name >> rows >> has_nulls;
  const DataType type = require(DataType::parse(type_name));
  PooledVector<uint64_t> offsets(type.is_variable() ? rows + 1 : 0);
  fill(file, offsets);
  Buffer values(type.is_variable() ? offsets[rows] : rows * type.value_width());
  fill(file, values);
  PooledVector<uint8_t> validity(has_nulls != 0 ? (rows + 7) / 8 : 0);
  fill(file, validity);
  return require(ColumnData::adopt(type, rows, std::move(values), std::move(offsets), std::move(validity)));
}

}  // namespace

std::vector<NamedColumn> raw_columns(const std::string& folder) {
  std::vector<NamedColumn> columns;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".column") continue;
    columns.push_back({entry.path().stem().string(), read_column(entry.path().string())});
  }
  std::sort(columns.begin(), columns.end(), [](const NamedColumn& a, const NamedColumn& b) { return a.name < b.name; });
  return columns;
}

}  // namespace stela::bench
