// Columns as pages: how small each becomes, by which encoding, how fast one core encodes and decodes it, zstd -3 beside
// it; and what packed pages cost to read against plain ones.
#include <zstd.h>

#include <cmath>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "bench/support/arguments.h"
#include "bench/support/report.h"
#include "bench/support/samples.h"
#include "bench/support/workspace.h"
#include "engine/format/encoding_choice.h"

namespace stela::bench {
namespace {

constexpr uint64_t kPageBytes = 256 << 10;
constexpr int kRepeats = 5;

struct NamedColumn {
  std::string name;
  ColumnData values;
};

template <typename Make>
NamedColumn made(std::string name, const DataType& type, uint64_t rows, Make make) {
  NamedColumn column{std::move(name), ColumnData(type)};
  for (uint64_t row = 0; row < rows; ++row) {
    if constexpr (std::is_convertible_v<decltype(make(row)), std::string>) {
      column.values.append_text(make(row));
    } else {
      column.values.append_value(make(row));
    }
  }
  return column;
}

std::string words(std::mt19937_64& random, uint64_t count) {
  static const char* const kWords[] = {"carefully", "final",     "deposits", "sleep",    "quickly", "furiously", "the",
                                       "ironic",    "regular",   "accounts", "blithely", "above",   "packages",  "bold",
                                       "requests",  "according", "to",       "express",  "slyly",   "among"};
  std::string text;
  for (uint64_t i = 0; i < count; ++i) text += (i == 0 ? "" : " ") + std::string(kWords[random() % 20]);
  return text;
}

// Made with fixed seeds; their kinds are those of the tables that peers publish.
std::vector<NamedColumn> made_columns(uint64_t rows) {
  std::mt19937_64 random(1);
  std::vector<NamedColumn> columns;
  const DataType int64 = DataType::of(TypeKind::kInt64), float64 = DataType::of(TypeKind::kFloat64);
  const DataType text = DataType::of(TypeKind::kUtf8);
  int64_t key = 0, left = 0;
  columns.push_back(made("order keys", int64, rows, [&](uint64_t) {
    if (left-- <= 0) key += 1 + (key % 8 == 7 ? 24 : 0), left = static_cast<int64_t>(random() % 7);
    return key;
  }));
  columns.push_back(made("ship dates", DataType::of(TypeKind::kDate), rows,
                         [&](uint64_t) { return static_cast<int64_t>(8036 + random() % 2526); }));
  columns.push_back(made("ms timestamps, jitter", DataType::timestamp(TimeUnit::kMilli), rows, [&](uint64_t row) {
    return static_cast<int64_t>(1'700'000'000'000 + row * 1000 + random() % 100);
  }));
  columns.push_back(made("ints 0..5000", int64, rows, [&](uint64_t) { return static_cast<int64_t>(random() % 5001); }));
  columns.push_back(made("ints, 1 % outliers", int64, rows, [&](uint64_t) {
    return random() % 100 == 0 ? static_cast<int64_t>(random()) : static_cast<int64_t>(random() % 200);
  }));
  columns.push_back(made("prices, double", float64, rows,
                         [&](uint64_t) { return static_cast<double>(random() % 10'000'000) / 100; }));
  columns.push_back(made("prices, float", DataType::of(TypeKind::kFloat32), rows,
                         [&](uint64_t) { return static_cast<float>(static_cast<double>(random() % 100'000) / 100); }));
  columns.push_back(made("booleans, 5 % true", DataType::of(TypeKind::kBool), rows,
                         [&](uint64_t) { return static_cast<uint8_t>(random() % 20 == 0); }));
  columns.push_back(made("random hashes", int64, rows, [&](uint64_t) { return random(); }));
  columns.push_back(made("noise, double", float64, rows,
                         [&](uint64_t) { return std::sin(static_cast<double>(random() % 1'000'000'007)); }));
  columns.push_back(made("comments", text, rows, [&](uint64_t) { return words(random, 2 + random() % 5); }));
  columns.push_back(made("URLs", text, rows, [&](uint64_t) {
    return "https://www.example.org/" + words(random, 1) + "/" + std::to_string(random() % 1'000'000) + ".html";
  }));
  return columns;
}

// Columns of flights.csv, which has no quotes.
std::vector<NamedColumn> flight_columns(const std::string& path) {
  std::ifstream file(path);
  std::string line, field;
  if (!std::getline(file, line)) return {};
  std::vector<std::string> names;
  for (std::istringstream fields(line); std::getline(fields, field, ',');) names.push_back(field);
  std::map<std::string, std::vector<std::string>> cells;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    for (const std::string& name : names) {
      std::getline(fields, field, ',');
      cells[name].push_back(field == "NA" ? "" : field);
    }
  }
  const uint64_t rows = cells["carrier"].size();
  std::vector<NamedColumn> columns;
  for (const char* name : {"dep_time", "dep_delay", "distance"}) {
    columns.push_back(made(std::string("flights ") + name, DataType::of(TypeKind::kInt32), rows, [&](uint64_t row) {
      const std::string& cell = cells[name][row];
      return cell.empty() ? 0 : std::stoi(cell);
    }));
  }
  for (const char* name : {"tailnum", "carrier", "time_hour"}) {
    columns.push_back(made(std::string("flights ") + name, DataType::of(TypeKind::kUtf8), rows,
                           [&](uint64_t row) { return cells[name][row]; }));
  }
  return columns;
}

struct Measured {
  uint64_t plain = 0, stored = 0, zstd = 0;
  double encode = 0, decode = 0, zstd_decode = 0;  // seconds
  std::string encodings;
};

std::vector<ColumnView> pages_of(const ColumnView& values) {
  const uint64_t rows = std::max<uint64_t>(
      1, kPageBytes * values.rows /
             std::max<uint64_t>(1, values.value_bytes() + (values.type->is_variable() ? 4 * values.rows : 0)));
  std::vector<ColumnView> pages;
  for (uint64_t row = 0; row < values.rows; row += rows) {
    pages.push_back(values.slice(row, std::min(rows, values.rows - row)));
  }
  return pages;
}

// The shortest of some repetitions.
template <typename Work>
double shortest(Work work) {
  double best = 1e9;
  for (int i = 0; i < kRepeats; ++i) {
    Stopwatch watch;
    work();
    best = std::min(best, watch.seconds());
  }
  return best;
}

void measure_zstd(const std::vector<ColumnView>& pages, Measured& measured) {
  const format::Encoding& plain = *format::find_encoding(format::EncodingId::kPlain);
  for (const ColumnView& page : pages) {
    Buffer bytes;
    require(plain.encode(page, format::EncodingMode::kLight, bytes));
    Buffer packed(ZSTD_compressBound(bytes.size()));
    const size_t size = ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 3);
    measured.zstd += size;
    Buffer back(bytes.size());
    measured.zstd_decode += shortest([&] { ZSTD_decompress(back.data(), back.size(), packed.data(), size); });
  }
}

Measured measure(const ColumnView& values) {
  Measured measured;
  std::map<std::string, uint64_t> used;
  const std::vector<ColumnView> pages = pages_of(values);
  for (const ColumnView& page : pages) {
    format::EncodedValues encoded;
    measured.encode += shortest([&] {
      encoded = require(format::encode_cheapest(page, format::kPageRank, format::EncodingMode::kLight, 0.9));
    });
    ByteSpan bytes = encoded.bytes.span();
    if (encoded.encoding->is_identity(*page.type)) bytes = {page.values, static_cast<size_t>(page.value_bytes())};
    ColumnData out(*page.type);
    measured.decode += shortest([&] {
      out.clear();
      require(encoded.encoding->decode_range(bytes, *page.type, page.rows, 0, page.rows, out));
    });
    measured.stored += bytes.size();
    measured.plain += page.value_bytes() + (page.type->is_variable() ? 4 * page.rows : 0);
    ++used[encoded.encoding->name()];
  }
  measure_zstd(pages, measured);
  for (const auto& [name, count] : used) measured.encodings += (measured.encodings.empty() ? "" : ", ") + name;
  return measured;
}

std::string rate(uint64_t bytes, double seconds) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f GB/s", static_cast<double>(bytes) / seconds / 1e9);
  return text;
}

std::string saved(uint64_t stored, uint64_t plain) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f %%", 100 - 100 * static_cast<double>(stored) / static_cast<double>(plain));
  return text;
}

void run(const Arguments& arguments) {
  const uint64_t rows = arguments.number("rows");
  std::vector<NamedColumn> columns = made_columns(rows);
  for (NamedColumn& column : flight_columns(arguments.text("flights"))) columns.push_back(std::move(column));
  std::printf("%-24s %-22s %9s %9s | %12s %12s | %12s\n", "column", "encodings", "saved", "zstd -3", "decode", "zstd",
              "encode");
  for (const NamedColumn& column : columns) {
    const Measured m = measure(column.values.view());
    std::printf("%-24s %-22s %9s %9s | %12s %12s | %12s\n", column.name.c_str(), m.encodings.c_str(),
                saved(m.stored, m.plain).c_str(), saved(m.zstd, m.plain).c_str(), rate(m.plain, m.decode).c_str(),
                rate(m.plain, m.zstd_decode).c_str(), rate(m.plain, m.encode).c_str());
  }
}

}  // namespace
}  // namespace stela::bench

int main(int argc, char** argv) {
  const stela::bench::Arguments arguments(
      argc, argv, "sizes and speeds of encoded pages",
      {{"rows", "1000000", "rows of each column"},
       {"flights", "tests/data/flights.csv", "the sample of flights; left out where it is not there"}});
  stela::bench::run(arguments);
  return 0;
}
