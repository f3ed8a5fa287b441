#include "fsd/tree/scratch_file.h"

#include <fcntl.h>

#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"

namespace stela::fsd {

bool is_scratch_name(std::string_view name) {
  if (name.empty()) return false;
  return name.front() == '.' || name == "4913" || name.ends_with('~') || name.ends_with(".swp") ||
         name.ends_with(".tmp") || name.find(".tmp.") != std::string_view::npos || name.ends_with(".part") ||
         name.starts_with("tmp");
}

namespace {
class ScratchHandle : public OpenFile {
 public:
  ScratchHandle(std::shared_ptr<ScratchFileNode> file, uint32_t flags)
      : file_(std::move(file)), access_(flags & O_ACCMODE) {}
  Result<size_t> read(uint64_t offset, MutableByteSpan into) override {
    if (access_ == O_WRONLY) return OpenFile::read(offset, into);
    return file_->read(offset, into);
  }
  Result<size_t> write(uint64_t offset, ByteSpan bytes, const Caller& caller) override {
    if (access_ == O_RDONLY) return OpenFile::write(offset, bytes, caller);
    STELA_TRY(file_->write(offset, bytes));
    return bytes.size();
  }

 private:
  const std::shared_ptr<ScratchFileNode> file_;
  const uint32_t access_;
};
}  // namespace

ScratchFileNode::ScratchFileNode(TreeContext& context, NodeId dataset, std::string place, std::string path,
                                 uint32_t mode, const Caller& caller, std::unique_ptr<Spool> spool)
    : SideFile(context, ""),
      dataset_(dataset),
      inode_(inode_of("x" + std::to_string(context.store.env().random().next()))),
      place_(std::move(place)),
      path_(std::move(path)),
      mode_(mode & 0777u),
      uid_(caller.uid),
      gid_(caller.gid),
      mtime_ns_(context.now_ns()),
      spool_(std::move(spool)) {}

Result<std::shared_ptr<ScratchFileNode>> ScratchFileNode::create(TreeContext& context, NodeId dataset,
                                                                 std::string place, std::string path, uint32_t mode,
                                                                 const Caller& caller) {
  STELA_ASSIGN(std::unique_ptr<Spool> spool, Spool::create(context.store.env().files(), context.scratch));
  return std::shared_ptr<ScratchFileNode>(
      new ScratchFileNode(context, dataset, std::move(place), std::move(path), mode, caller, std::move(spool)));
}

std::string ScratchFileNode::path() const {
  std::lock_guard lock(mutex_);
  return path_;
}
std::string ScratchFileNode::error_place() const {
  std::lock_guard lock(mutex_);
  return place_;
}
uint64_t ScratchFileNode::size() const {
  std::lock_guard lock(mutex_);
  return spool_->size();
}
void ScratchFileNode::renamed(const std::string& place, const std::string& path) {
  std::lock_guard lock(mutex_);
  place_ = place;
  path_ = path;
}

Result<Node::Shown> ScratchFileNode::attributes(bool) {
  std::lock_guard lock(mutex_);
  Shown shown;
  Attributes& out = shown.attributes;
  out.inode = inode_;
  out.mode = mode_;
  out.uid = uid_;
  out.gid = gid_;
  out.size = spool_->size();
  out.blocks = (out.size + 511) / 512;
  out.atime_ns = out.mtime_ns = out.ctime_ns = mtime_ns_;
  return shown;
}

Status ScratchFileNode::set_attributes(const SetAttributes& set, const Caller&) {
  std::lock_guard lock(mutex_);
  if (set.size) STELA_TRY(spool_->truncate(*set.size));
  if (set.mode) mode_ = *set.mode & 0777u;
  if (set.uid) uid_ = *set.uid;
  if (set.gid) gid_ = *set.gid;
  if (set.mtime_ns) mtime_ns_ = *set.mtime_ns;
  if (set.mtime_now) mtime_ns_ = context().now_ns();
  return {};
}

Result<std::unique_ptr<OpenFile>> ScratchFileNode::open(uint32_t flags, const Caller&) {
  if ((flags & O_TRUNC) != 0) {
    std::lock_guard lock(mutex_);
    STELA_TRY(spool_->truncate(0));
  }
  auto self = std::static_pointer_cast<ScratchFileNode>(shared_from_this());
  return std::unique_ptr<OpenFile>(std::make_unique<ScratchHandle>(std::move(self), flags));
}

Result<size_t> ScratchFileNode::read(uint64_t offset, MutableByteSpan into) {
  std::lock_guard lock(mutex_);
  return spool_->read_up_to(offset, into);
}

Status ScratchFileNode::write(uint64_t offset, ByteSpan bytes) {
  std::lock_guard lock(mutex_);
  STELA_TRY(spool_->write(offset, bytes));
  mtime_ns_ = context().now_ns();
  return {};
}

RefusedName::RefusedName(TreeContext& context, std::string place, std::string path, Status refusal,
                         const Caller& caller)
    : SideFile(context, ""),
      place_(std::move(place)),
      path_(std::move(path)),
      refusal_(std::move(refusal)),
      uid_(caller.uid),
      gid_(caller.gid),
      time_ns_(context.now_ns()) {}

Result<Node::Shown> RefusedName::attributes(bool) {
  Shown shown;
  Attributes& out = shown.attributes;
  out.inode = inode_of(place_);
  out.mode = 0600;
  out.uid = uid_;
  out.gid = gid_;
  out.atime_ns = out.mtime_ns = out.ctime_ns = time_ns_;
  return shown;
}

}  // namespace stela::fsd
