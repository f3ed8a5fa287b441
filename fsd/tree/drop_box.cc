// .append: the drop box. A file of rows written here is committed when it is closed.
#include <fcntl.h>

#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/drop_file.h"
#include "fsd/tree/scratch_file.h"
#include "fsd/tree/special_directory.h"
#include "fsd/tree/special_names.h"

namespace stela::fsd {
namespace {

class DropBox : public SpecialDirectory {
 public:
  DropBox(TreeContext& context, DropPlace place)
      : SpecialDirectory(context, place.directory_key(), place.dataset,
                         ".append" + (place.folder.empty() ? "" : "/" + place.folder), true),
        place_(std::move(place)) {}

  Result<NodeRef> lookup(std::string_view name, const Caller& caller) override;
  Result<std::vector<DirectoryEntry>> list() override { return std::vector<DirectoryEntry>(); }
  Result<NodeRef> make_directory(std::string_view name, uint32_t mode, const Caller& caller) override;
  Result<Created> create_file(std::string_view name, uint32_t mode, uint32_t flags, const Caller& caller) override;
  Status remove_file(std::string_view name, const Caller& caller) override;
  Result<Movable> movable(std::string_view name, const Caller& caller) override;
  Status move_in(const Movable& what, std::string_view new_name, bool keep_existing, const Caller& caller) override;

