#include "fsd/tree/schema_draft.h"

#include "fsd/ingest/schema_text.h"
#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"

namespace stela::fsd {
namespace {

constexpr const char* kName = ".schema.json";

class SchemaTarget : public DraftTarget {
 public:
  SchemaTarget(TreeContext& context, NodeId dataset, CommitInfo info)
      : context_(context), dataset_(dataset), info_(std::move(info)) {}

  // Whole or not at all, at an fsync too.
  Result<std::optional<VersionInfo>> commit(ByteSource& source, bool) override {
    Result<std::vector<Field>> fields = read_schema(source);
    if (!fields.ok()) return fields.status().with_context(kName);
    STELA_ASSIGN(Table table, context_.store.table(dataset_));
    STELA_ASSIGN(VersionNumber newest, table.latest());
    if (newest.value != 0) {
      return Status(
          Code::kExists,
          std::string(kName) + ": the dataset has its types already; they are stated for an empty dataset only");
    }
    STELA_ASSIGN(VersionInfo version, table.set_schema(*fields, info_));
    return std::optional<VersionInfo>(std::move(version));
  }
  bool is_drained() const override { return true; }
  void restart() override {}

 private:
  TreeContext& context_;
  const NodeId dataset_;
  const CommitInfo info_;
};

}  // namespace

std::unique_ptr<DraftTarget> create_schema_target(TreeContext& context, NodeId dataset, const Caller& caller) {
  return std::make_unique<SchemaTarget>(context, dataset, context.commit_info(caller, "schema"));
}

SchemaDraft::SchemaDraft(TreeContext& context, NodeId dataset, const Caller& owner)
    : DraftFile(context, place_of(node_identity(dataset), kName), context.path_of(dataset) + "/" + kName, owner, 0600),
      dataset_(dataset) {}

Result<Node::Shown> SchemaDraft::attributes(bool) {
  std::shared_ptr<Draft> draft = live();
  STELA_ASSIGN(NodeInfo node, context().store.node(dataset_));
  Shown shown;
  Attributes& out = shown.attributes;
  out.inode = inode_of(place_of(node_identity(dataset_), kName));
  out.mode = file_mode(node.attributes, true);
  out.uid = node.attributes.uid;
  out.gid = node.attributes.gid;
  out.size = draft != nullptr ? draft->size() : 0;
  std::lock_guard lock(mutex_);
  if (draft == nullptr && !refused_.ok()) {
    out.mode = 0600;
    out.uid = uid_;
    out.gid = gid_;
  }
  out.mtime_ns = set_mtime_ns_.value_or(context().now_ns());
  out.atime_ns = out.ctime_ns = out.mtime_ns;
  return shown;
}

// Mode and owner are the dataset's; the times of a committed schema are its version's.
Status SchemaDraft::set_attributes(const SetAttributes& set, const Caller&) {
  STELA_TRY(context().writable());
  std::shared_ptr<Draft> draft = live();
  if (set.size && draft != nullptr) STELA_TRY(draft->truncate(*set.size));
  std::lock_guard lock(mutex_);
  if (set.mtime_now || set.mtime_ns) set_mtime_ns_ = set.mtime_now ? context().now_ns() : *set.mtime_ns;
  return {};
}

Result<std::unique_ptr<OpenFile>> SchemaDraft::open(uint32_t flags, const Caller& caller) {
  if (!is_writable_open(flags)) {
    // Refused by a close whose release is still on its way.
    if (std::shared_ptr<Draft> draft = live(); draft != nullptr && !draft->failure().ok()) return draft->failure();
    std::lock_guard lock(mutex_);
    if (!refused_.ok()) return refused_;
    return Status(Code::kBusy, path_ + " is being written; it can be read when it is closed");
  }
  STELA_TRY(context().writable());
  STELA_ASSIGN(std::unique_ptr<OpenFile> file,
               start(create_schema_target(context(), dataset_, caller), {}, flags, caller));
  std::lock_guard lock(mutex_);
  refused_ = {};
  return file;
}

void SchemaDraft::committed(const VersionInfo&, Draft&) {
  context().side.remove_if(error_place(), this);
  context().head_moved(dataset_);
}

void SchemaDraft::closed(const Status& failure) {
  std::string place = error_place();
  {
    std::lock_guard lock(mutex_);
    refused_ = failure;
  }
  // For a while only: to say why, or because it was empty.
  bool listed = context().side.find(place).get() == this;
  if (!failure.ok() || listed) stay_listed(place, context().options.error_keep_ns);
}

}  // namespace stela::fsd
