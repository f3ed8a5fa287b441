// Directories of the store: plain folders, datasets, and empty directories that may become either.
#pragma once

#include <string>

#include "fsd/tree/dataset_place.h"
#include "fsd/tree/node.h"

namespace stela::fsd {

// What a folder (the root too) can do.
class FolderDirectory : public Directory {
 public:
  FolderDirectory(TreeContext& context, NodeId id) : context_(context), id_(id) {}
  Result<NodeRef> lookup(std::string_view name, const Caller& caller) override;
  Result<std::vector<DirectoryEntry>> list() override;
  Result<NodeRef> make_directory(std::string_view name, uint32_t mode, const Caller& caller) override;
  Status remove_file(std::string_view name, const Caller& caller) override;
  Status remove_directory(std::string_view name, const Caller& caller) override;
  Result<Created> create_file(std::string_view name, uint32_t mode, uint32_t flags, const Caller& caller) override;
  Result<Movable> movable(std::string_view name, const Caller& caller) override;
  Status move_in(const Movable& what, std::string_view new_name, bool keep_existing, const Caller& caller) override;

 protected:
  Status refusal(std::string_view name) const override;

 private:
  std::string child_path(std::string_view name) const;
  void bury(const Result<NodeInfo>& removed);
  TreeContext& context_;
  const NodeId id_;
};

// What a dataset's head, or an empty directory, can do.
class DatasetDirectory : public Directory {
 public:
  DatasetDirectory(TreeContext& context, NodeId id) : context_(context), place_{id, {}}, folder_(context, id) {}
  Result<NodeRef> lookup(std::string_view name, const Caller& caller) override;
  Result<std::vector<DirectoryEntry>> list() override;
  Result<NodeRef> make_directory(std::string_view name, uint32_t mode, const Caller& caller) override;
  Status remove_file(std::string_view name, const Caller& caller) override;
  Status remove_directory(std::string_view name, const Caller& caller) override;
  Result<Created> create_file(std::string_view name, uint32_t mode, uint32_t flags, const Caller& caller) override;
  Result<Movable> movable(std::string_view name, const Caller& caller) override;
  Status move_in(const Movable& what, std::string_view new_name, bool keep_existing, const Caller& caller) override;

 protected:
  Status refusal(std::string_view name) const override;

 private:
  std::string place_for(std::string_view name) const;
  std::string child_path(std::string_view name) const;
  Result<NodeRef> lookup_column(std::string_view name);  // null: there is none
  // The column whose listed file has that name, with the refusals of rm and mv.
  Result<FoundView> listed_column(std::string_view name, const char* act);
  Result<NodeRef> lookup_other_type(std::string_view name, const Status& failure, const Caller& caller);
  Result<bool> hides_validity(const NodeRef& column, std::string_view name, const Caller& caller);
  Status check_column_name(std::string_view name) const;
  Status move_column_in(const Movable& what, const std::string& new_name, bool keep_existing, const Caller& caller);
  Status move_side_file_in(const Movable& what, const std::string& new_name, const Caller& caller);
  Result<std::string> column_of(std::string_view file_name) const;

  TreeContext& context_;
  const DatasetPlace place_;
  FolderDirectory folder_;
};

class StoreDirectory : public Node {
 public:
  StoreDirectory(TreeContext& context, NodeId id);
  FileType type() const override { return FileType::kDirectory; }
  std::string path() const override;
  NodeId owner() const override { return id_; }
  Lifetime lifetime() const override { return Lifetime::kHead; }
  Result<Shown> attributes(bool may_compute) override;
  Status set_attributes(const SetAttributes& set, const Caller& caller) override;
  Result<std::string> xattr(std::string_view field) override;
  std::vector<std::string> xattr_fields() override;
  Directory* directory() override;

 private:
  const NodeId id_;
  FolderDirectory folder_;
  DatasetDirectory dataset_;
};

}  // namespace stela::fsd
