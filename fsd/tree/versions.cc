// .versions: every version of a dataset as a read-only directory, and `latest`.
#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/special_directory.h"
#include "fsd/tree/special_names.h"
#include "fsd/tree/view_file.h"

namespace stela::fsd {
namespace {

class VersionDirectory : public Node, public Directory {
 public:
  VersionDirectory(TreeContext& context, DatasetPlace place) : Node(context, place.directory_key()), place_(place) {}
  FileType type() const override { return FileType::kDirectory; }
  std::string path() const override { return place_.path(context()); }
  NodeId owner() const override { return place_.dataset; }
  Lifetime lifetime() const override { return Lifetime::kForever; }
  Directory* directory() override { return this; }

  Result<Shown> attributes(bool) override {
    STELA_ASSIGN(NodeInfo node, context().store.node(place_.dataset));
    STELA_ASSIGN(VersionInfo version, info());
    Shown shown;
    Attributes& out = shown.attributes;
    out.inode = inode_of(key());
    out.type = FileType::kDirectory;
    out.mode = directory_mode(node.attributes, false);
    out.links = 2;
    out.uid = node.attributes.uid;
    out.gid = node.attributes.gid;
    out.atime_ns = out.mtime_ns = out.ctime_ns = version.time_ns;
    return shown;
  }
  Status set_attributes(const SetAttributes&, const Caller&) override { return refusal(""); }

  Result<NodeRef> lookup(std::string_view name, const Caller&) override {
    if (const SpecialName* special = find_special_name(name)) return special->open(context(), place_, name);
    STELA_ASSIGN(Snapshot at, place_.snapshot(context()));
    STELA_ASSIGN(FoundView view, find_view(at, name));
    return NodeRef(std::make_shared<ColumnFile>(context(), place_, place_.version, std::move(view), std::string(name)));
  }
  Result<std::vector<DirectoryEntry>> list() override {
    STELA_ASSIGN(Snapshot at, place_.snapshot(context()));
    STELA_ASSIGN(std::vector<DirectoryEntry> entries, list_columns(context(), at));
    if (!context().options.list_special) return entries;
    for (const SpecialName* special : all_special_names()) {
      for (DirectoryEntry& entry : special->listed(place_)) entries.push_back(std::move(entry));
    }
    return entries;
  }
  Result<std::string> xattr(std::string_view field) override {
    STELA_ASSIGN(VersionInfo version, info());
    if (field == "version") return std::to_string(version.number.value);
    if (field == "rows") return std::to_string(version.rows);
    return Node::xattr(field);
  }
  std::vector<std::string> xattr_fields() override { return {"rows", "version"}; }

 protected:
  Status refusal(std::string_view name) const override {
    return {Code::kReadOnly, path() + (name.empty() ? "" : "/") + std::string(name) +
                                 ": a version never changes; write to " + context().path_of(place_.dataset)};
  }

 private:
  Result<VersionInfo> info() const {
    STELA_ASSIGN(Table table, context().store.table(place_.dataset));
    return table.version(place_.version);
  }
  const DatasetPlace place_;
};

class VersionsDirectory : public SpecialDirectory {
 public:
  VersionsDirectory(TreeContext& context, NodeId dataset)
      : SpecialDirectory(context, "w" + node_identity(dataset), dataset, ".versions", false) {}
  bool absence_is_error() const override { return true; }

  Result<NodeRef> lookup(std::string_view name, const Caller&) override {
    if (name == "latest") {
      STELA_TRY(latest().status());
      return NodeRef(std::make_shared<Symlink>(context(), key() + "/latest", dataset(), path() + "/latest",
                                               [this, self = shared_from_this()] { return latest(); }));
    }
    std::optional<VersionNumber> number = parse_version_number(name);
    if (!number.has_value()) return not_found(path() + " has numbers and `latest`, not " + std::string(name));
    STELA_ASSIGN(Table table, context().store.table(dataset()));
    STELA_ASSIGN(VersionNumber newest, table.latest());
    if (*number > newest) {
      return not_found(context().path_of(dataset()) + " has no version " + std::string(name) +
                       (newest.value == 0 ? "; it has none yet" : "; the newest is " + std::to_string(newest.value)));
    }
    STELA_TRY(table.version(*number).status());
    return NodeRef(std::make_shared<VersionDirectory>(context(), DatasetPlace{dataset(), *number}));
  }

  Result<std::vector<DirectoryEntry>> list() override {
    STELA_ASSIGN(Table table, context().store.table(dataset()));
    STELA_ASSIGN(VersionNumber newest, table.latest());
    std::vector<DirectoryEntry> entries;
    for (uint64_t number = 1; number <= newest.value; number++) {
      DatasetPlace place{dataset(), VersionNumber(number)};
      entries.push_back({std::to_string(number), FileType::kDirectory, inode_of(place.directory_key())});
    }
    if (newest.value > 0) entries.push_back({"latest", FileType::kSymlink, inode_of(key() + "/latest")});
    return entries;
  }

 private:
  Result<std::string> latest() const {
    STELA_ASSIGN(Table table, context().store.table(dataset()));
    STELA_ASSIGN(VersionNumber newest, table.latest());
    if (newest.value == 0) return not_found(context().path_of(dataset()) + " has no version yet");
    return std::to_string(newest.value);
  }
};

class VersionsName : public SpecialName {
 public:
  bool matches(std::string_view name) const override { return name == ".versions"; }
  Result<NodeRef> open(TreeContext& context, const DatasetPlace& place, std::string_view) const override {
    if (!place.head()) return not_found(".versions is at the dataset's head, not inside a version");
    return NodeRef(std::make_shared<VersionsDirectory>(context, place.dataset));
  }
  std::vector<DirectoryEntry> listed(const DatasetPlace& place) const override {
    if (!place.head()) return {};
    return {{".versions", FileType::kDirectory, inode_of("w" + node_identity(place.dataset))}};
  }
};

}  // namespace

const SpecialName& versions_name() {
  static const VersionsName name;
  return name;
}

}  // namespace stela::fsd
