// ColumnStream: a large .npy on its way into a column while it is still being written: what is copied in lies in the
// store already when the file is closed, checksummed, and only its head and its name are missing.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/store/store.h"
#include "fsd/tree/spool.h"

namespace stela::fsd {

// Not thread-safe; the draft's lock is held.
class ColumnStream : public SpoolStream {
 public:
  // Null when `head`, the first bytes of the file, is not the beginning of a .npy whose values are stored as they
  // are (C order, little-endian, nothing to check or convert), or is all of it.
  static std::shared_ptr<ColumnStream> start(const Table& table, const std::string& column,
                                             const std::optional<ColumnInfo>& replaced, VersionNumber base,
                                             ByteSpan head);

  Result<bool> take(ByteSpan bytes) override;
  uint64_t size() const override { return header_.size() + value_bytes_ + rest_.size(); }
  Status read(uint64_t offset, MutableByteSpan into) override;

  uint64_t rows() const { return value_bytes_ / type_.value_width(); }
  // Exactly the array its header speaks of is there, and commit() was not called yet.
  bool is_complete() const { return !closed_ && rest_.empty() && value_bytes_ == array_bytes_; }
  // Once, whatever comes of it. Afterwards it can still be read.
  Result<VersionInfo> commit(const CommitInfo& info);

 private:
  ColumnStream(std::unique_ptr<ColumnWriter> writer, DataType type, std::string header, uint64_t array_bytes)
      : writer_(std::move(writer)), type_(std::move(type)), header_(std::move(header)), array_bytes_(array_bytes) {}
  Status append_rows(ByteSpan bytes);

  const std::unique_ptr<ColumnWriter> writer_;
  const DataType type_;
  const std::string header_;    // of the file as it came
  const uint64_t array_bytes_;  // that its header speaks of
  uint64_t value_bytes_ = 0;    // in the writer
  Buffer rest_;                 // of a row that is not whole yet
  bool closed_ = false;
};

}  // namespace stela::fsd
