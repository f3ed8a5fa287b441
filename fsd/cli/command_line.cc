#include <boost/program_options.hpp>

#include "fsd/cli/program.h"

namespace stela::fsd {
namespace {

namespace options = boost::program_options;
using Values = std::vector<std::string>;

options::options_description describe(const VerbSpec& spec) {
  options::options_description description;
  auto add = description.add_options();
  for (const OptionSpec& option : spec.options) {
    std::string names = option.name;
    if (option.letter != 0) names += std::string(",") + option.letter;
    if (option.kind == OptionSpec::Kind::kSwitch) {
      add(names.c_str(), option.meaning);
    } else {
      add(names.c_str(), options::value<Values>()->value_name(option.value_name), option.meaning);
    }
  }
  add("help,h", "show this help");
  return description;
}

}  // namespace

Result<ParsedCommand> parse_command(const VerbSpec& spec, const std::vector<std::string>& words) {
  options::options_description named = describe(spec);
  options::options_description all;
  all.add(named);
  all.add_options()("words", options::value<Values>());
  options::positional_options_description positional;
  positional.add("words", -1);
  options::variables_map found;
  try {
    namespace style = options::command_line_style;
    options::store(options::command_line_parser(words)
                       .options(all)
                       .positional(positional)
                       .style(style::unix_style & ~style::allow_guessing)
                       .run(),
                   found);
  } catch (const options::error& error) {
    return invalid(std::string(spec.name) + ": " + error.what() + "; see 'stela " + spec.name + " --help'");
  }
  ParsedCommand command;
  command.request.verb = spec.name;
  command.help = found.count("help") > 0;
  if (found.count("words") > 0) command.words = found["words"].as<Values>();
  for (const OptionSpec& option : spec.options) {
    if (found.count(option.name) == 0) continue;
    bool is_switch = option.kind == OptionSpec::Kind::kSwitch;
    Values values = is_switch ? Values() : found[option.name].as<Values>();
    if (option.kind == OptionSpec::Kind::kValue && values.size() > 1) {
      return invalid(std::string(spec.name) + ": --" + option.name + " is given twice");
    }
    command.request.options[option.name] = std::move(values);
  }
  return command;
}

}  // namespace stela::fsd
