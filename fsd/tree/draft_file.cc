#include "fsd/tree/draft_file.h"

#include <fcntl.h>

#include "fsd/tree/context.h"

namespace stela::fsd {
namespace {

constexpr uint64_t kQuickBytesMax = 256 << 10;

class DraftHandle : public OpenFile {
 public:
  DraftHandle(TreeContext& context, std::shared_ptr<DraftFile> file, std::shared_ptr<Draft> draft, uint32_t flags)
      : context_(context), file_(std::move(file)), draft_(std::move(draft)), access_(flags & O_ACCMODE) {}

  // What is written goes through no page cache of this node where its pages can be mapped all the same.
  OpenReply describe() const override {
    OpenReply reply;
    if (context_.options.direct_mmap) reply.serving = Serving::kDirect;
    return reply;
  }
  Result<size_t> read(uint64_t offset, MutableByteSpan into) override {
    if (access_ == O_WRONLY) return OpenFile::read(offset, into);
    return draft_->read(offset, into);
  }
  Result<size_t> write(uint64_t offset, ByteSpan bytes, const Caller& caller) override {
    if (access_ == O_RDONLY) return OpenFile::write(offset, bytes, caller);
    STELA_TRY(draft_->write(offset, bytes));
    return bytes.size();
  }
  bool flush_is_quick() const override { return draft_->pending_bytes() <= kQuickBytesMax; }
  Status flush(const Caller& caller) override {
    STELA_TRY(tell(draft_->flush(caller)));
    file_->flushed();
    return {};
  }
  Status fsync(const Caller&) override { return tell(draft_->sync()); }
  Status release() override {
    Status status = tell(draft_->release());
    file_->closed(draft_->failure());
    return status;
  }
  Status abandon() override {
    return draft_->abandon("the mount ended while the file was open: what was neither closed nor synced is dropped");
  }

 private:
  Status tell(Draft::Outcome outcome) {
    if (outcome.committed.has_value()) {
      context_.errors.clear(file_->error_place());
      file_->committed(*outcome.committed, *draft_);
    }
    if (outcome.status.ok() && outcome.tried && !outcome.committed.has_value()) file_->nothing_committed(*draft_);
    if (!outcome.status.ok() && outcome.tried) {
      context_.note(file_->path(), outcome.status, file_->error_place());
    }
    return outcome.status;
  }

  TreeContext& context_;
  const std::shared_ptr<DraftFile> file_;
  const std::shared_ptr<Draft> draft_;
  const uint32_t access_;
};

}  // namespace

DraftFile::DraftFile(TreeContext& context, std::string place, std::string path, const Caller& owner, uint32_t mode)
    : SideFile(context, ""),
      place_(std::move(place)),
      path_(std::move(path)),
      uid_(owner.uid),
      gid_(owner.gid),
      mode_(mode & 0777u) {}

void DraftFile::removed() {
  removed_ = true;
  context().side.remove_if(error_place(), this);  // where stay_listed() came in between
}

void DraftFile::stay_listed(const std::string& place, int64_t keep_ns) {
  const SideFileRef there = context().side.find(place);
  if (was_removed() || (there != nullptr && there.get() != this)) return;
  context().side.put(place, std::static_pointer_cast<SideFile>(shared_from_this()), keep_ns);
  if (was_removed()) context().side.remove_if(place, this);
}

std::string DraftFile::path() const {
  std::lock_guard lock(mutex_);
  return path_;
}

std::string DraftFile::error_place() const {
  std::lock_guard lock(mutex_);
  return place_;
}

bool DraftFile::evictable() const { return live() == nullptr; }

void DraftFile::renamed(const std::string& place, const std::string& path) {
  std::lock_guard lock(mutex_);
  place_ = place;
  path_ = path;
}

std::shared_ptr<Draft> DraftFile::live() const {
  std::lock_guard lock(mutex_);
  return live_.lock();
}

Result<std::unique_ptr<OpenFile>> DraftFile::start(std::unique_ptr<DraftTarget> target,
                                                   const Draft::Continuation& continuation, uint32_t flags,
                                                   const Caller& caller) {
  return start(
      [&] {
        return Draft::create(context().store.env().files(), context().drafts, *context().processes, std::move(target),
                             continuation, caller);
      },
      flags, caller);
}

Result<std::unique_ptr<OpenFile>> DraftFile::start(const std::function<Result<std::shared_ptr<Draft>>()>& make,
                                                   uint32_t flags, const Caller& caller) {
  {
    std::lock_guard lock(mutex_);
    if (starting_ || live_.lock() != nullptr) {
      context().fresh.ask(place_, caller);
      return look_again();
    }
    starting_ = true;
  }
  auto draft = make();
  std::lock_guard lock(mutex_);
  starting_ = false;
  if (!draft.ok()) return draft.status();
  live_ = *draft;
  context().fresh.settle(place_, caller);
  auto self = std::static_pointer_cast<DraftFile>(shared_from_this());
  return std::unique_ptr<OpenFile>(std::make_unique<DraftHandle>(context(), self, std::move(*draft), flags));
}

}  // namespace stela::fsd
