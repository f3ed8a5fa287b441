// --help and docs/cli.md, from the verbs' specs and the table of settings.
#include "fsd/cli/verb_spec.h"
#include "fsd/daemon/configuration.h"

namespace stela::fsd {
namespace {

std::string option_words(const OptionSpec& option) {
  std::string words = option.letter != 0 ? std::string("-") + option.letter + ", --" + option.name
                                         : std::string("    --") + option.name;
  if (option.kind != OptionSpec::Kind::kSwitch) words += std::string(" ") + option.value_name;
  return words;
}

std::string pad(std::string text, size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

}  // namespace

std::string verb_help(const VerbSpec& spec) {
  std::string text =
      std::string("usage: stela ") + spec.name + " [OPTION]... " + spec.usage + "\n\n" + spec.description;
  text += "\n\noptions:\n";
  for (const OptionSpec& option : spec.options)
    text += "  " + pad(option_words(option), 26) + " " + option.meaning + "\n";
  text += "  " + pad("-h, --help", 26) + " show this help\n";
  if (std::string_view(spec.name) == "mount") {
    text += "\nkeys of -o and of STORE/stela.conf, with their defaults:\n" + settings_help();
  }
  return text;
}

std::string program_help() {
  std::string text =
      "usage: stela VERB [OPTION]... STORE [/PATH]...\n\n"
      "A filesystem of datasets: columns are files, versions are folders. A path on a mount may stand for\n"
      "STORE and /PATH together.\n\nverbs:\n";
  for (const VerbSpec* verb : all_verbs()) text += "  " + pad(verb->name, 10) + verb->summary + "\n";
  return text +
         "\n'stela VERB --help' tells more of a verb; 'stela --version' the version.\n"
         "Exit codes: 0 done, 1 failed (or damage found), 2 wrong usage.\n";
}

std::string cli_markdown() {
  std::string text = "# The command line\n\n```\n" + program_help() + "```\n";
  for (const VerbSpec* verb : all_verbs()) {
    text += std::string("\n## stela ") + verb->name + "\n\n`stela " + verb->name + " [OPTION]... " + verb->usage +
            "`\n\n" + verb->description + "\n";
    if (!verb->options.empty()) text += "\n| option | meaning |\n|---|---|\n";
    for (const OptionSpec& option : verb->options) {
      std::string words = option_words(option);
      text += "| `" + words.substr(words.find('-')) + "` | " + option.meaning + " |\n";
    }
  }
  return text +
         "\n## Settings\n\nSTORE/stela.conf holds `key = value` lines, in sections or without; `stela mount -o "
         "key=value` overrides it.\nUnknown keys and impossible values are refused with the line. "
         "`.stela/config.json` shows what is in force and where it came from.\n\n" +
         settings_markdown();
}

}  // namespace stela::fsd
