// .at: any moment as a symbolic link to the newest version committed by then.
#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/special_directory.h"
#include "fsd/tree/special_names.h"
#include "snapshots/time_travel.h"

namespace stela::fsd {
namespace {

class TimesDirectory : public SpecialDirectory {
 public:
  TimesDirectory(TreeContext& context, NodeId dataset)
      : SpecialDirectory(context, "a" + node_identity(dataset), dataset, ".at", false) {}
  bool absence_is_error() const override { return true; }

  Result<NodeRef> lookup(std::string_view name, const Caller&) override {
    auto time_ns = parse_time(name);
    if (!time_ns.ok()) return time_ns.status().with_context(path() + "/" + std::string(name));
    auto target = [&context = context(), dataset = dataset(), ns = *time_ns]() -> Result<std::string> {
      STELA_ASSIGN(Table table, context.store.table(dataset));
      STELA_ASSIGN(VersionNumber version, version_at(table, ns));
      return "../.versions/" + std::to_string(version.value);
    };
    auto known = target();
    if (!known.ok()) return known.status().with_context(path() + "/" + std::string(name));
    return NodeRef(std::make_shared<Symlink>(context(), key() + "/" + std::string(name), dataset(),
                                             path() + "/" + std::string(name), target));
  }
  Result<std::vector<DirectoryEntry>> list() override { return std::vector<DirectoryEntry>(); }
};

class TimesName : public SpecialName {
 public:
  bool matches(std::string_view name) const override { return name == ".at"; }
  Result<NodeRef> open(TreeContext& context, const DatasetPlace& place, std::string_view) const override {
    if (!place.head()) return not_found(".at is at the dataset's head, not inside a version");
    return NodeRef(std::make_shared<TimesDirectory>(context, place.dataset));
  }
  std::vector<DirectoryEntry> listed(const DatasetPlace& place) const override {
    if (!place.head()) return {};
    return {{".at", FileType::kDirectory, inode_of("a" + node_identity(place.dataset))}};
  }
};

}  // namespace

const SpecialName& times_name() {
  static const TimesName name;
  return name;
}

}  // namespace stela::fsd
