// Tags: names for versions of a dataset. Ordered with commits, but they make no version.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/store/store.h"

namespace stela {

struct Tag {
  std::string name;
  VersionNumber version;
  int64_t time_ns = 0;  // when it was set
};

// A tag's name: as a node's, without a leading dot. kInvalid: no such version, or no name for a tag.
// kExists when the name is taken, unless `replace`. Any thread; durable when it returns ok.
Status set_tag(Store& store, NodeId dataset, std::string_view name, VersionNumber version, bool replace,
               const CommitInfo& info);
Status remove_tag(Store& store, NodeId dataset, std::string_view name, const CommitInfo& info);
// `replace`: the target may exist.
Status rename_tag(Store& store, NodeId dataset, std::string_view from, std::string_view to, bool replace,
                  const CommitInfo& info);
// kNotFound when there is none.
Result<Tag> find_tag(const Store& store, NodeId dataset, std::string_view name);
// In order of name.
Result<std::vector<Tag>> list_tags(const Store& store, NodeId dataset);

}  // namespace stela
