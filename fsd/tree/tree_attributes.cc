// TreeImpl: attributes, links, extended attributes, permission.
#include "fsd/tree/tree_impl.h"

namespace stela::fsd {

namespace {
constexpr std::string_view kOurs = "user.stela.";
constexpr std::string_view kError = "user.stela.error";

int64_t attributes_timeout(const Node& node, const Node::Shown& shown, int64_t head_ns) {
  if (!shown.complete || node.lifetime() == Lifetime::kNone) return 0;
  return node.lifetime() == Lifetime::kForever ? INT64_MAX : head_ns;
}
}  // namespace

Result<AttributesReply> TreeImpl::get_attributes(uint64_t node, uint64_t, const Caller&) {
  STELA_ASSIGN(NodeRef found, find(node));
  auto shown = found->attributes(true);
  if (!shown.ok()) return failed_at(*found, shown.status());
  return AttributesReply{shown->attributes,
                         attributes_timeout(*found, *shown, found->context().options.head_timeout_ns)};
}

Result<AttributesReply> TreeImpl::set_attributes(uint64_t node, uint64_t handle, const SetAttributes& set,
                                                 const Caller& caller) {
  STELA_ASSIGN(NodeRef found, find(node));
  Status status = context_.writable();
  if (status.ok()) status = found->set_attributes(set, caller);
  if (!status.ok()) return failed_at(*found, status);
  return get_attributes(node, handle, caller);
}

Result<std::string> TreeImpl::read_link(uint64_t node) {
  STELA_ASSIGN(NodeRef found, find(node));
  return found->read_link();
}

Result<std::string> TreeImpl::get_xattr(uint64_t node, std::string_view name, const Caller&) {
  STELA_ASSIGN(NodeRef found, find(node));
  if (name == kError) {
    std::optional<std::string> sentence = found->context().errors.find(found->error_place());
    if (sentence.has_value()) return *sentence;
    return not_found(found->path() + ": nothing failed here lately");
  }
  if (!name.starts_with(kOurs)) return not_found("no attribute " + std::string(name));
  return found->xattr(name.substr(kOurs.size()));
}

Result<std::vector<std::string>> TreeImpl::list_xattrs(uint64_t node) {
  STELA_ASSIGN(NodeRef found, find(node));
  std::vector<std::string> names;
  if (found->context().errors.find(found->error_place()).has_value()) names.emplace_back(kError);
  for (const std::string& field : found->xattr_fields()) names.push_back(std::string(kOurs) + field);
  return names;
}

Status TreeImpl::set_xattr(uint64_t node, std::string_view name, ByteSpan, const Caller&) {
  STELA_ASSIGN(NodeRef found, find(node));
  std::string text(name);
  if (name.starts_with("security.") || name.starts_with("trusted.")) {
    return {Code::kNotPermitted, found->path() + ": " + text + " is never kept"};
  }
  if (name.starts_with(kOurs)) return {Code::kNotPermitted, found->path() + ": " + text + " can only be read"};
  return unsupported(found->path() + ": extended attributes like " + text + " are not kept");
}

Status TreeImpl::remove_xattr(uint64_t node, std::string_view name, const Caller& caller) {
  STELA_ASSIGN(NodeRef found, find(node));
  if (name == kError) {
    found->context().errors.clear(found->error_place());
    return {};
  }
  if (!get_xattr(node, name, caller).ok()) return not_found(found->path() + " has no attribute " + std::string(name));
  return {Code::kNotPermitted, found->path() + ": " + std::string(name) + " can only be read"};
}

// With default_permissions the kernel decides, groups included; this answers callers without a kernel.
Status TreeImpl::access(uint64_t node, uint32_t mask, const Caller& caller) {
  STELA_ASSIGN(NodeRef found, find(node));
  STELA_ASSIGN(Node::Shown shown, found->attributes(false));
  const Attributes& attributes = shown.attributes;
  constexpr uint32_t kWrite = 2, kExecute = 1;
  if ((mask & kWrite) != 0) STELA_TRY(context_.writable());
  uint32_t granted = attributes.mode & 7u;
  if (caller.gid == attributes.gid) granted = attributes.mode >> 3 & 7u;
  if (caller.uid == attributes.uid) granted = attributes.mode >> 6 & 7u;
  if (caller.uid == 0) {
    bool executable = attributes.type == FileType::kDirectory || (attributes.mode & 0111u) != 0;
    granted = executable ? 7u : 7u & ~kExecute;
  }
  if ((mask & 7u & ~granted) == 0) return {};
  return {Code::kAccess, found->path() + ": not allowed to this user"};
}

}  // namespace stela::fsd
