#include <algorithm>

#include "fsd/cli/verb_spec.h"
#include "fsd/cli/verbs/verbs.h"

namespace stela::fsd {
namespace {

const VerbSpec* const kVerbs[] = {
    &mount_verb(), &umount_verb(),  &status_verb(),  &import_verb(), &export_verb(), &ls_verb(),
    &cat_verb(),   &stat_verb(),    &schema_verb(),  &log_verb(),    &tag_verb(),    &restore_verb(),
    &check_verb(), &inspect_verb(), &compact_verb(), &profile_verb(), &bench_verb(),
};

}  // namespace

std::span<const VerbSpec* const> all_verbs() { return kVerbs; }

const VerbSpec* find_verb(std::string_view name) {
  auto found =
      std::find_if(std::begin(kVerbs), std::end(kVerbs), [&](const VerbSpec* verb) { return name == verb->name; });
  return found == std::end(kVerbs) ? nullptr : *found;
}

VerbOutcome run_verb(const VerbContext& context) {
  const VerbSpec* verb = find_verb(context.request.verb);
  if (verb == nullptr || verb->run == nullptr) return {2, "unknown verb '" + context.request.verb + "'"};
  size_t count = context.request.args.size();
  if (count < verb->args_min || count > verb->args_max) return usage_error(*verb);
  return verb->run(context);
}

VerbOutcome usage_error(const VerbSpec& spec) {
  std::string words = std::string_view(spec.usage).empty() ? "no words" : spec.usage;
  return {2, std::string(spec.name) + " takes " + words + "; see 'stela " + spec.name + " --help'"};
}

const char* program_version() { return STELA_VERSION; }

}  // namespace stela::fsd
