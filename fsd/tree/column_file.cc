#include <fcntl.h>

#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/open_view.h"
#include "fsd/tree/view_file.h"

namespace stela::fsd {

Result<NodeRef> head_column(TreeContext& context, const DatasetPlace& place, std::string_view name) {
  auto head = place.snapshot(context);
  if (!head.ok()) {
    if (head.status().code() == Code::kNotFound) return NodeRef();
    return head.status();
  }
  auto view = find_view(*head, name);
  if (!view.ok()) {
    if (view.status().code() == Code::kNotFound) return NodeRef();
    return view.status().with_context(context.path_of(place.dataset) + "/" + std::string(name));
  }
  return NodeRef(
      std::make_shared<ColumnFile>(context, place, head->version().number, std::move(*view), std::string(name)));
}

std::string ColumnFile::key_for(const DatasetPlace& place, const FoundView& view, std::string_view file_name) {
  std::string key = column_identity(place.dataset, view.column, view.form->extension(), view.form->shows_name());
  if (!place.head()) return key + "\npast";
  return key + "\nhead\n" + std::string(file_name);
}

ColumnFile::ColumnFile(TreeContext& context, DatasetPlace place, VersionNumber version, FoundView view,
                       std::string file_name)
    : Node(context, key_for(place, view, file_name)),
      place_(place),
      version_(version),
      view_(std::move(view)),
      file_name_(std::move(file_name)),
      identity_(column_identity(place.dataset, view_.column, view_.form->extension(), view_.form->shows_name())) {}

Lifetime ColumnFile::lifetime() const {
  if (!place_.head()) return Lifetime::kForever;
  return std::string_view(view_.form->extension()) == ".valid.npy" ? Lifetime::kNone : Lifetime::kHead;
}

std::string ColumnFile::path() const { return place_.path(context()) + "/" + file_name_; }

std::string ColumnFile::error_place() const {
  return place_.head() ? place_of(place_.directory_key(), file_name_) : std::string();
}

Result<Snapshot> ColumnFile::snapshot() const {
  STELA_ASSIGN(Table table, context().store.table(place_.dataset));
  return table.at(version_);
}

Result<std::shared_ptr<View>> ColumnFile::view_with(const ViewFacts& facts) const {
  auto make = [&]() -> Result<std::unique_ptr<View>> {
    STELA_ASSIGN(Snapshot at, snapshot());
    return view_.form->open(at, view_.column, facts.size);
  };
  if (!view_.form->size_is_cheap(view_.column.type)) return context().recent.find_or_make(identity_, make);
  STELA_ASSIGN(std::unique_ptr<View> view, make());
  return std::shared_ptr<View>(std::move(view));
}

Result<VersionInfo> ColumnFile::changed_by() const {
  STELA_ASSIGN(Table table, context().store.table(place_.dataset));
  STELA_ASSIGN(VersionInfo newest, table.version(version_));
  return context().changes.find(table, newest, view_.column.change);
}

Result<Node::Shown> ColumnFile::attributes(bool may_compute) {
  STELA_ASSIGN(NodeInfo node, context().store.node(place_.dataset));
  Shown shown;
  Attributes& out = shown.attributes;
  out.inode = inode_of_view(place_.dataset, view_.column, view_.form->extension(), view_.form->shows_name());
  out.mode = file_mode(node.attributes, place_.head());
  out.uid = node.attributes.uid;
  out.gid = node.attributes.gid;

  ViewFacts facts = context().views.find(identity_);
  bool stored = view_.form == &listed_form(view_.column.type);
  bool known = facts.size.has_value() && (!stored || facts.stored_bytes.has_value());
  if (!known && (may_compute || view_.form->size_is_cheap(view_.column.type))) {
    STELA_ASSIGN(Snapshot at, snapshot());
    STELA_ASSIGN(std::shared_ptr<View> view, view_with(facts));
    STELA_ASSIGN(facts.size, view->size());
    facts.stored_bytes = 0;
    if (stored) {
      STELA_ASSIGN(facts.stored_bytes, at.stored_bytes(view_.column));
    }
    context().views.learn(identity_, facts);
  }
  shown.complete = facts.size.has_value();
  out.size = facts.size.value_or(0);
  out.blocks = (facts.stored_bytes.value_or(0) + 511) / 512;
  STELA_ASSIGN(VersionInfo changed, changed_by());
  STELA_ASSIGN(out.mtime_ns, shown_mtime(changed.time_ns));
  out.atime_ns = out.mtime_ns;
  out.ctime_ns = changed.time_ns;
  return shown;
}

// A .valid.npy of a column without nulls was never written: it shows the epoch, so that a program that compares times
// (rsync) sends the one it has.
Result<int64_t> ColumnFile::shown_mtime(int64_t changed_ns) {
  const ColumnInfo& column = view_.column;
  bool validity = std::string_view(view_.form->extension()) == ".valid.npy";
  ContentPart part = validity ? ContentPart::kValidity : ContentPart::kValues;
  STELA_ASSIGN(std::optional<int64_t> set_ns,
               context().times.find(place_.dataset, column.id, column.change.value, part));
  if (set_ns.has_value() || !validity) return set_ns.value_or(changed_ns);
  STELA_ASSIGN(Snapshot at, snapshot());
  STELA_ASSIGN(bool nulls, column_has_nulls(context(), at, column));
  return nulls ? changed_ns : 0;
}

Status ColumnFile::set_attributes(const SetAttributes& set, const Caller&) {
  if (!place_.head()) {
    return {Code::kReadOnly, path() + ": a version never changes; change the column at the head of " +
                                 context().path_of(place_.dataset)};
  }
  STELA_TRY(context().writable());
  STELA_ASSIGN(Shown now, attributes(set.size.has_value()));
  STELA_TRY(keep_ownership(set, now.attributes, path()));
  if (set.size && *set.size != now.attributes.size) {
    return invalid(path() + ": a column cannot be cut or grown to " + std::to_string(*set.size) + " bytes (it has " +
                   std::to_string(now.attributes.size) + "): write it whole again, or append rows through .append/");
  }
  if (set.mtime_now || set.mtime_ns) {
    int64_t mtime_ns = set.mtime_now ? context().now_ns() : *set.mtime_ns;
    bool validity = std::string_view(view_.form->extension()) == ".valid.npy";
    context().times.set(place_.dataset, view_.column.id, view_.column.change.value, mtime_ns,
                        validity ? ContentPart::kValidity : ContentPart::kValues);
  }
  return {};
}

Status ColumnFile::refuse_writing(uint32_t flags) const {
  if (!place_.head()) {
    return {Code::kReadOnly,
            path() + ": a version never changes; write to the head of " + context().path_of(place_.dataset)};
  }
  STELA_TRY(context().writable());
  std::string_view extension = view_.form->extension();
  if (extension == ".valid.npy") return {};
  if (find_column_format(extension) == nullptr) {
    return invalid(path() + ": a column is written as .npy or .arrow; rows of text go through .append/");
  }
  if ((flags & O_TRUNC) == 0 && extension != ".npy") {
    return unsupported(path() + ": values are changed in place in the .npy of a column; write this form whole (cp)");
  }
  return {};
}

Result<std::unique_ptr<OpenFile>> ColumnFile::open(uint32_t flags, const Caller& caller) {
  if (!is_writable_open(flags)) return open_for_reading();
  STELA_TRY(refuse_writing(flags));
  context().fresh.ask(place_of(place_.directory_key(), file_name_), caller);
  return look_again();
}

// One node is served in one way for its life; when another has become possible, or this one impossible, the
// name gets a new node.
Result<Serving> ColumnFile::settle_serving(std::optional<FlatColumn>& flat, uint64_t view_bytes) {
  bool direct = flat.has_value() && flat->file->native_fd() >= 0 && flat->file_bytes == view_bytes;
  Serving possible = direct ? Serving::kPassthrough : Serving::kKeepCache;
  std::lock_guard lock(mutex_);
  if (!serving_.has_value()) serving_ = possible;
  if (*serving_ == possible) return possible;
  context().nodes->retire(*this);
  return look_again();
}

Result<std::unique_ptr<OpenFile>> ColumnFile::open_for_reading() {
  STELA_ASSIGN(Snapshot at, snapshot());
  ViewFacts facts = context().views.find(identity_);
  STELA_ASSIGN(std::shared_ptr<View> view, view_with(facts));
  if (!facts.size.has_value()) {
    STELA_ASSIGN(facts.size, view->size());
    context().views.learn(identity_, facts);
  }
  std::optional<FlatColumn> flat;
  if (context().options.passthrough && std::string_view(view_.form->extension()) == ".npy") {
    auto found = at.flat(view_.column, context().options.verify_wait_ns);
    // A damaged file is not handed out: it is served from here, where each read says whether its rows are whole.
    if (!found.ok() && found.status().code() != Code::kDamaged) return found.status();
    if (!found.ok()) context().note(path(), found.status(), error_place());
    if (found.ok()) flat = std::move(*found);
  }
  STELA_ASSIGN(Serving serving, settle_serving(flat, *facts.size));
  return std::unique_ptr<OpenFile>(std::make_unique<OpenView>(std::move(view), serving, std::move(flat)));
}

Result<std::string> ColumnFile::xattr(std::string_view field) {
  if (field == "type") return view_.column.type.name();
  if (field == "served") {
    std::lock_guard lock(mutex_);
    return std::string(serving_ == Serving::kPassthrough ? "passthrough" : "daemon");
  }
  if (field == "rows") {
    STELA_ASSIGN(Snapshot at, snapshot());
    return std::to_string(at.rows());
  }
  if (field == "version") {
    STELA_ASSIGN(VersionInfo changed, changed_by());
    return std::to_string(changed.number.value);
  }
  return Node::xattr(field);
}

}  // namespace stela::fsd
