// Dot names that have their place in the design and are not built yet: each says so, and what to do instead.
#include "fsd/tree/context.h"
#include "fsd/tree/special_names.h"

namespace stela::fsd {
namespace {

struct Coming {
  std::string_view name;
  std::string_view instead;
};
constexpr Coming kComing[] = {
    {".where", "queries are not supported yet; read the columns and filter them"},
    {".by", "queries are not supported yet; read the columns and filter them"},
    {".order", "queries are not supported yet; read the columns and sort them"},
    {".select", "queries are not supported yet; read the columns by name"},
    {".limit", "queries are not supported yet; read as many rows of the columns as wanted"},
    {".sample", "queries are not supported yet; read the columns and sample them"},
    {".nearest", "vector search is not supported yet; read the column and compare"},
    {".index", "indexes are not supported yet"},
    {".delete", "deleting rows is not supported yet"},
    {".upsert", "updating rows by key is not supported yet; append, or write whole columns"},
    {".count", "queries are not supported yet; .commit.json has the number of rows"},
    {".rows.npy", "queries are not supported yet"},
    {".rowids.npy", "queries are not supported yet"},
    {".explain", "queries are not supported yet"},
};

const Coming* find_coming(std::string_view name) {
  for (const Coming& coming : kComing) {
    if (coming.name == name) return &coming;
  }
  static constexpr Coming kQuery{".query.", "queries are not supported yet; read the columns"};
  return name.starts_with(kQuery.name) ? &kQuery : nullptr;
}

class ComingNames : public SpecialName {
 public:
  bool matches(std::string_view name) const override { return find_coming(name) != nullptr; }
  Result<NodeRef> open(TreeContext& context, const DatasetPlace& place, std::string_view name) const override {
    return unsupported(place.path(context) + "/" + std::string(name) + ": " + std::string(find_coming(name)->instead));
  }
  Status refuse_creation(const std::string& path) const override {
    const Coming* coming = find_coming(std::string_view(path).substr(path.rfind('/') + 1));
    return unsupported(path + ": " + std::string(coming != nullptr ? coming->instead : "not supported yet"));
  }
};

}  // namespace

const SpecialName& coming_names() {
  static const ComingNames names;
  return names;
}

}  // namespace stela::fsd
