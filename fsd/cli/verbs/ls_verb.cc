#include <algorithm>

#include "fsd/cli/json_builder.h"
#include "fsd/cli/output.h"
#include "fsd/cli/tree_walk.h"
#include "fsd/cli/verbs/verbs.h"

namespace stela::fsd {
namespace {

struct Listed {
  std::string name;
  Attributes attributes;
};

const char* type_name(FileType type) {
  switch (type) {
    case FileType::kRegular: return "file";
    case FileType::kDirectory: return "directory";
    case FileType::kSymlink: return "symlink";
  }
  return "file";
}

std::string mode_text(const Attributes& attributes) {
  std::string text = attributes.type == FileType::kDirectory ? "d" : attributes.type == FileType::kSymlink ? "l" : "-";
  constexpr const char* kBits = "rwxrwxrwx";
  for (int i = 0; i < 9; ++i) text.push_back((attributes.mode >> (8 - i) & 1) != 0 ? kBits[i] : '-');
  return text;
}

Result<std::vector<Listed>> list_path(const VerbContext& context, const std::string& path, bool with_attributes) {
  TreeWalk walk(context.tree, context.caller);
  STELA_ASSIGN(EntryReply entry, walk.resolve(path));
  std::vector<Listed> listed;
  if (entry.attributes.type != FileType::kDirectory) {
    STELA_ASSIGN(Attributes attributes, walk.attributes(entry.node));
    listed.push_back({path, attributes});
    return listed;
  }
  STELA_ASSIGN(std::vector<DirectoryEntry> entries, walk.list(entry.node));
  for (DirectoryEntry& found : entries) {
    Attributes attributes{.inode = found.inode, .type = found.type};
    if (with_attributes) {
      STELA_ASSIGN(EntryReply child, walk.child(entry.node, found.name));
      STELA_ASSIGN(attributes, walk.attributes(child.node));
    }
    listed.push_back({std::move(found.name), attributes});
  }
  return listed;
}

std::string as_json(const std::vector<Listed>& listed) {
  JsonArray list;
  for (const Listed& item : listed) {
    list.add(JsonObject()
                 .text("name", item.name)
                 .text("type", type_name(item.attributes.type))
                 .number("size", item.attributes.size)
                 .text("mode", mode_text(item.attributes))
                 .text("modified", format_time(item.attributes.mtime_ns))
                 .str());
  }
  return list.str() + "\n";
}

std::string as_long_text(const std::vector<Listed>& listed) {
  std::vector<std::vector<std::string>> rows;
  for (const Listed& item : listed) {
    rows.push_back({mode_text(item.attributes), std::to_string(item.attributes.size),
                    format_time(item.attributes.mtime_ns), printable(item.name)});
  }
  return format_table(rows, {false, true, false, false});
}

VerbOutcome run(const VerbContext& context) {
  Output output(context);
  std::vector<std::string> paths = context.request.args;
  if (paths.empty()) paths.emplace_back("/");
  bool json = context.request.has("json"), is_long = context.request.has("long");
  for (const std::string& path : paths) {
    Result<std::vector<Listed>> listed = list_path(context, path, json || is_long);
    if (!listed.ok()) return VerbOutcome::from(listed.status());
    if (json) {
      output.text(as_json(*listed));
      continue;
    }
    if (paths.size() > 1) output.line(printable(path) + ":");
    if (is_long) {
      output.text(as_long_text(*listed));
    } else {
      for (const Listed& item : *listed) output.line(printable(item.name));
    }
  }
  return VerbOutcome::from(output.flush());
}

}  // namespace

const VerbSpec& ls_verb() {
  static const VerbSpec spec = {
      .name = "ls",
      .usage = "STORE [/PATH]...",
      .summary = "list folders, datasets, columns",
      .description =
          "Lists what the mount would list, without a mount. Special folders are reached by name\n"
          "(/trips/.versions).",
      .options = {{"long", 'l', OptionSpec::Kind::kSwitch, "", "mode, size and time as well"},
                  {"json", 0, OptionSpec::Kind::kSwitch, "", "print JSON"}},
      .args_max = 4096,
      .run = run};
  return spec;
}

}  // namespace stela::fsd
