// .stela: control and telemetry of the mount, as files made anew at each open. Adding one = one function and
// one line in control_files.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "fsd/tree/node.h"

namespace stela::fsd {

inline constexpr const char* kControlName = ".stela";

struct ControlFile {
  std::string_view name;
  std::string (*text)(TreeContext& context);
};
std::span<const ControlFile> control_files();

class ControlDirectory : public Node, public Directory {
 public:
  explicit ControlDirectory(TreeContext& context) : Node(context, kControlName) {}
  FileType type() const override { return FileType::kDirectory; }
  std::string path() const override { return "/.stela"; }
  Result<Shown> attributes(bool may_compute) override;
  Directory* directory() override { return this; }
  Result<NodeRef> lookup(std::string_view name, const Caller& caller) override;
  Result<std::vector<DirectoryEntry>> list() override;

 protected:
  Status refusal(std::string_view name) const override;
};

}  // namespace stela::fsd
