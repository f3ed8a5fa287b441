#include "fsd/cli/tree_walk.h"

#include <fcntl.h>

#include <algorithm>

namespace stela::fsd {
namespace {

constexpr int kLinksMax = 40;
constexpr size_t kPieceBytes = 1 << 20;
constexpr size_t kTextBytesMax = 64 << 20;

}  // namespace

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> components;
  while (!path.empty()) {
    size_t end = std::min(path.find('/'), path.size());
    std::string_view component = path.substr(0, end);
    if (!component.empty() && component != ".") components.emplace_back(component);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return components;
}

TreeWalk::~TreeWalk() {
  for (uint64_t node : nodes_) tree_.forget(node, 1);
}

Result<EntryReply> TreeWalk::step(uint64_t directory, std::string_view name) {
  STELA_ASSIGN(EntryReply entry, tree_.lookup(directory, name, caller_));
  if (entry.node == 0) return not_found("no such file or folder");
  nodes_.push_back(entry.node);
  return entry;
}

Result<EntryReply> TreeWalk::child(uint64_t directory, std::string_view name) { return step(directory, name); }

Result<EntryReply> TreeWalk::resolve(std::string_view path, bool follow_last) {
  EntryReply root;
  root.node = Tree::kRoot;
  STELA_ASSIGN(AttributesReply root_attributes, tree_.get_attributes(Tree::kRoot, 0, caller_));
  root.attributes = root_attributes.attributes;
  std::vector<std::string> left = split_path(path);
  std::reverse(left.begin(), left.end());
  std::vector<EntryReply> trail{root};
  int links = 0;
  while (!left.empty()) {
    std::string name = std::move(left.back());
    left.pop_back();
    if (name == "..") {
      if (trail.size() > 1) trail.pop_back();
      continue;
    }
    Result<EntryReply> entry = step(trail.back().node, name);
    if (!entry.ok()) return entry.status().with_context(path);
    if (entry->attributes.type != FileType::kSymlink || (left.empty() && !follow_last)) {
      trail.push_back(*entry);
      continue;
    }
    if (++links > kLinksMax) return invalid(std::string(path) + ": too many symbolic links");
    STELA_ASSIGN(std::string target, tree_.read_link(entry->node));
    if (target.starts_with('/')) return unsupported(std::string(path) + ": a link out of the store is not followed");
    std::vector<std::string> components = split_path(target);
    left.insert(left.end(), components.rbegin(), components.rend());
  }
  return trail.back();
}

Result<std::vector<DirectoryEntry>> TreeWalk::list(uint64_t directory) {
  STELA_ASSIGN(uint64_t handle, tree_.open_directory(directory, caller_));
  std::vector<DirectoryEntry> entries;
  Status status = tree_.read_directory(handle, 0, [&](const DirectoryEntry& entry) {
    if (entry.name != "." && entry.name != "..") entries.push_back(entry);
    return true;
  });
  tree_.release_directory(handle);
  if (!status.ok()) return status;
  return entries;
}

Result<Attributes> TreeWalk::attributes(uint64_t node) {
  STELA_ASSIGN(AttributesReply reply, tree_.get_attributes(node, 0, caller_));
  return reply.attributes;
}

Status TreeWalk::read_file(uint64_t node, const std::function<Status(ByteSpan)>& take) {
  STELA_ASSIGN(OpenReply open, tree_.open(node, O_RDONLY, caller_));
  Buffer buffer(kPieceBytes);
  Status status;
  for (uint64_t offset = 0; status.ok();) {
    Result<size_t> count = tree_.read(open.handle, offset, buffer.span());
    status = count.status();
    if (!count.ok() || *count == 0) break;
    status = take(buffer.span(0, *count));
    offset += *count;
  }
  tree_.release(open.handle);
  return status;
}

Result<std::string> TreeWalk::read_text(std::string_view path) {
  STELA_ASSIGN(EntryReply entry, resolve(path));
  std::string text;
  STELA_TRY(read_file(entry.node, [&](ByteSpan bytes) -> Status {
    if (text.size() + bytes.size() > kTextBytesMax) return Status(Code::kLimit, std::string(path) + " is too large");
    text.append(as_text(bytes));
    return {};
  }));
  return text;
}

}  // namespace stela::fsd
