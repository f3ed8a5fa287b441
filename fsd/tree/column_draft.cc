#include "fsd/tree/column_draft.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>

#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/in_place_target.h"
#include "fsd/tree/validity_target.h"
#include "fsd/tree/view_file.h"

namespace stela::fsd {

ColumnDraft::ColumnDraft(TreeContext& context, NodeId dataset, std::string file_name, NodeRef over, const Caller& owner)
    : DraftFile(context, place_of(node_identity(dataset), file_name), context.path_of(dataset) + "/" + file_name, owner,
                0600),
      dataset_(dataset),
      file_name_(std::move(file_name)),
      over_(std::move(over)) {}

// Null too where the column has a type that the name cannot show, which this draft was to replace.
Result<NodeRef> ColumnDraft::column_now() {
  Result<NodeRef> column = head_column(context(), {dataset_, {}}, file_name_);
  if (column.status().code() == Code::kUnsupported) return NodeRef();
  return column;
}

Result<Node::Shown> ColumnDraft::attributes(bool may_compute) {
  std::shared_ptr<Draft> draft = live();
  if (draft == nullptr && over_ != nullptr) return over_->attributes(may_compute);
  if (draft == nullptr) {
    STELA_ASSIGN(NodeRef column, column_now());
    if (column != nullptr) return column->attributes(may_compute);
  }
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
  if (draft != nullptr) out.mode = set_mode_.value_or(out.mode);
  out.mtime_ns = set_mtime_ns_.value_or(context().now_ns());
  out.atime_ns = out.ctime_ns = out.mtime_ns;
  return shown;
}

Status ColumnDraft::set_attributes(const SetAttributes& set, const Caller& caller) {
  STELA_TRY(context().writable());
  std::shared_ptr<Draft> draft = live();
  // Nobody writes here: it is the column that is meant (a copy's times, set by name right after its close).
  if (draft == nullptr && over_ != nullptr) {
    SetAttributes rest = set;
    rest.mtime_ns.reset();
    rest.mtime_now = false;
    STELA_TRY(over_->set_attributes(rest, caller));
    if (set.mtime_now || set.mtime_ns) {
      keep_column_time(context(), dataset_, file_name_, set.mtime_now ? context().now_ns() : *set.mtime_ns);
    }
    return {};
  }
  STELA_ASSIGN(Shown now, attributes(false));
  SetAttributes kept = set;
  // tar and cp -p set the mode of what they are still writing; a column has its dataset's mode when it is committed.
  if (draft != nullptr) kept.mode.reset();
  STELA_TRY(keep_ownership(kept, now.attributes, path()));
  if (draft != nullptr && set.mode) {
    std::lock_guard lock(mutex_);
    set_mode_ = *set.mode & 0777u;
  }
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
    // Committed after this node was looked up: the name is the column's now.
    STELA_ASSIGN(NodeRef column, column_now());
    if (column != nullptr) return look_again();
    // Refused by a close whose release is still on its way.
    if (std::shared_ptr<Draft> draft = live(); draft != nullptr && !draft->failure().ok()) return draft->failure();
    std::lock_guard lock(mutex_);
    if (!refused_.ok()) return refused_;
    return Status(Code::kBusy, path_ + " is being written; it can be read when it is closed");
  }
  STELA_TRY(context().writable());
  bool in_place = over_ != nullptr && (flags & O_TRUNC) == 0;
  {
    // Readers of the column below hold this node's pages: a writer needs another one.
    std::lock_guard lock(mutex_);
    if (read_below_) {
      context().fresh.ask(place_, caller);
      return look_again();
    }
  }
  std::unique_ptr<OpenFile> file;
  if (in_place) {
    STELA_ASSIGN(file, open_in_place(flags, caller));
  } else {
    STELA_ASSIGN(std::unique_ptr<DraftTarget> target, create_column_target(context(), dataset_, file_name_, caller));
    STELA_ASSIGN(file, start(std::move(target), {}, flags, caller));
  }
  std::lock_guard lock(mutex_);
  in_place_ = in_place;
  refused_ = {};
  set_mtime_ns_.reset();
  kept_mtime_ns_.reset();
  set_mode_.reset();
  return file;
}

