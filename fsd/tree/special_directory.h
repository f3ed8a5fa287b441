// SpecialDirectory: what the dot directories of a dataset have in common. Symlink: a link of the tree's own.
#pragma once

#include <functional>
#include <string>

#include "fsd/tree/node.h"

namespace stela::fsd {

class SpecialDirectory : public Node, public Directory {
 public:
  // `writable`: has the dataset's write bits, since names can be made in it.
  SpecialDirectory(TreeContext& context, std::string key, NodeId dataset, std::string name, bool writable)
      : Node(context, std::move(key)), dataset_(dataset), name_(std::move(name)), writable_(writable) {}
  FileType type() const override { return FileType::kDirectory; }
  std::string path() const override;
  NodeId owner() const override { return dataset_; }
  Result<Shown> attributes(bool may_compute) override;
  Directory* directory() override { return this; }

 protected:
  Status refusal(std::string_view name) const override;
  NodeId dataset() const { return dataset_; }

 private:
  const NodeId dataset_;
  const std::string name_;  // ".versions"
  const bool writable_;
};

// Its target is asked for at each reading.
class Symlink : public Node {
 public:
  using Target = std::function<Result<std::string>()>;
  Symlink(TreeContext& context, std::string key, NodeId dataset, std::string path, Target target)
      : Node(context, std::move(key)), dataset_(dataset), path_(std::move(path)), target_(std::move(target)) {}
  FileType type() const override { return FileType::kSymlink; }
  std::string path() const override { return path_; }
  NodeId owner() const override { return dataset_; }
  Result<Shown> attributes(bool may_compute) override;
  Result<std::string> read_link() override { return target_(); }

 private:
  const NodeId dataset_;
  const std::string path_;
  const Target target_;
};

// A decimal version number without sign or leading zeros.
std::optional<VersionNumber> parse_version_number(std::string_view text);

}  // namespace stela::fsd
