#include <algorithm>
#include <charconv>

#include "fsd/cli/json_builder.h"
#include "fsd/cli/output.h"
#include "fsd/cli/tree_walk.h"
#include "fsd/cli/verbs/dataset_path.h"
#include "fsd/cli/verbs/verbs.h"

namespace stela::fsd {
namespace {

struct Tag {
  std::string name;
  std::string version;
};

// Tags are links in the tree, here as on the mount.
Result<std::vector<Tag>> list_tags_of(const VerbContext& context, const std::string& folder) {
  TreeWalk walk(context.tree, context.caller);
  STELA_ASSIGN(EntryReply directory, walk.resolve(folder));
  STELA_ASSIGN(std::vector<DirectoryEntry> entries, walk.list(directory.node));
  std::vector<Tag> tags;
  for (const DirectoryEntry& entry : entries) {
    STELA_ASSIGN(EntryReply link, walk.child(directory.node, entry.name));
    STELA_ASSIGN(std::string target, context.tree.read_link(link.node));
    std::vector<std::string> components = split_path(target);
    tags.push_back({entry.name, components.empty() ? "" : components.back()});
  }
  return tags;
}

VerbOutcome print_tags(const VerbContext& context, const std::string& folder) {
  Result<std::vector<Tag>> tags = list_tags_of(context, folder);
  if (!tags.ok()) return VerbOutcome::from(tags.status());
  Output output(context);
  JsonArray list;
  std::vector<std::vector<std::string>> rows;
  for (const Tag& tag : *tags) {
    list.add(
        JsonObject().text("name", tag.name).number("version", std::strtoull(tag.version.c_str(), nullptr, 10)).str());
    rows.push_back({printable(tag.name), tag.version});
  }
  output.text(context.request.has("json") ? list.str() + "\n" : format_table(rows, {false, true}));
  return VerbOutcome::from(output.flush());
}

Result<uint64_t> wanted_version(const VerbContext& context, const DatasetPath& found) {
  if (context.request.args.size() > 2) {
    const std::string& text = context.request.args[2];
    uint64_t number = 0;
    auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || *rest != '\0') return invalid("'" + text + "' is not a version's number");
    return number;
  }
  if (!found.snapshot) return not_found(found.dataset + " has no version to be tagged");
  return found.snapshot.version().number.value;
}

Status change_tag(const VerbContext& context, const DatasetPath& found, const std::string& folder) {
  const std::string& name = context.request.args[1];
  TreeWalk walk(context.tree, context.caller);
  STELA_ASSIGN(EntryReply directory, walk.resolve(folder));
  if (context.request.has("delete")) return context.tree.remove_file(directory.node, name, context.caller);
  STELA_ASSIGN(uint64_t version, wanted_version(context, found));
  std::string target = "../.versions/" + std::to_string(version);
  Result<EntryReply> made = context.tree.make_symlink(directory.node, name, target, context.caller);
  if (!made.ok() && made.status().code() == Code::kExists && context.request.has("force")) {
    STELA_TRY(context.tree.remove_file(directory.node, name, context.caller));
    made = context.tree.make_symlink(directory.node, name, target, context.caller);
  }
  if (!made.ok()) return made.status();
  context.tree.forget(made->node, 1);
  return {};
}

VerbOutcome run(const VerbContext& context) {
  Result<DatasetPath> found = find_dataset(context, context.request.args[0]);
  if (!found.ok()) return VerbOutcome::from(found.status());
  std::string folder = found->dataset + "/.tags";
  if (context.request.args.size() > 1) return VerbOutcome::from(change_tag(context, *found, folder));
  if (context.request.has("delete")) return {2, "tag --delete needs the tag's name"};
  return print_tags(context, folder);
}

}  // namespace

const VerbSpec& tag_verb() {
  static const VerbSpec spec = {
      .name = "tag",
      .usage = "STORE /DATASET [NAME [VERSION]]",
      .summary = "name a version, list or delete such names",
      .description = "Without NAME lists the tags of a dataset. With NAME tags VERSION, or the newest one.",
      .options = {{"delete", 'd', OptionSpec::Kind::kSwitch, "", "delete the tag NAME"},
                  {"force", 'f', OptionSpec::Kind::kSwitch, "", "move a tag that exists"},
                  {"json", 0, OptionSpec::Kind::kSwitch, "", "print JSON"}},
      .args_min = 1,
      .args_max = 3,
      .run = run};
  return spec;
}

}  // namespace stela::fsd
