// What tests of fragments share: files in memory, random columns with a pattern of nulls, comparison.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>

#include "engine/format/fragment.h"
#include "engine/io/memory_env.h"

namespace stela::format {

// Files held as strings, which tests may change between writing and reading; counts what is read.
class TestFiles final : public FileSource {
 public:
  Result<std::shared_ptr<FileReader>> open(FileId id, FileKind kind) override;
  // Takes the finished files of a writer from `files`.
  void load(Files& files, const std::vector<DataFile>& written);
  std::string& bytes(FileId id, FileKind kind) { return *contents_[{id.value, kind}]; }
  void set(FileId id, FileKind kind, std::string bytes) {
    contents_[{id.value, kind}] = std::make_shared<std::string>(std::move(bytes));
  }
  void set_fingerprint(std::string text) { fingerprint_ = std::move(text); }

  uint64_t bytes_read = 0;
  uint64_t reads = 0;

 private:
  std::map<std::pair<uint64_t, FileKind>, std::shared_ptr<std::string>> contents_;
  std::string fingerprint_ = "a";
};

enum class Nulls { kNone, kAll, kFirst, kLast, kAlternating, kRandom };
inline constexpr Nulls kNullPatterns[] = {Nulls::kNone, Nulls::kAll,         Nulls::kFirst,
                                          Nulls::kLast, Nulls::kAlternating, Nulls::kRandom};

ColumnData random_column(const DataType& type, uint64_t rows, Nulls nulls, std::mt19937_64& random);
const std::vector<std::string>& test_type_names();
// As those of less than a column are kept: with an estimate in place of the sketch.
Statistics as_kept(Statistics statistics);
// Bytes, validity and totals of `view` are those of rows [first, first + view.rows) of `expected`.
void expect_rows(const ColumnView& view, const ColumnView& expected, uint64_t first, const std::string& where);

// Writes sections and opens them again.
struct FragmentBench {
  std::shared_ptr<MemoryEnv> env = memory_env();
  FragmentOptions options;
  TestFiles files;
  std::shared_ptr<catalog::BlockCache> cache;
  std::shared_ptr<VerifiedExtents> verified = std::make_shared<VerifiedExtents>();
  uint64_t next_id = 100;
  FileId fragment;
  std::vector<DataFile> written;

  FragmentBench() { options.store_id = 77; }
  // Each inner vector is a section: its columns, with ids 10, 9, 8, ..., appended in pieces of `piece_rows`.
  std::vector<SectionInfo> write(const std::vector<std::vector<ColumnData>>& sections, uint64_t piece_rows = 0);
  static ColumnId id_of(size_t column) { return ColumnId(100000 - column); }
  FragmentContext context() { return {options.store_id, &files, cache, verified}; }
  Result<std::shared_ptr<const FragmentReader>> open(const SectionInfo& section) {
    return FragmentReader::open(context(), fragment, section.offset, section.length);
  }
};

}  // namespace stela::format
