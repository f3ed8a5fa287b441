#include "fsd/tree/rejected_rows.h"

#include <algorithm>

#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/dataset_place.h"

namespace stela::fsd {
namespace {

class OpenRejected : public OpenFile {
 public:
  explicit OpenRejected(std::shared_ptr<RejectedLog> log) : log_(std::move(log)) {}
  // It grows while it is read.
  OpenReply describe() const override {
    OpenReply reply;
    reply.serving = Serving::kDirect;
    return reply;
  }
  Result<size_t> read(uint64_t offset, MutableByteSpan into) override { return log_->read(offset, into); }

 private:
  const std::shared_ptr<RejectedLog> log_;
};

}  // namespace

Status RejectedLog::reserve(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  if (size_ + reserved_ + bytes > kRejectedBytesMax) {
    return {Code::kNoSpace, "the rejected rows would not fit " + std::string(kRejectedName) + ", which has " +
                                std::to_string(size_) + " of " + std::to_string(kRejectedBytesMax) +
                                " bytes; read and remove it first"};
  }
  if (spool_ == nullptr) {
    STELA_ASSIGN(spool_, Spool::create(files_, budget_));
  }
  STELA_TRY(spool_->truncate(size_ + reserved_ + bytes));
  reserved_ += bytes;
  return {};
}

void RejectedLog::give_back(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  reserved_ -= std::min(reserved_, bytes);
}

void RejectedLog::add(std::string_view lines) {
  std::lock_guard lock(mutex_);
  reserved_ -= std::min<uint64_t>(reserved_, lines.size());
  if (spool_ != nullptr && spool_->write(size_, as_bytes(lines)).ok()) size_ += lines.size();
}

uint64_t RejectedLog::size() const {
  std::lock_guard lock(mutex_);
  return size_;
}

Result<size_t> RejectedLog::read(uint64_t offset, MutableByteSpan into) {
  std::lock_guard lock(mutex_);
  if (spool_ == nullptr || offset >= size_) return size_t{0};
  return spool_->read_up_to(offset, into.first(std::min<uint64_t>(into.size(), size_ - offset)));
}

void RejectedLog::clear() {
  std::lock_guard lock(mutex_);
  size_ = 0;
  if (reserved_ == 0) spool_.reset();
}

std::shared_ptr<RejectedLog> RejectedLogs::of(NodeId dataset) {
  std::lock_guard lock(mutex_);
  std::shared_ptr<RejectedLog>& log = logs_[dataset.value];
  if (log == nullptr) log = std::make_shared<RejectedLog>(files_, budget_);
  return log;
}

RejectedFile::RejectedFile(TreeContext& context, NodeId dataset, std::shared_ptr<RejectedLog> log)
    : Node(context, place_of("d" + node_identity(dataset), kRejectedName)), dataset_(dataset), log_(std::move(log)) {}

std::string RejectedFile::path() const {
  return context().path_of(dataset_) + "/.append/" + std::string(kRejectedName);
}

Result<Node::Shown> RejectedFile::attributes(bool) {
  STELA_ASSIGN(NodeInfo node, context().store.node(dataset_));
  Shown shown;
  Attributes& out = shown.attributes;
  out.inode = inode_of(key());
  out.mode = file_mode(node.attributes, false);
  out.uid = node.attributes.uid;
  out.gid = node.attributes.gid;
  out.size = log_->size();
  out.mtime_ns = context().now_ns();
  out.atime_ns = out.ctime_ns = out.mtime_ns;
  return shown;
}

Result<std::unique_ptr<OpenFile>> RejectedFile::open(uint32_t flags, const Caller&) {
  if (is_writable_open(flags)) {
    return Status(Code::kNotPermitted, path() + " holds rejected rows and can only be read, or removed");
  }
  return std::unique_ptr<OpenFile>(std::make_unique<OpenRejected>(log_));
}

}  // namespace stela::fsd