 private:
  std::string place_for(std::string_view name) const { return place_of(key(), name); }
  Result<SideFileRef> find_file(std::string_view name);
  Status commit_scratch(ScratchFileNode& scratch, const std::string& name, const Caller& caller);
  const DropPlace place_;
};

// A name that states options rather than a file of rows.
bool is_options_name(std::string_view name) {
  return name.find('=') != std::string_view::npos && name.front() != '.' && !row_format_of(name).ok();
}

Result<SideFileRef> DropBox::find_file(std::string_view name) {
  SideFileRef file = context().side.find(place_for(name));
  if (file != nullptr) return file;
  STELA_ASSIGN(std::optional<Receipt> receipt, context().receipts.find(dataset(), place_.receipt_name(name)));
  if (!receipt.has_value()) return not_found(path() + "/" + std::string(name) + ": no such receipt");
  SideFileRef fresh = std::make_shared<DropFile>(context(), place_, std::string(name), receipt, Caller{}, 0644);
  context().side.put(place_for(name), fresh);
  return fresh;
}

Result<NodeRef> DropBox::lookup(std::string_view name, const Caller& caller) {
  if (place_.folder.empty() && is_options_name(name)) {
    STELA_ASSIGN(IngestOptions options, parse_ingest_options(name, place_.options));
    if (options.skip_errors) options.rejected = context().rejected.of(dataset());
    return NodeRef(std::make_shared<DropBox>(context(), DropPlace{dataset(), std::string(name), std::move(options)}));
  }
  if (name == kRejectedName) {
    std::shared_ptr<RejectedLog> log = context().rejected.of(dataset());
    if (log->size() == 0) return not_found(path() + "/rejected.ndjson: no row was rejected");
    return NodeRef(std::make_shared<RejectedFile>(context(), dataset(), std::move(log)));
  }
  STELA_ASSIGN(SideFileRef file, find_file(name));
  auto drop = std::dynamic_pointer_cast<DropFile>(file);
  if (drop != nullptr && context().fresh.wanted(place_for(name), caller)) {
    return NodeRef(std::make_shared<DropFile>(context(), place_, std::string(name), drop->receipt(), caller, 0644));
  }
  return NodeRef(std::move(file));
}

Result<NodeRef> DropBox::make_directory(std::string_view name, uint32_t, const Caller&) {
  return invalid(path() + "/" + std::string(name) +
                 ": the drop box takes files of rows; its folders are options (null=NA,header=no) and need no mkdir");
}

Result<Created> DropBox::create_file(std::string_view name, uint32_t mode, uint32_t flags, const Caller& caller) {
  std::string text(name);
  if (is_scratch_name(name)) {
    STELA_ASSIGN(auto scratch,
                 ScratchFileNode::create(context(), dataset(), place_for(name), path() + "/" + text, mode, caller));
    STELA_ASSIGN(std::unique_ptr<OpenFile> file, scratch->open(flags, caller));
    context().side.put(place_for(name), scratch);
    return Created{scratch, std::move(file)};
  }
  if (name == kRejectedName)
    return invalid(path() + "/" + text + ": that name is kept for rejected rows; take another");
  STELA_TRY(row_format_of(name).status());
  auto drop = std::make_shared<DropFile>(context(), place_, text, std::nullopt, caller, mode);
  STELA_ASSIGN(std::unique_ptr<OpenFile> file, drop->open(flags | O_WRONLY, caller));
  context().side.put(place_for(name), drop);
  return Created{drop, std::move(file)};
}

Status DropBox::remove_file(std::string_view name, const Caller&) {
  if (name == kRejectedName) {
    context().rejected.of(dataset())->clear();
    return {};
  }
  STELA_ASSIGN(SideFileRef file, find_file(name));
  file->removed();
  context().side.remove(place_for(name));
  return {};
}

Result<Movable> DropBox::movable(std::string_view name, const Caller&) {
  STELA_ASSIGN(SideFileRef file, find_file(name));
  return Movable{Movable::Kind::kSideFile, dataset(), std::string(name), std::move(file)};
}

Status DropBox::commit_scratch(ScratchFileNode& scratch, const std::string& name, const Caller& caller) {
  STELA_ASSIGN(std::unique_ptr<RowsTarget> target, RowsTarget::create(context(), place_, name, caller));
  auto committed = scratch.with_bytes([&](ByteSource& source) -> Result<std::optional<VersionInfo>> {
    if (source.size() == 0) return std::optional<VersionInfo>();
    return target->commit(source, true);
  });
  if (!committed.ok()) return committed.status();
  STELA_ASSIGN(Node::Shown shown, scratch.attributes(true));
  const Attributes& was = shown.attributes;
  Receipt receipt{was.size, was.mtime_ns, was.mode, was.uid, was.gid, {}, {}};
  if (committed->has_value()) receipt.version = (*committed)->number;
  auto drop = std::make_shared<DropFile>(context(), place_, name, receipt, caller, was.mode);
  context().receipts.put(dataset(), place_.receipt_name(name), receipt);
  context().side.put(place_for(name), drop);
  if (committed->has_value()) context().head_moved(dataset());
  return {};
}

Status DropBox::move_in(const Movable& what, std::string_view new_name, bool keep_existing, const Caller& caller) {
  std::string name(new_name);
  if (what.kind != Movable::Kind::kSideFile || what.home != dataset()) {
    return {Code::kCrossDataset, path() + "/" + name + ": only copying brings rows into a drop box"};
  }
  if (keep_existing && find_file(name).ok()) return {Code::kExists, path() + "/" + name + " is there already"};
  std::string old_place = what.side->error_place();
  auto drop = std::dynamic_pointer_cast<DropFile>(what.side);
  auto scratch = std::dynamic_pointer_cast<ScratchFileNode>(what.side);
  if (scratch != nullptr && !is_scratch_name(name)) {
    STELA_TRY(commit_scratch(*scratch, name, caller));
    context().side.remove_if(old_place, scratch.get());
    return {};
  }
  if (drop != nullptr && !is_scratch_name(name)) {
    STELA_TRY(row_format_of(name).status());
    if (!old_place.starts_with(place_for(""))) {
      return invalid(path() + "/" + name + ": a receipt keeps to the drop box it came through");
    }
    context().side.remove(old_place);
    drop->moved(name);
    context().side.put(place_for(name), drop);
    return {};
  }
  if (scratch == nullptr) return invalid(path() + "/" + name + ": a receipt cannot take a temporary name");
  context().side.remove_if(old_place, scratch.get());
  scratch->renamed(place_for(name), path() + "/" + name);
  context().side.put(place_for(name), scratch);
  return {};
}

class DropBoxName : public SpecialName {
 public:
  bool matches(std::string_view name) const override { return name == ".append"; }
  Result<NodeRef> open(TreeContext& context, const DatasetPlace& place, std::string_view) const override {
    if (!place.head()) {
      return Status(Code::kReadOnly, place.path(context) + "/.append: a version never changes; append to " +
                                         context.path_of(place.dataset) + "/.append");
    }
    DropPlace drop{place.dataset, "", {}};
    drop.options.memory_bytes = context.store.options().import_memory_bytes;
    drop.options.field_bytes_max = context.store.options().field_bytes_max;
    return NodeRef(std::make_shared<DropBox>(context, std::move(drop)));
  }
  std::vector<DirectoryEntry> listed(const DatasetPlace& place) const override {
    if (!place.head()) return {};
    return {{".append", FileType::kDirectory, inode_of("d" + node_identity(place.dataset))}};
  }
};

}  // namespace

const SpecialName& drop_box_name() {
  static const DropBoxName name;
  return name;
}

}  // namespace stela::fsd
