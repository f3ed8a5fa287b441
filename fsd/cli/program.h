// The program: words to verb, exit code.
#pragma once

#include <string>
#include <vector>

#include "engine/base/status.h"
#include "fsd/cli/verb_spec.h"

namespace stela::fsd {

inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

struct ParsedCommand {
  std::vector<std::string> words;  // that are no options, in order
  VerbRequest request;             // verb and options
  bool help = false;
};
// `words`: what follows the verb. kInvalid is a usage error.
Result<ParsedCommand> parse_command(const VerbSpec& spec, const std::vector<std::string>& words);

int run_program(const std::vector<std::string>& words);

}  // namespace stela::fsd
