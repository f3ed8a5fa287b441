// .tags: names for versions, as symbolic links.
#include "snapshots/tags.h"

#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/special_directory.h"
#include "fsd/tree/special_names.h"

namespace stela::fsd {
namespace {

constexpr std::string_view kTargetBegin = "../.versions/";

class TagsDirectory : public SpecialDirectory {
 public:
  TagsDirectory(TreeContext& context, NodeId dataset)
      : SpecialDirectory(context, "t" + node_identity(dataset), dataset, ".tags", true) {}

  Result<NodeRef> lookup(std::string_view name, const Caller&) override {
    auto tag = find_tag(context().store, dataset(), name);
    if (tag.ok()) return link(std::string(name));
    if (tag.status().code() != Code::kNotFound) return tag.status();
    return not_found(path() + "/" + std::string(name) + ": no such tag");
  }

  // The next `ln -s` must find the name free; why the last one failed is said on .tags.
  bool keeps_refused_names() const override { return false; }

  Result<std::vector<DirectoryEntry>> list() override {
    STELA_ASSIGN(std::vector<Tag> tags, list_tags(context().store, dataset()));
    std::vector<DirectoryEntry> entries;
    for (const Tag& tag : tags) entries.push_back({tag.name, FileType::kSymlink, inode_of(key_for(tag.name))});
    return entries;
  }

  Result<NodeRef> make_symlink(std::string_view name, std::string_view target, const Caller& caller) override {
    std::string_view rest = target;
    if (rest.ends_with('/')) rest.remove_suffix(1);
    std::optional<VersionNumber> version;
    if (rest.starts_with(kTargetBegin)) version = parse_version_number(rest.substr(kTargetBegin.size()));
    if (!version.has_value()) {
      return invalid(path() + "/" + std::string(name) + ": a tag points to a version of its dataset, as in `ln -s " +
                     std::string(kTargetBegin) + "5`, not to " + std::string(target));
    }
    STELA_TRY(set_tag(context().store, dataset(), name, *version, false, context().commit_info(caller)));
    return link(std::string(name));
  }

  Status remove_file(std::string_view name, const Caller& caller) override {
    return remove_tag(context().store, dataset(), name, context().commit_info(caller));
  }

  Result<Created> create_file(std::string_view name, uint32_t, uint32_t, const Caller&) override {
    return invalid(path() + "/" + std::string(name) + ": tags are symbolic links: ln -s ../.versions/N NAME");
  }

  Result<Movable> movable(std::string_view name, const Caller&) override {
    STELA_TRY(find_tag(context().store, dataset(), name).status());
    return Movable{Movable::Kind::kTag, dataset(), std::string(name), nullptr};
  }

  Status move_in(const Movable& what, std::string_view new_name, bool keep_existing, const Caller& caller) override {
    if (what.kind != Movable::Kind::kTag || what.home != dataset()) {
      return {Code::kCrossDataset, path() + "/" + std::string(new_name) + ": only tags of this dataset are kept here"};
    }
    return rename_tag(context().store, dataset(), what.name, new_name, !keep_existing, context().commit_info(caller));
  }

 private:
  std::string key_for(std::string_view name) const { return key() + "/" + std::string(name); }
  NodeRef link(std::string name) {
    return std::make_shared<Symlink>(context(), key_for(name), dataset(), path() + "/" + name,
                                     [&context = context(), dataset = dataset(), name]() -> Result<std::string> {
                                       STELA_ASSIGN(Tag tag, find_tag(context.store, dataset, name));
                                       return std::string(kTargetBegin) + std::to_string(tag.version.value);
                                     });
  }
};

class TagsName : public SpecialName {
 public:
  bool matches(std::string_view name) const override { return name == ".tags"; }
  Result<NodeRef> open(TreeContext& context, const DatasetPlace& place, std::string_view) const override {
    if (!place.head()) return not_found(".tags is at the dataset's head, not inside a version");
    return NodeRef(std::make_shared<TagsDirectory>(context, place.dataset));
  }
  std::vector<DirectoryEntry> listed(const DatasetPlace& place) const override {
    if (!place.head()) return {};
    return {{".tags", FileType::kDirectory, inode_of("t" + node_identity(place.dataset))}};
  }
};

}  // namespace

const SpecialName& tags_name() {
  static const TagsName name;
  return name;
}

}  // namespace stela::fsd