Result<std::unique_ptr<OpenFile>> ColumnDraft::open_in_place(uint32_t flags, const Caller& caller) {
  const auto& column = static_cast<const ColumnFile&>(*over_);
  auto make = [&]() -> Result<std::shared_ptr<Draft>> {
    STELA_ASSIGN(InPlace in_place, begin_in_place(context(), dataset_, file_name_, column, caller));
    return Draft::over(*context().processes, std::move(in_place.bytes), std::move(in_place.target), caller);
  };
  return start(make, flags, caller);
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

void ColumnDraft::committed(const VersionInfo&, Draft&) {
  // Times that were set through the handle before the commit (cp -p) belong to the new content.
  std::optional<int64_t> mtime_ns;
  {
    std::lock_guard lock(mutex_);
    mtime_ns = set_mtime_ns_;
  }
  if (mtime_ns.has_value()) keep_column_time(context(), dataset_, file_name_, *mtime_ns);
  context().side.remove_if(error_place(), this);
  context().head_moved(dataset_);
}

// Opened without O_TRUNC, and its time set (touch): that is the column's, whether cells were changed or not.
void ColumnDraft::keep_touched_time() {
  std::optional<int64_t> mtime_ns;
  {
    std::lock_guard lock(mutex_);
    if (in_place_) mtime_ns = set_mtime_ns_;
  }
  if (mtime_ns.has_value()) keep_column_time(context(), dataset_, file_name_, *mtime_ns);
}

// Nulls that made no version, since they wait for their column or are what they were, show the time that was set
// through the handle too.
void ColumnDraft::keep_validity_time() {
  std::optional<int64_t> mtime_ns;
  {
    std::lock_guard lock(mutex_);
    mtime_ns = set_mtime_ns_;
  }
  if (!mtime_ns.has_value() || !is_validity_name(file_name_)) return;
  keep_column_time(context(), dataset_, file_name_, *mtime_ns);
  SetAttributes set;
  set.mtime_ns = mtime_ns;
  auto waiting = std::dynamic_pointer_cast<ScratchFileNode>(context().side.find(error_place()));
  if (waiting != nullptr) (void)waiting->set_attributes(set, {});
}

// Nothing is ignored silently.
void ColumnDraft::note_lost_mode() {
  std::optional<uint32_t> mode;
  {
    std::lock_guard lock(mutex_);
    mode = std::exchange(set_mode_, std::nullopt);
  }
  auto node = context().store.node(dataset_);
  if (!mode.has_value() || !node.ok() || *mode == file_mode(node->attributes, true)) return;
  char text[160];
  std::snprintf(text, sizeof text,
                "the mode %03o given to it while it was written is not kept: a column has its "
                "dataset's, now %03o; chmod the dataset's directory",
                *mode, file_mode(node->attributes, true));
  context().errors.record(path(), {Code::kNotPermitted, text}, EPERM, {});
}

// Once for each time that was set: a later one may have been set by name since.
void ColumnDraft::flushed() {
  {
    std::lock_guard lock(mutex_);
    if (kept_mtime_ns_ == set_mtime_ns_) return;
    kept_mtime_ns_ = set_mtime_ns_;
  }
  keep_touched_time();
  keep_validity_time();
}

void ColumnDraft::closed(const Status& failure) {
  std::string place = error_place();
  if (failure.ok()) {
    flushed();
    note_lost_mode();
    // Nothing was written: the empty name stays addressable for a moment (create, close, open again).
    if (context().side.find(place).get() == this) stay_listed(place, context().options.error_keep_ns);
    return;
  }
  {
    std::lock_guard lock(mutex_);
    refused_ = failure;
  }
  // A refused new name says why for a while; over a column, the column shows again.
  if (over_ == nullptr) stay_listed(place, context().options.error_keep_ns);
}

}  // namespace stela::fsd
