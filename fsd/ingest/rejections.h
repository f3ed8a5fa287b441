// Rows that on-error=skip leaves out, with their reasons, as the lines of .append/rejected.ndjson.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace stela::fsd {

// Where rejected rows are kept. Thread-safe.
class RejectedRows {
 public:
  virtual ~RejectedRows() = default;
  // Room for that many bytes of lines, kept for the caller until add() or give_back(). kNoSpace names the limit.
  virtual Status reserve(uint64_t bytes) = 0;
  virtual void give_back(uint64_t bytes) = 0;
  // Whole lines of JSON, for which there is room.
  virtual void add(std::string_view lines) = 0;
};

// The rejected rows of one commit on its way. One thread at a time.
class Rejections {
 public:
  // Null `to`: rows are not skipped, the first error stops the file.
  Rejections(std::string file_name, std::shared_ptr<RejectedRows> to)
      : file_name_(std::move(file_name)), to_(std::move(to)) {}

  static constexpr uint64_t kBytesMax = 16 << 20;  // of the lines of one commit

  bool skips() const { return to_ != nullptr; }
  // In any order; they are kept in that of their lines. kLimit beyond kBytesMax: so many errors are no accident.
  Status add(uint64_t line, const std::string& reason, std::string_view text);
  void clear();
  uint64_t count() const { return rows_.size(); }
  // Why the first one was rejected, with file and line.
  std::string first() const;

  // Around the commit of the rows that remain: room first, so that none is lost after it.
  Status reserve();
  void committed();
  void failed();

 private:
  const std::string file_name_;
  const std::shared_ptr<RejectedRows> to_;
  struct Row {
    uint64_t line = 0;
    std::string reason;
    std::string json;
  };
  std::vector<Row> rows_;
  uint64_t bytes_ = 0;  // of the rows' json
  uint64_t reserved_ = 0;
};

}  // namespace stela::fsd
