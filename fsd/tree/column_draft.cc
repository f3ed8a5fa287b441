#include "fsd/tree/column_draft.h"

#include <fcntl.h>

#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"

namespace stela::fsd {

ColumnDraft::ColumnDraft(TreeContext& context, NodeId dataset, std::string file_name, NodeRef over, const Caller& owner)
    : DraftFile(context, place_of(node_identity(dataset), file_name), context.store.path_of(dataset) + "/" + file_name,
                owner, 0600),
      dataset_(dataset),
      file_name_(std::move(file_name)),
      over_(std::move(over)) {}

Result<Node::Shown> ColumnDraft::attributes(bool may_compute) {
  std::shared_ptr<Draft> draft = live();
  if (draft == nullptr && over_ != nullptr) return over_->attributes(may_compute);
  STELA_ASSIGN(NodeInfo node, context().store.node(dataset_));
  Shown shown;
  Attributes& out = shown.attributes;
  std::string identity = place_of(node_identity(dataset_), file_name_);
  if (over_ != nullptr) {
    STELA_ASSIGN(Shown below, over_->attributes(false));
    out = below.attributes;
  } else {
    out.inode = inode_of(identity);
    out.mode = file_mode(node.attributes, true);
    out.uid = node.attributes.uid;
    out.gid = node.attributes.gid;
  }
  out.size = draft != nullptr ? draft->size() : 0;
  out.blocks = (out.size + 511) / 512;
  std::lock_guard lock(mutex_);
  if (over_ == nullptr && draft == nullptr && !refused_.ok()) {
    out.mode = 0600;
    out.uid = uid_;
    out.gid = gid_;
  }
  out.mtime_ns = set_mtime_ns_.value_or(context().now_ns());
  out.atime_ns = out.ctime_ns = out.mtime_ns;
  return shown;
}

Status ColumnDraft::set_attributes(const SetAttributes& set, const Caller&) {
  STELA_TRY(context().writable());
  STELA_ASSIGN(Shown now, attributes(false));
  STELA_TRY(keep_ownership(set, now.attributes, path()));
  std::shared_ptr<Draft> draft = live();
  if (set.size && draft == nullptr && *set.size != now.attributes.size) {
    return invalid(path() + ": a column cannot be cut or grown; write it whole again");
  }
  if (set.size && draft != nullptr) STELA_TRY(draft->truncate(*set.size));
  if (set.mtime_now || set.mtime_ns) {
    std::lock_guard lock(mutex_);
    set_mtime_ns_ = set.mtime_now ? context().now_ns() : *set.mtime_ns;
  }
  return {};
}

Result<std::unique_ptr<OpenFile>> ColumnDraft::open(uint32_t flags, const Caller& caller) {
  if (!is_writable_open(flags)) {
    if (over_ != nullptr) return open_below(caller);
    std::lock_guard lock(mutex_);
    if (!refused_.ok()) return refused_;
    return Status(Code::kBusy, path_ + " is being written; it can be read when it is closed");
  }
  STELA_TRY(context().writable());
  if (over_ != nullptr && (flags & O_TRUNC) == 0) return over_->open(flags, caller);
  {
    // Readers of the column below hold this node's pages: a writer needs another one.
    std::lock_guard lock(mutex_);
    if (read_below_) {
      context().fresh.ask(place_);
      return look_again();
    }
  }
  STELA_ASSIGN(std::unique_ptr<ColumnTarget> target, ColumnTarget::create(context(), dataset_, file_name_, caller));
  STELA_ASSIGN(std::unique_ptr<OpenFile> file, start(std::move(target), {}, flags, caller));
  std::lock_guard lock(mutex_);
  refused_ = {};
  set_mtime_ns_.reset();
  return file;
}

namespace {
// A column read through a draft's node: always with the kernel's cache, since the node may be written.
class CachedOpen : public OpenFile {
 public:
  explicit CachedOpen(std::unique_ptr<OpenFile> file) : file_(std::move(file)) {}
  Result<size_t> read(uint64_t offset, MutableByteSpan into) override { return file_->read(offset, into); }

 private:
  const std::unique_ptr<OpenFile> file_;
};
}  // namespace

Result<std::unique_ptr<OpenFile>> ColumnDraft::open_below(const Caller& caller) {
  STELA_ASSIGN(std::unique_ptr<OpenFile> file, over_->open(O_RDONLY, caller));
  std::lock_guard lock(mutex_);
  read_below_ = true;
  return std::unique_ptr<OpenFile>(std::make_unique<CachedOpen>(std::move(file)));
}

Result<std::string> ColumnDraft::xattr(std::string_view field) {
  if (over_ != nullptr) return over_->xattr(field);
  return Node::xattr(field);
}

std::vector<std::string> ColumnDraft::xattr_fields() {
  return over_ != nullptr ? over_->xattr_fields() : std::vector<std::string>();
}

// Times that were set through the handle before the commit (cp -p) belong to the new content.
void ColumnDraft::remember_time(const VersionInfo& version) {
  std::optional<int64_t> mtime_ns;
  {
    std::lock_guard lock(mutex_);
    mtime_ns = set_mtime_ns_;
  }
  if (!mtime_ns.has_value()) return;
  auto table = context().store.table(dataset_);
  if (!table.ok()) return;
  auto at = table->at(version.number);
  std::optional<ViewName> name = split_view_name(file_name_);
  if (!at.ok() || !name.has_value()) return;
  auto column = find_column_by_stem(*at, name->stem);
  if (column.ok()) context().times.set(dataset_, column->id, column->change.value, *mtime_ns);
}

void ColumnDraft::committed(const VersionInfo& version, Draft&) {
  remember_time(version);
  context().side.remove_if(error_place(), this);
  context().head_moved(dataset_);
}

void ColumnDraft::closed(const Status& failure) {
  std::string place = error_place();
  if (failure.ok()) {
    // Nothing was written: the empty name stays addressable for a moment (create, close, open again).
    if (context().side.find(place).get() == this) {
      context().side.put(place, std::static_pointer_cast<SideFile>(shared_from_this()),
                         context().options.error_keep_ns);
    }
    return;
  }
  {
    std::lock_guard lock(mutex_);
    refused_ = failure;
  }
  // A refused new name says why for a while; over a column, the column shows again.
  if (over_ == nullptr) {
    context().side.put(place, std::static_pointer_cast<SideFile>(shared_from_this()), context().options.error_keep_ns);
  }
}

}  // namespace stela::fsd
