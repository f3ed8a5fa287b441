#include "fsd/tree/special_directory.h"

#include <charconv>

#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/dataset_place.h"

namespace stela::fsd {

std::string SpecialDirectory::path() const { return context().path_of(dataset_) + "/" + name_; }

Result<Node::Shown> SpecialDirectory::attributes(bool) {
  STELA_ASSIGN(NodeInfo node, context().store.node(dataset_));
  Shown shown;
  Attributes& out = shown.attributes;
  out.inode = inode_of(key());
  out.type = FileType::kDirectory;
  out.mode = directory_mode(node.attributes, writable_);
  out.links = 2;
  out.uid = node.attributes.uid;
  out.gid = node.attributes.gid;
  out.atime_ns = out.mtime_ns = out.ctime_ns = node.changed_ns;
  return shown;
}

Status SpecialDirectory::refusal(std::string_view name) const {
  return {Code::kNotPermitted, path() + "/" + std::string(name) + ": nothing can be made, moved or removed here"};
}

Result<Node::Shown> Symlink::attributes(bool) {
  STELA_ASSIGN(NodeInfo node, context().store.node(dataset_));
  STELA_ASSIGN(std::string target, target_());
  Shown shown;
  Attributes& out = shown.attributes;
  out.inode = inode_of(key());
  out.type = FileType::kSymlink;
  out.mode = 0777;
  out.uid = node.attributes.uid;
  out.gid = node.attributes.gid;
  out.size = target.size();
  out.atime_ns = out.mtime_ns = out.ctime_ns = node.changed_ns;
  return shown;
}

std::optional<VersionNumber> parse_version_number(std::string_view text) {
  uint64_t number = 0;
  if (text.empty() || text.front() < '1' || text.front() > '9') return std::nullopt;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return VersionNumber(number);
}

}  // namespace stela::fsd
