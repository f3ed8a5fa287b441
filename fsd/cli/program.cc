#include "fsd/cli/program.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <new>

#include "fsd/cli/client_context.h"

namespace stela::fsd {
namespace {

int fail(int code, const std::string& message) {
  if (!message.empty()) std::fprintf(stderr, "stela: %s\n", message.c_str());
  return code;
}

int print(const std::string& text) {
  bool ok = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return ok ? 0 : fail(kExitFailure, "writing the output failed");
}

VerbOutcome run_client(const VerbSpec& spec, ParsedCommand command) {
  size_t words_min = spec.takes_store ? 1 : spec.args_min;
  if (command.words.size() < words_min) return usage_error(spec);
  std::string store;
  if (spec.takes_store) {
    Result<Location> location = resolve_location(command.words, spec.args_max > 0);
    if (!location.ok()) return VerbOutcome::from(location.status());
    store = location->store;
    command.words = location->rest;
  }
  if (command.words.size() < spec.args_min || command.words.size() > spec.args_max) return usage_error(spec);
  command.request.args = std::move(command.words);
  ClientContext context(spec, store, std::move(command.request));
  VerbOutcome outcome =
      spec.client != nullptr ? spec.client(context) : context.call(context.request(), STDOUT_FILENO, {}, true);
  return context.finish(std::move(outcome));
}

int run_words(const std::vector<std::string>& words) {
  if (words.empty()) return fail(kExitUsage, "a verb is missing; see 'stela --help'");
  const std::string& first = words.front();
  if (first == "--help" || first == "-h" || first == "help") {
    const VerbSpec* verb = words.size() > 1 ? find_verb(words[1]) : nullptr;
    return print(verb != nullptr ? verb_help(*verb) : program_help());
  }
  if (first == "--version" || first == "-V") return print(std::string("stela ") + program_version() + "\n");
  if (first == "--help-markdown") return print(cli_markdown());
  if (first == "--help-man") {
    const VerbSpec* verb = words.size() > 1 ? find_verb(words[1]) : nullptr;
    return print(verb != nullptr ? man_page(*verb) : man_page());
  }
  const VerbSpec* spec = find_verb(first);
  if (spec == nullptr) return fail(kExitUsage, "unknown verb '" + first + "'; see 'stela --help'");
  Result<ParsedCommand> command = parse_command(*spec, {words.begin() + 1, words.end()});
  if (!command.ok()) return fail(kExitUsage, command.status().message());
  if (command->help) return print(verb_help(*spec));
  VerbOutcome outcome = run_client(*spec, std::move(command).value());
  return fail(outcome.exit_code, outcome.message);
}

}  // namespace

int run_program(const std::vector<std::string>& words) {
  // A reader that closed its pipe is an error of the write, told like others.
  signal(SIGPIPE, SIG_IGN);
  try {
    return run_words(words);
  } catch (const std::bad_alloc&) {
    return fail(kExitFailure, "out of memory");
  } catch (const std::exception& exception) {
    return fail(kExitFailure, std::string("the program failed: ") + exception.what());
  }
}

}  // namespace stela::fsd
