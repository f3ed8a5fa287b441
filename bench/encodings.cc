// Columns as pages, light and cold: how small each becomes, by which encoding, how fast one core encodes and decodes
// it, zstd -3 beside it.
#include <zstd.h>

#include <cmath>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "bench/support/arguments.h"
#include "bench/support/raw_columns.h"
#include "bench/support/report.h"
#include "bench/support/samples.h"
#include "bench/support/workspace.h"
#include "engine/format/decode_speeds.h"
#include "engine/format/page_measure.h"

namespace stela::bench {
namespace {

using format::PageMeasure;
using format::plain_bytes;

constexpr uint64_t kPageBytes = format::page_bytes_of(format::EncodingMode::kLight);
constexpr int kRepeats = 5;
const char* const kOneValue = "one value";  // of this column the speed of constant pages is told, and no other

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

// The shortest of some repetitions.
template <typename Work>
double shortest(int repeats, Work work) {
  double best = 1e9;
  for (int i = 0; i < repeats; ++i) {
    Stopwatch watch;
    work();
    best = std::min(best, watch.seconds());
  }
  return best;
}

// Pages of 256 KiB, plain values, by zstd -3.
PageMeasure measure_zstd(const ColumnView& values) {
  PageMeasure measured;
  const format::Encoding& plain = *format::find_encoding(format::EncodingId::kPlain);
  for (const ColumnView& page : format::pages_of(values, kPageBytes)) {
    Buffer bytes;
    require(plain.encode(page, format::EncodingMode::kLight, bytes));
    Buffer packed(ZSTD_compressBound(bytes.size()));
    const size_t size = ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 3);
    measured.stored_bytes += size;
    Buffer back(bytes.size());
    measured.decode_seconds +=
        shortest(kRepeats, [&] { ZSTD_decompress(back.data(), back.size(), packed.data(), size); });
  }
  return measured;
}

PageMeasure measure(const ColumnView& values, format::EncodingMode mode) {
  const Stopwatch watch;
  return require(format::measure_pages(values, mode, kRepeats, [&] { return watch.seconds(); }));
}

std::string rate(uint64_t bytes, double seconds) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f GB/s", static_cast<double>(bytes) / seconds / 1e9);
  return text;
}

std::string slow_rate(uint64_t bytes, double seconds) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f MB/s", static_cast<double>(bytes) / seconds / 1e6);
  return text;
}

std::string saved(uint64_t stored, uint64_t plain) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f %%", 100 - 100 * static_cast<double>(stored) / static_cast<double>(plain));
  return text;
}

void print_row(const std::string& name, const PageMeasure& light, const PageMeasure& cold, const PageMeasure& zstd) {
  std::printf(
      "| %-24s | %-18s | %-22s | %8s | %8s | %8s | %11s | %11s | %11s | %10s | %10s |\n", name.c_str(),
      light.encodings.c_str(), cold.encodings.c_str(), saved(light.stored_bytes, light.plain_bytes).c_str(),
      saved(cold.stored_bytes, cold.plain_bytes).c_str(), saved(zstd.stored_bytes, light.plain_bytes).c_str(),
      rate(light.plain_bytes, light.decode_seconds).c_str(), rate(light.plain_bytes, cold.decode_seconds).c_str(),
      rate(light.plain_bytes, zstd.decode_seconds).c_str(), slow_rate(light.plain_bytes, light.encode_seconds).c_str(),
      slow_rate(light.plain_bytes, cold.encode_seconds).c_str());
}

void print_line(const std::string& name, const char* mode, const PageMeasure& m) {
  std::printf("%s\t%s\t%llu\t%llu\t%.9f\t%.9f\t%s\n", name.c_str(), mode,
              static_cast<unsigned long long>(m.plain_bytes), static_cast<unsigned long long>(m.stored_bytes),
              m.decode_seconds, m.encode_seconds, m.encodings.c_str());
}

