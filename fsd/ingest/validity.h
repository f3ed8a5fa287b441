// Validity: which rows of a column have a value, as the bool array of a .valid.npy says it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "fsd/ingest/ingest.h"
#include "fsd/ingest/row_sink.h"

namespace stela::fsd {

// One thread at a time.
class ValiditySource {
 public:
  virtual ~ValiditySource() = default;
  virtual uint64_t rows() const = 0;
  // A byte a row, not 0 where there is a value; [first, first + into.size()) is within rows().
  virtual Status read(uint64_t first, MutableByteSpan into) = 0;
  // What it is called in messages.
  virtual std::string name() const = 0;
};

// Of the bytes of a .valid.npy, which must outlive it. kInvalid: not a bool array of one dimension, or incomplete.
Result<std::unique_ptr<ValiditySource>> validity_of_npy(ByteSource& source, std::string name);
// Of a column as a version has it.
std::unique_ptr<ValiditySource> validity_of_column(Snapshot snapshot, ColumnInfo column, std::string name);

// `values` with nulls exactly where `valid` is 0; what a null's row held is gone, and a null that becomes a value has
// what .npy shows there (NaN, 0). Fixed-width types only. `first_row` counts in the messages. kInvalid: a row that is
// to have a value holds NaT, which is null in every .npy.
Result<ColumnData> with_validity(const ColumnView& values, ByteSpan valid, uint64_t first_row, const std::string& name);

// Passes a column on to `sink` with the nulls that `validity` says, rows in their order. Both outlive it. Columns of
// types that have no .valid.npy pass unchanged. kInvalid from commit(): the lengths differ.
std::unique_ptr<ColumnSink> validity_sink(ColumnSink& sink, ValiditySource& validity);

// The nulls of the column `name` become those that `source`, a whole .valid.npy, says: a new version, unless they are
// the same already or the file is empty (nullopt). kNotFound: no such column; kInvalid names the two lengths;
// kConflict: the column was written, or rows were appended, meanwhile.
Result<std::optional<VersionInfo>> commit_validity(ByteSource& source, const std::string& file_name, Table table,
                                                   const std::string& name, const CommitInfo& info);

}  // namespace stela::fsd
