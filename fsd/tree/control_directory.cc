#include "fsd/tree/control_directory.h"

#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/open_view.h"
#include "fsd/tree/transaction_directory.h"

namespace stela::fsd {
namespace {

Result<Node::Shown> control_attributes(TreeContext& context, const std::string& key, FileType type, uint32_t mode) {
  STELA_ASSIGN(NodeInfo root, context.store.node(kRootNode));
  Node::Shown shown;
  Attributes& out = shown.attributes;
  out.inode = inode_of(key);
  out.type = type;
  // Whoever may enter the root may read these.
  out.mode = mode & (root.attributes.mode | (root.attributes.mode & 0111u) << 2);
  out.links = type == FileType::kDirectory ? 2 : 1;
  out.uid = root.attributes.uid;
  out.gid = root.attributes.gid;
  out.mtime_ns = type == FileType::kDirectory ? context.started_ns : context.now_ns();
  out.atime_ns = out.ctime_ns = out.mtime_ns;
  return shown;
}

// Its size is 0 and its text is made at the open, as under /proc.
class ControlFileNode : public Node {
 public:
  ControlFileNode(TreeContext& context, const ControlFile& file)
      : Node(context, std::string(kControlName) + "/" + std::string(file.name)), file_(file) {}
  FileType type() const override { return FileType::kRegular; }
  std::string path() const override { return "/" + key(); }
  Result<Shown> attributes(bool) override { return control_attributes(context(), key(), type(), 0444); }
  Result<std::unique_ptr<OpenFile>> open(uint32_t flags, const Caller&) override {
    if (is_writable_open(flags)) return Status(Code::kNotPermitted, path() + " can only be read");
    return std::unique_ptr<OpenFile>(std::make_unique<OpenText>(file_.text(context())));
  }

 private:
  const ControlFile& file_;
};

}  // namespace

Result<Node::Shown> ControlDirectory::attributes(bool) { return control_attributes(context(), key(), type(), 0555); }

Result<NodeRef> ControlDirectory::lookup(std::string_view name, const Caller&) {
  for (const ControlFile& file : control_files()) {
    if (file.name == name) return NodeRef(std::make_shared<ControlFileNode>(context(), file));
  }
  if (name == kTransactionsName) return transactions_directory(context(), kRootNode);
  if (name == "oplog") return unsupported("/.stela/oplog is not supported yet; `stela log` shows commits");
  return not_found("/.stela has no " + std::string(name));
}

Result<std::vector<DirectoryEntry>> ControlDirectory::list() {
  std::vector<DirectoryEntry> entries;
  for (const ControlFile& file : control_files()) {
    std::string name(file.name);
    entries.push_back({name, FileType::kRegular, inode_of(key() + "/" + name)});
  }
  entries.push_back({kTransactionsName, FileType::kDirectory, inode_of(transactions_key(kRootNode))});
  return entries;
}

Status ControlDirectory::refusal(std::string_view name) const {
  return {Code::kNotPermitted, "/.stela/" + std::string(name) + ": nothing can be made, moved or removed here"};
}

}  // namespace stela::fsd
