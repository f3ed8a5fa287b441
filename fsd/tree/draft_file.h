// DraftFile: a name that is being written: node and open file of a draft. What it becomes is up to the two
// kinds: a column (column_draft.h), rows (drop_file.h).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "fsd/tree/draft.h"
#include "fsd/tree/side_files.h"

namespace stela::fsd {

class DraftFile : public SideFile {
 public:
  DraftFile(TreeContext& context, std::string place, std::string path, const Caller& owner, uint32_t mode);

  std::string path() const override;
  std::string error_place() const override;
  bool evictable() const override;
  void renamed(const std::string& place, const std::string& path) override;
  void removed() override;

  // What the draft's handle tells: each once for each event, no lock held.
  virtual void committed(const VersionInfo& version, Draft& draft) = 0;
  // All of it was taken in and there was nothing to commit (a header without rows).
  virtual void nothing_committed(Draft&) {}
  // A close came through: what was set through the handle holds when it returns.
  virtual void flushed() {}
  // The handle is gone. `failure`: why what was written is not committed; ok when all is, or nothing was.
  virtual void closed(const Status& failure) = 0;

 protected:
  // A handle on a fresh draft, which becomes this node's live one. kConflict (look again) when there is one
  // already.
  Result<std::unique_ptr<OpenFile>> start(std::unique_ptr<DraftTarget> target, const Draft::Continuation& continuation,
                                          uint32_t flags, const Caller& caller);
  // The same, of a draft that `make` makes.
  Result<std::unique_ptr<OpenFile>> start(const std::function<Result<std::shared_ptr<Draft>>()>& make, uint32_t flags,
                                          const Caller& caller);
  std::shared_ptr<Draft> live() const;
  // Its name was removed: the release of a handle, which comes after close() has returned, does not bring it back.
  bool was_removed() const { return removed_; }
  // Keeps the name for `keep_ns` more, unless it was removed, also at this moment, or is another file's by now: the release
  // of a close may come late.
  void stay_listed(const std::string& place, int64_t keep_ns);

  mutable std::mutex mutex_;
  std::string place_;  // within SideFiles, and of its errors
  std::string path_;
  uint32_t uid_, gid_, mode_;
  std::optional<int64_t> set_mtime_ns_;

 private:
  std::atomic<bool> removed_ = false;
  bool starting_ = false;
  std::weak_ptr<Draft> live_;
};

}  // namespace stela::fsd
