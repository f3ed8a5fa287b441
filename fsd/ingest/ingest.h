// Ingest: files of rows into a dataset, files of one column into a column.
//
// Adding an input format = one file pair that defines it and one line in ingest_registry.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/env.h"
#include "engine/store/store.h"
#include "fsd/ingest/rejections.h"

namespace stela::fsd {

// Bytes of the file being taken in: a draft's spool, or a file on disk. Reads may be at any offset below
// size(); the size may grow between calls.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual uint64_t size() const = 0;
  virtual Status read(uint64_t offset, MutableByteSpan into) = 0;
};
// Takes the descriptor over (closes it). `what` names the file in messages.
Result<std::unique_ptr<ByteSource>> descriptor_source(int fd, std::string what);

struct IngestOptions {
  std::vector<std::string> null_texts;  // further unquoted texts that are null in every column ("NA")
  char delimiter = 0;                   // 0: by extension
  bool header = true;
  bool missing_null = false;  // missing=null: absent columns become null
  bool extra_ignore = false;  // extra=ignore
  bool skip_errors = false;   // on-error=skip: rows that cannot be taken go to `rejected`
  std::shared_ptr<RejectedRows> rejected;
  uint64_t field_bytes_max = 64 << 20;
  uint64_t memory_bytes = 256 << 20;
  // Called now and then with bytes consumed so far; false cancels with kDeadline.
  std::function<bool(uint64_t bytes, uint64_t rows)> progress;
};
// "null=NA,delimiter=%2C,header=no,missing=null,extra=ignore" over `base`. kInvalid names the unknown
// key or impossible value.
Result<IngestOptions> parse_ingest_options(std::string_view folder_name, const IngestOptions& base);

// on-error=skip for a format of which a file is whole or nothing.
Status skip_is_for_text(const std::string& file_name);

// One file of rows on its way into `table`; keeps its place and its header across commits, so that a
// streaming writer can commit what is complete and go on. One thread at a time.
class RowIngest {
 public:
  virtual ~RowIngest() = default;
  // Takes in what is complete in [consumed, source.size()) and commits it. `final`: the file ends here (a
  // last line without newline counts). nullopt: nothing new to commit (empty file, header only).
  // On error nothing was committed; messages begin with `file_name:line:` where there are lines.
  // A file that is incomplete as a whole (.npy) is kInvalid with "incomplete"; more bytes may follow.
  virtual Result<std::optional<VersionInfo>> commit(bool final, const CommitInfo& info) = 0;
  virtual uint64_t rows_committed() const = 0;
  // All bytes so far belong to committed rows (or there are none).
  virtual bool is_drained() const = 0;
};

class RowFormat {
 public:
  virtual ~RowFormat() = default;
  virtual const char* extension() const = 0;  // ".csv", ".tsv", ".npy"
  virtual Result<std::unique_ptr<RowIngest>> start(ByteSource& source, std::string file_name, Table table,
                                                   const IngestOptions& options) const = 0;
};
// Null when unknown; kUnsupported formats that exist in the field (.parquet, .jsonl, ...) are known by
// `unsupported_row_format`, which gives the sentence that names the way.
const RowFormat* find_row_format(std::string_view extension);
std::optional<Status> unsupported_row_format(std::string_view extension);

class ColumnSink;

// A file that holds one whole column.
class ColumnFormat {
 public:
  virtual ~ColumnFormat() = default;
  virtual const char* extension() const = 0;  // ".npy", ".arrow"
  // Commits the column `name`. kInvalid with "incomplete" when the file ends too early (the draft may go
  // on), and with the two lengths when the length is not the dataset's row count. A file of zero bytes:
  // nullopt.
  virtual Result<std::optional<VersionInfo>> commit(ByteSource& source, const std::string& file_name, ColumnSink& sink,
                                                    const std::string& name, bool replace,
                                                    const CommitInfo& info) const = 0;
};
const ColumnFormat* find_column_format(std::string_view extension);

}  // namespace stela::fsd
