#include "snapshots/tags.h"

#include "engine/catalog/keys.h"
#include "engine/store/entries.h"
#include "engine/store/names.h"

namespace stela {

using catalog::KeyKind;
using store::TagEntry;

namespace {

std::string tag_key(NodeId dataset, std::string_view name) { return catalog::key(dataset, KeyKind::kTag, name); }

Result<TagEntry> tag_now(const CommitBuilder& builder, NodeId dataset, std::string_view name) {
  std::string value;
  Status status = builder.get(tag_key(dataset, name), &value);
  if (status.code() == Code::kNotFound) return TagEntry{};
  STELA_TRY(status);
  return TagEntry::decode(value);
}

Status no_tag(std::string_view name) { return not_found("there is no tag '" + std::string(name) + "'"); }

}  // namespace

Status set_tag(Store& store, NodeId dataset, std::string_view name, VersionNumber version, bool replace,
               const CommitInfo& info) {
  STELA_TRY(store::check_node_name(name));
  return store
      .commit(info,
              [&](CommitBuilder& builder) -> Status {
                std::string value;
                STELA_TRY(builder.get(catalog::key(dataset, catalog::KeyKind::kNode), &value));
                STELA_ASSIGN(store::NodeEntry node, store::NodeEntry::decode(value));
                if (node.dropped) return not_found("the dataset '" + node.name + "' was dropped");
                Status exists = builder.get(catalog::version_key(dataset, version), &value);
                if (exists.code() == Code::kNotFound || version.value == 0) {
                  return invalid("there is no version " + std::to_string(version.value) + " to tag as '" +
                                 std::string(name) + "'");
                }
                STELA_TRY(exists);
                STELA_ASSIGN(TagEntry now, tag_now(builder, dataset, name));
                if (now.version.value != 0 && !replace) {
                  return {Code::kExists, "the tag '" + std::string(name) + "' exists already, on version " +
                                             std::to_string(now.version.value)};
                }
                builder.put(tag_key(dataset, name), TagEntry{version, builder.time_ns()}.encode());
                return {};
              })
      .status();
}

Status remove_tag(Store& store, NodeId dataset, std::string_view name, const CommitInfo& info) {
  return store
      .commit(info,
              [&](CommitBuilder& builder) -> Status {
                STELA_ASSIGN(TagEntry now, tag_now(builder, dataset, name));
                if (now.version.value == 0) return no_tag(name);
                builder.put(tag_key(dataset, name), TagEntry{VersionNumber{0}, builder.time_ns()}.encode());
                return {};
              })
      .status();
}

Status rename_tag(Store& store, NodeId dataset, std::string_view from, std::string_view to, bool replace,
                  const CommitInfo& info) {
  STELA_TRY(store::check_node_name(to));
  return store
      .commit(info,
              [&](CommitBuilder& builder) -> Status {
                STELA_ASSIGN(TagEntry now, tag_now(builder, dataset, from));
                if (now.version.value == 0) return no_tag(from);
                if (from == to) return {};
                STELA_ASSIGN(TagEntry target, tag_now(builder, dataset, to));
                if (target.version.value != 0 && !replace) {
                  return {Code::kExists, "the tag '" + std::string(to) + "' exists already"};
                }
                builder.put(tag_key(dataset, from), TagEntry{VersionNumber{0}, builder.time_ns()}.encode());
                builder.put(tag_key(dataset, to), TagEntry{now.version, builder.time_ns()}.encode());
                return {};
              })
      .status();
}

Result<Tag> find_tag(const Store& store, NodeId dataset, std::string_view name) {
  std::string value;
  Status status = store.get(tag_key(dataset, name), &value);
  if (status.code() == Code::kNotFound) return no_tag(name);
  STELA_TRY(status);
  STELA_ASSIGN(TagEntry entry, TagEntry::decode(value));
  if (entry.version.value == 0) return no_tag(name);
  return Tag{std::string(name), entry.version, entry.time_ns};
}

Result<std::vector<Tag>> list_tags(const Store& store, NodeId dataset) {
  std::vector<Tag> tags;
  std::string prefix = catalog::prefix(dataset, KeyKind::kTag);
  Status inner;
  STELA_TRY(store.scan(prefix, kSequenceMax, {}, [&](std::string_view key, std::string_view value, Sequence) {
    auto entry = TagEntry::decode(value);
    if (!entry.ok()) inner = entry.status();
    if (entry.ok() && entry->version.value != 0) {
      tags.push_back({std::string(key.substr(prefix.size())), entry->version, entry->time_ns});
    }
    return inner.ok();
  }));
  STELA_TRY(inner);
  return tags;
}

}  // namespace stela
