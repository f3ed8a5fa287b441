#include "fsd/cli/json_builder.h"
#include "fsd/cli/output.h"
#include "fsd/cli/tree_walk.h"
#include "fsd/cli/verbs/verbs.h"

namespace stela::fsd {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

const char* type_name(FileType type) {
  return type == FileType::kDirectory ? "directory" : type == FileType::kSymlink ? "symlink" : "file";
}

std::string octal(uint32_t mode) {
  std::string text = "0";
  for (int shift = 6; shift >= 0; shift -= 3) text.push_back(static_cast<char>('0' + (mode >> shift & 7)));
  return text;
}

Result<Fields> describe(const VerbContext& context, const std::string& path) {
  TreeWalk walk(context.tree, context.caller);
  STELA_ASSIGN(EntryReply entry, walk.resolve(path, false));
  STELA_ASSIGN(Attributes attributes, walk.attributes(entry.node));
  Fields fields = {{"path", path},
                   {"type", type_name(attributes.type)},
                   {"size", std::to_string(attributes.size)},
                   {"stored", std::to_string(attributes.blocks * 512)},
                   {"inode", std::to_string(attributes.inode)},
                   {"mode", octal(attributes.mode)},
                   {"uid", std::to_string(attributes.uid)},
                   {"gid", std::to_string(attributes.gid)},
                   {"modified", format_time(attributes.mtime_ns)},
                   {"changed", format_time(attributes.ctime_ns)}};
  if (attributes.type == FileType::kSymlink) {
    STELA_ASSIGN(std::string target, context.tree.read_link(entry.node));
    fields.emplace_back("target", target);
  }
  Result<std::vector<std::string>> names = context.tree.list_xattrs(entry.node);
  if (!names.ok()) return fields;
  for (const std::string& name : *names) {
    Result<std::string> value = context.tree.get_xattr(entry.node, name, context.caller);
    if (value.ok()) fields.emplace_back(name, *value);
  }
  return fields;
}

VerbOutcome run(const VerbContext& context) {
  Output output(context);
  bool json = context.request.has("json");
  for (const std::string& path : context.request.args) {
    Result<Fields> fields = describe(context, path);
    if (!fields.ok()) return VerbOutcome::from(fields.status());
    JsonObject document;
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, value] : *fields) {
      rows.push_back({name + ":", printable(value)});
      bool number = name == "size" || name == "stored" || name == "inode" || name == "uid" || name == "gid";
      if (number) {
        document.json(name, value);
      } else {
        document.text(name, value);
      }
    }
    output.text(json ? document.str() + "\n" : format_table(rows, {}));
  }
  return VerbOutcome::from(output.flush());
}

}  // namespace

const VerbSpec& stat_verb() {
  static const VerbSpec spec = {
      .name = "stat",
      .usage = "STORE /PATH...",
      .summary = "show size, times, rows, version of files",
      .description = "Shows attributes and extended attributes of files and folders as the mount would give them.",
      .options = {{"json", 0, OptionSpec::Kind::kSwitch, "", "print JSON"}},
      .args_min = 1,
      .args_max = 4096,
      .run = run};
  return spec;
}

}  // namespace stela::fsd
