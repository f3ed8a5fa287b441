// The table of verbs. Adding a verb = one file under verbs/ that defines its VerbSpec and one line in
// verb_registry.cc; its --help, its page in docs/cli.md and its parsing all come from the spec.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fsd/daemon/verb.h"

namespace stela::fsd {

class ClientContext;

struct OptionSpec {
  enum class Kind : uint8_t { kSwitch, kValue, kValues };  // kValues may be given more than once
  const char* name;
  char letter = 0;
  Kind kind = Kind::kSwitch;
  const char* value_name = "";
  const char* meaning = "";
};

struct VerbSpec {
  const char* name;
  const char* usage;    // what follows the verb: "STORE /DATASET FILE..."
  const char* summary;  // one line
  const char* description;
  std::vector<OptionSpec> options;
  // Words after STORE. A path in a mount counts as STORE and the first of them.
  size_t args_min = 0;
  size_t args_max = 0;
  bool creates_store = false;
  // In the process that holds the store. Null for verbs that are not about an open store.
  VerbOutcome (*run)(const VerbContext& context) = nullptr;
  // In the caller's process; null: hand the request on as it is, output to stdout.
  VerbOutcome (*client)(ClientContext& context) = nullptr;
  bool takes_store = true;  // false: the words are the verb's own (mount, umount)
};

std::span<const VerbSpec* const> all_verbs();
const VerbSpec* find_verb(std::string_view name);
// Finds the verb and runs it; an unknown one is a usage error. For the daemon and for LocalChannel.
VerbOutcome run_verb(const VerbContext& context);

// What a wrong number of words is answered with; exit code 2.
VerbOutcome usage_error(const VerbSpec& spec);
// "stela VERB --help".
std::string verb_help(const VerbSpec& spec);
std::string program_help();
// docs/cli.md.
std::string cli_markdown();
// docs/man/stela-VERB.1 and docs/man/stela.1.
std::string man_page(const VerbSpec& spec);
std::string man_page();
const char* program_version();

}  // namespace stela::fsd
