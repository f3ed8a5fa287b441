#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/open_view.h"
#include "fsd/tree/view_file.h"

namespace stela::fsd {

TableFile::TableFile(TreeContext& context, DatasetPlace place, VersionNumber version, const TableForm& form)
    : Node(context, table_identity(place.dataset, version, form.name()) + (place.head() ? "\nhead" : "\npast")),
      place_(place),
      version_(version),
      form_(form),
      identity_(table_identity(place.dataset, version, form.name())) {}

std::string TableFile::path() const { return place_.path(context()) + "/" + form_.name(); }

std::string TableFile::error_place() const {
  return place_.head() ? place_of(place_.directory_key(), form_.name()) : std::string();
}

Result<Snapshot> TableFile::snapshot() const {
  STELA_ASSIGN(Table table, context().store.table(place_.dataset));
  return table.at(version_);
}

Result<std::shared_ptr<View>> TableFile::view_with(const ViewFacts& facts) const {
  auto make = [&]() -> Result<std::unique_ptr<View>> {
    STELA_ASSIGN(Snapshot at, snapshot());
    return form_.open(at, facts.size);
  };
  if (!form_.size_is_cheap() && !form_.tells_layout()) return context().recent.find_or_make(identity_, make);
  STELA_ASSIGN(std::unique_ptr<View> view, make());
  return std::shared_ptr<View>(std::move(view));
}

Result<Node::Shown> TableFile::attributes(bool may_compute) {
  STELA_ASSIGN(NodeInfo node, context().store.node(place_.dataset));
  STELA_ASSIGN(Table table, context().store.table(place_.dataset));
  STELA_ASSIGN(VersionInfo version, table.version(version_));
  Shown shown;
  Attributes& out = shown.attributes;
  out.inode = inode_of(identity_);
  out.mode = file_mode(node.attributes, false);
  out.uid = node.attributes.uid;
  out.gid = node.attributes.gid;
  out.atime_ns = out.mtime_ns = out.ctime_ns = version.time_ns;
  ViewFacts facts = context().views.find(identity_);
  if (!facts.size.has_value() && (may_compute || form_.size_is_cheap())) {
    STELA_ASSIGN(std::shared_ptr<View> view, view_with(facts));
    STELA_ASSIGN(facts.size, view->size());
    context().views.learn(identity_, facts);
  }
  shown.complete = facts.size.has_value();
  out.size = facts.size.value_or(0);
  return shown;
}

Status TableFile::set_attributes(const SetAttributes& set, const Caller& caller) {
  bool mode_only = !set.size && !set.mtime_now && !set.mtime_ns;
  if (!place_.head() || !mode_only) return Node::set_attributes(set, caller);
  STELA_ASSIGN(Shown now, attributes(false));
  return keep_ownership(set, now.attributes, path());
}

Result<std::unique_ptr<OpenFile>> TableFile::open(uint32_t flags, const Caller&) {
  if (is_writable_open(flags)) {
    if (!place_.head()) return Status(Code::kReadOnly, path() + ": a version never changes");
    return Status(
        Code::kNotPermitted,
        path() + " is computed from the dataset and cannot be written; types are stated for an empty dataset");
  }
  ViewFacts facts = context().views.find(identity_);
  STELA_ASSIGN(std::shared_ptr<View> view, view_with(facts));
  if (form_.tells_layout()) {
    // Read to its end whatever size the kernel knows of before.
    STELA_ASSIGN(facts.size, view->size());
    context().views.learn(identity_, facts);
    return std::unique_ptr<OpenFile>(std::make_unique<OpenView>(std::move(view), Serving::kDirect, std::nullopt));
  }
  if (!facts.size.has_value()) {
    STELA_ASSIGN(facts.size, view->size());
    context().views.learn(identity_, facts);
  }
  return std::unique_ptr<OpenFile>(std::make_unique<OpenView>(std::move(view), Serving::kKeepCache, std::nullopt));
}

Result<std::string> TableFile::xattr(std::string_view field) {
  if (field == "version") return std::to_string(version_.value);
  if (field == "served") return std::string("daemon");
  if (field == "rows") {
    STELA_ASSIGN(Snapshot at, snapshot());
    return std::to_string(at.rows());
  }
  return Node::xattr(field);
}

}  // namespace stela::fsd
