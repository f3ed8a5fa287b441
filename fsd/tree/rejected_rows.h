// Rows that on-error=skip left out, a log for each dataset, and .append/rejected.ndjson, which shows it.
//
// Kept in a spool while the mount lasts, up to kRejectedBytesMax; when it is full, files with rejected rows are refused
// until somebody removes it.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "fsd/ingest/rejections.h"
#include "fsd/tree/node.h"
#include "fsd/tree/spool.h"

namespace stela::fsd {

inline constexpr uint64_t kRejectedBytesMax = 64 << 20;
inline constexpr std::string_view kRejectedName = "rejected.ndjson";

// Thread-safe.
class RejectedLog : public RejectedRows {
 public:
  RejectedLog(Files& files, DraftBudget& budget) : files_(files), budget_(budget) {}
  Status reserve(uint64_t bytes) override;
  void give_back(uint64_t bytes) override;
  void add(std::string_view lines) override;

  uint64_t size() const;
  // Short only at the end.
  Result<size_t> read(uint64_t offset, MutableByteSpan into);
  void clear();

 private:
  Files& files_;
  DraftBudget& budget_;
  mutable std::mutex mutex_;
  std::unique_ptr<Spool> spool_;  // reaches to the end of what is reserved
  uint64_t size_ = 0;
  uint64_t reserved_ = 0;
};

// Thread-safe.
class RejectedLogs {
 public:
  RejectedLogs(Files& files, DraftBudget& budget) : files_(files), budget_(budget) {}
  std::shared_ptr<RejectedLog> of(NodeId dataset);

 private:
  Files& files_;
  DraftBudget& budget_;
  std::mutex mutex_;
  std::map<uint64_t, std::shared_ptr<RejectedLog>> logs_;
};

class RejectedFile : public Node {
 public:
  RejectedFile(TreeContext& context, NodeId dataset, std::shared_ptr<RejectedLog> log);
  FileType type() const override { return FileType::kRegular; }
  std::string path() const override;
  NodeId owner() const override { return dataset_; }
  Result<Shown> attributes(bool may_compute) override;
  Result<std::unique_ptr<OpenFile>> open(uint32_t flags, const Caller& caller) override;

 private:
  const NodeId dataset_;
  const std::shared_ptr<RejectedLog> log_;
};

}  // namespace stela::fsd
