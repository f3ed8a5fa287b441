#include "fsd/tree/drop_file.h"

#include <fcntl.h>

#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"

namespace stela::fsd {

std::string DropPlace::directory_key() const {
  return "d" + node_identity(dataset) + (folder.empty() ? "" : "/" + folder);
}
std::string DropPlace::path(const TreeContext& context) const {
  return context.path_of(dataset) + "/.append" + (folder.empty() ? "" : "/" + folder);
}
std::string DropPlace::receipt_name(std::string_view name) const {
  return folder.empty() ? std::string(name) : folder + "/" + std::string(name);
}

DropFile::DropFile(TreeContext& context, DropPlace place, std::string name, std::optional<Receipt> receipt,
                   const Caller& owner, uint32_t mode)
    : DraftFile(context, place_of(place.directory_key(), name), place.path(context) + "/" + name, owner, mode),
      drop_(std::move(place)),
      name_(std::move(name)),
      receipt_(std::move(receipt)) {
  if (!receipt_.has_value()) return;
  mode_ = receipt_->mode;
  uid_ = receipt_->uid;
  gid_ = receipt_->gid;
}

std::optional<Receipt> DropFile::receipt() const {
  std::lock_guard lock(mutex_);
  return receipt_;
}

Result<Node::Shown> DropFile::attributes(bool) {
  std::shared_ptr<Draft> draft = live();
  Shown shown;
  Attributes& out = shown.attributes;
  std::lock_guard lock(mutex_);
  out.inode = inode_of(place_);
  out.mode = mode_;
  out.uid = uid_;
  out.gid = gid_;
  out.mtime_ns = context().now_ns();
  if (receipt_.has_value()) {
    out.size = receipt_->size;
    out.mtime_ns = receipt_->mtime_ns;
  }
  if (draft != nullptr) out.size = draft->size();
  if (draft == nullptr && !receipt_.has_value() && !refused_.ok()) out.mode = 0600;
  if (set_mtime_ns_.has_value()) out.mtime_ns = *set_mtime_ns_;
  out.atime_ns = out.ctime_ns = out.mtime_ns;
  return shown;
}

Status DropFile::set_attributes(const SetAttributes& set, const Caller&) {
  STELA_TRY(context().writable());
  std::shared_ptr<Draft> draft = live();
  if (set.size) {
    if (draft != nullptr) {
      STELA_TRY(draft->truncate(*set.size));
    } else if (receipt_.has_value() && *set.size != receipt_->size) {
      return {Code::kNotPermitted, path() + " is a receipt of rows already committed: it cannot be cut or grown"};
    }
  }
  {
    std::lock_guard lock(mutex_);
    if (set.mode) mode_ = *set.mode & 0777u;
    if (set.uid) uid_ = *set.uid;
    if (set.gid) gid_ = *set.gid;
    if (set.mtime_now || set.mtime_ns) set_mtime_ns_ = set.mtime_now ? context().now_ns() : *set.mtime_ns;
    if (!receipt_.has_value()) return {};
    receipt_->mode = mode_;
    receipt_->uid = uid_;
    receipt_->gid = gid_;
    if (set_mtime_ns_.has_value()) receipt_->mtime_ns = *set_mtime_ns_;
  }
  keep_receipt();
  return {};
}

Result<std::unique_ptr<OpenFile>> DropFile::open(uint32_t flags, const Caller& caller) {
  Draft::Continuation continuation;
  std::shared_ptr<Draft> draft = live();
  {
    std::lock_guard lock(mutex_);
    if (!is_writable_open(flags)) {
      // Refused by a close whose release is still on its way.
      if (draft != nullptr && !draft->failure().ok()) return draft->failure();
      if (!refused_.ok()) return refused_;
      return Status(Code::kNotPermitted,
                    path_ + " is a receipt and cannot be read: its rows are in the dataset's columns");
    }
    if ((flags & O_TRUNC) == 0 && receipt_.has_value()) continuation = {receipt_->size, receipt_->head};
  }
  STELA_TRY(context().writable());
  DropPlace place = drop_;
  // A header that is not remembered: what follows goes by position.
  if (continuation.base > 0 && continuation.head.empty()) place.options.header = false;
  STELA_ASSIGN(std::unique_ptr<RowsTarget> target, RowsTarget::create(context(), place, name_, caller));
  STELA_ASSIGN(std::unique_ptr<OpenFile> file, start(std::move(target), continuation, flags, caller));
  std::lock_guard lock(mutex_);
  refused_ = {};
  if ((flags & O_TRUNC) != 0) set_mtime_ns_.reset();
  return file;
}

Result<std::string> DropFile::xattr(std::string_view field) {
  std::optional<Receipt> known = receipt();
  if (field == "version" && known.has_value() && known->version.value != 0) {
    return std::to_string(known->version.value);
  }
  return Node::xattr(field);
}

std::vector<std::string> DropFile::xattr_fields() {
  std::optional<Receipt> known = receipt();
  if (known.has_value() && known->version.value != 0) return {"version"};
  return {};
}

void DropFile::committed(const VersionInfo& version, Draft& draft) {
  make_receipt(draft, version.number, version.time_ns);
  context().head_moved(drop_.dataset);
}

// A header by itself stays, for the rows that are appended to the name later.
void DropFile::nothing_committed(Draft& draft) {
  if (receipt().has_value() || header_of(draft).empty()) return;
  make_receipt(draft, VersionNumber(), context().now_ns());
}

std::string DropFile::header_of(Draft& draft) const {
  if (!drop_.options.header || !(name_.ends_with(".csv") || name_.ends_with(".tsv"))) return {};
  return draft.first_line(kReceiptHeadMax);
}

void DropFile::make_receipt(Draft& draft, VersionNumber version, int64_t time_ns) {
  std::string head = header_of(draft);
  {
    std::lock_guard lock(mutex_);
    receipt_ = Receipt{draft.size(), set_mtime_ns_.value_or(time_ns), mode_, uid_, gid_, version, std::move(head)};
  }
  keep_receipt();
  context().side.put(error_place(), std::static_pointer_cast<SideFile>(shared_from_this()));
}

void DropFile::closed(const Status& failure) {
  {
    std::lock_guard lock(mutex_);
    refused_ = failure;
  }
  // Without a receipt the name stays for a while only: to say why, or because it was empty.
  if (!receipt().has_value()) stay_listed(error_place(), context().options.error_keep_ns);
}

void DropFile::removed() {
  DraftFile::removed();
  std::lock_guard lock(mutex_);
  if (receipt_.has_value()) context().receipts.remove(drop_.dataset, drop_.receipt_name(name_));
  receipt_.reset();
}

void DropFile::moved(const std::string& name) {
  std::optional<Receipt> known = receipt();
  if (known.has_value()) context().receipts.remove(drop_.dataset, drop_.receipt_name(name_));
  renamed(place_of(drop_.directory_key(), name), drop_.path(context()) + "/" + name);
  {
    std::lock_guard lock(mutex_);
    name_ = name;
  }
  keep_receipt();
}

void DropFile::keep_receipt() {
  std::optional<Receipt> known = receipt();
  if (known.has_value()) context().receipts.put(drop_.dataset, drop_.receipt_name(name_), *known);
}

}  // namespace stela::fsd
