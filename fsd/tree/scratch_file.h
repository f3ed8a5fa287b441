// ScratchFile: names that hold bytes and never commit (editors', rsync's and atomic savers' temporaries),
// RefusedName: a name that says why it could not be made, and GhostName.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "fsd/tree/side_files.h"
#include "fsd/tree/spool.h"

namespace stela::fsd {

// `*~ *.swp 4913 *.tmp *.tmp.* *.part tmp*` and names with a leading dot.
bool is_scratch_name(std::string_view name);

// An ordinary file in a bounded spool, shared by all who open it.
class ScratchFileNode : public SideFile {
 public:
  static Result<std::shared_ptr<ScratchFileNode>> create(TreeContext& context, NodeId dataset, std::string place,
                                                         std::string path, uint32_t mode, const Caller& caller);
  std::string path() const override;
  std::string error_place() const override;
  NodeId owner() const override { return dataset_; }
  bool evictable() const override { return false; }
  void renamed(const std::string& place, const std::string& path) override;
  Result<Shown> attributes(bool may_compute) override;
  Status set_attributes(const SetAttributes& set, const Caller& caller) override;
  Result<std::unique_ptr<OpenFile>> open(uint32_t flags, const Caller& caller) override;

  Result<size_t> read(uint64_t offset, MutableByteSpan into);
  Status write(uint64_t offset, ByteSpan bytes);
  // Runs with the bytes held still.
  template <typename Function>
  auto with_bytes(Function&& function) {
    std::lock_guard lock(mutex_);
    return function(*spool_);
  }
  uint64_t size() const;

 private:
  ScratchFileNode(TreeContext& context, NodeId dataset, std::string place, std::string path, uint32_t mode,
                  const Caller& caller, std::unique_ptr<Spool> spool);
  const NodeId dataset_;
  const uint64_t inode_;
  mutable std::mutex mutex_;
  std::string place_, path_;
  uint32_t mode_, uid_, gid_;
  int64_t mtime_ns_;
  const std::unique_ptr<Spool> spool_;
};

// An unlisted file of no bytes, of whoever tried: opening it gives the refusal again.
class RefusedName : public SideFile {
 public:
  RefusedName(TreeContext& context, std::string place, std::string path, Status refusal, const Caller& caller);
  std::string path() const override { return path_; }
  std::string error_place() const override { return place_; }
  void renamed(const std::string&, const std::string&) override {}
  Result<Shown> attributes(bool may_compute) override;
  Result<std::unique_ptr<OpenFile>> open(uint32_t, const Caller&) override { return refusal_; }

 private:
  const std::string place_, path_;
  const Status refusal_;
  const uint32_t uid_, gid_;
  const int64_t time_ns_;
};

// ".valid.npy" of a column that was just removed: `rm -r` listed it and wants to remove it too.
class GhostName : public SideFile {
 public:
  GhostName(TreeContext& context, std::string place, std::string path, const Attributes& attributes)
      : SideFile(context, ""), place_(std::move(place)), path_(std::move(path)), attributes_(attributes) {}
  std::string path() const override { return path_; }
  std::string error_place() const override { return place_; }
  void renamed(const std::string&, const std::string&) override {}
  Result<Shown> attributes(bool) override { return Shown{attributes_}; }
  Result<std::unique_ptr<OpenFile>> open(uint32_t, const Caller&) override {
    return not_found(path_ + ": its column was removed");
  }

 private:
  const std::string place_, path_;
  const Attributes attributes_;
};

}  // namespace stela::fsd