// Decoding of pages of one encoding, of all columns that it suits: the geometric mean of plain bytes a second, in GB. What
// was written before where it suits none: packed pages are tight unless they are small.
double speed_of(const format::Encoding& encoding, const std::vector<NamedColumn>& columns) {
  double logarithms = 0, count = 0;
  for (const NamedColumn& column : columns) {
    const ColumnView page = format::pages_of(column.values.view(), kPageBytes).front();
    const DataType& type = *page.type;
    const bool one_value = column.name == kOneValue;
    if (!encoding.supports(type) || one_value != (encoding.id() == format::EncodingId::kConstant)) continue;
    const format::ValueSample sample(page);
    // Of those that light pages may be, with light columns inside.
    const bool light = encoding.estimate(sample, format::EncodingMode::kLight).has_value();
    const format::EncodingMode mode = light ? format::EncodingMode::kLight : format::EncodingMode::kCold;
    Buffer bytes;
    if (!encoding.estimate(sample, mode) || !encoding.encode(page, mode, bytes).ok()) continue;
    const bool is_plain = encoding.id() == format::EncodingId::kPlain;
    if (!is_plain && bytes.size() * 10 > plain_bytes(page) * 9) continue;
    ColumnData out(type);
    const double seconds = shortest(kRepeats * 10, [&] {
      out.clear();
      require(encoding.decode_range(bytes.span(), type, page.rows, 0, page.rows, out));
    });
    logarithms += std::log(static_cast<double>(plain_bytes(page)) / seconds / 1e9);
    ++count;
  }
  return count == 0 ? format::decode_speed(encoding.id()) : std::exp(logarithms / count);
}

void write_speeds(const std::string& path, std::vector<NamedColumn> columns) {
  ColumnData same(DataType::of(TypeKind::kInt64));
  for (uint64_t row = 0; row < columns[0].values.rows(); ++row) same.append_value(int64_t{7});
  columns.push_back({kOneValue, std::move(same)});
  ColumnData decimals(DataType::decimal(15, 2));
  for (uint64_t row = 0; row < columns[0].values.rows(); ++row) {
    const int64_t number[2] = {static_cast<int64_t>(row * 7919 % 10'000'019), 0};
    decimals.append(std::as_bytes(std::span(number)));
  }
  columns.push_back({"decimals", std::move(decimals)});
  std::mt19937_64 random(2);
  columns.push_back(made("remarks", DataType::of(TypeKind::kUtf8), 4000, [&](uint64_t) { return words(random, 60); }));
  std::ofstream file(path);
  file << "// Written by bench/encodings --speeds.\n#include \"engine/format/decode_speeds.h\"\n\nnamespace "
          "stela::format {\n\n"
          "double decode_speed(EncodingId id) {\n  switch (static_cast<uint16_t>(id)) {\n";
  for (const format::Encoding* encoding : format::all_encodings()) {
    char statement[40], line[80];
    std::snprintf(statement, sizeof(statement), "    case %u: return %.1f;", static_cast<unsigned>(encoding->id()),
                  speed_of(*encoding, columns));
    std::snprintf(line, sizeof(line), "%-26s// %s\n", statement, encoding->name());
    file << line;
  }
  file << "    default: return 1.0;\n  }\n}\n\n}  // namespace stela::format\n";
}

std::vector<NamedColumn> columns_to_measure(const Arguments& arguments) {
  if (!arguments.text("columns").empty()) return raw_columns(arguments.text("columns"));
  std::vector<NamedColumn> columns = made_columns(arguments.number("rows"));
  for (NamedColumn& column : flight_columns(arguments.text("flights"))) columns.push_back(std::move(column));
  return columns;
}

void run(const Arguments& arguments) {
  if (!arguments.text("speeds").empty()) return write_speeds(arguments.text("speeds"), columns_to_measure(arguments));
  const bool lines = arguments.number("lines") != 0;
  if (!lines) {
    std::printf("| %-24s | %-18s | %-22s | %8s | %8s | %8s | %11s | %11s | %11s | %10s | %10s |\n", "column", "light",
                "cold", "saved", "cold", "zstd -3", "decode", "cold", "zstd", "encode", "cold");
    std::printf("|%s\n", "---|---|---|---|---|---|---|---|---|---|---|");
  }
  for (const NamedColumn& column : columns_to_measure(arguments)) {
    const ColumnView values = column.values.view();
    const PageMeasure light = measure(values, format::EncodingMode::kLight);
    const PageMeasure cold = measure(values, format::EncodingMode::kCold);
    if (lines) {
      print_line(column.name, "light", light);
      print_line(column.name, "cold", cold);
      continue;
    }
    print_row(column.name, light, cold, measure_zstd(values));
  }
}

}  // namespace
}  // namespace stela::bench

int main(int argc, char** argv) {
  const stela::bench::Arguments arguments(
      argc, argv, "sizes and speeds of encoded pages",
      {{"rows", "1000000", "rows of each column"},
       {"flights", "tests/data/flights.csv", "the sample of flights; left out where it is not there"},
       {"speeds", "", "write the table of decode speeds (engine/format/decode_speeds.cc) there, and nothing else"},
       {"columns", "", "a folder of columns (support/raw_columns.h) to measure in place of these"},
       {"lines", "0", "1: name, mode, plain and stored bytes, seconds to decode and encode, encodings, for scripts"}});
  stela::bench::run(arguments);
  return 0;
}
