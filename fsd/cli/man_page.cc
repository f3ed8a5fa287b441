// man pages from the verbs' specs: stela(1) and stela-VERB(1).
#include "fsd/cli/verb_spec.h"
#include "fsd/daemon/settings.h"

namespace stela::fsd {
namespace {

// Text as roff shows it unchanged.
std::string escape(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string head(const std::string& name, std::string_view summary) {
  std::string upper = name;
  for (char& c : upper) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return ".TH " + upper + " 1 \"\" \"stela " + program_version() + "\"\n.SH NAME\n" + escape(name) + " \\- " +
         escape(summary) + "\n.SH SYNOPSIS\n";
}

std::string option_lines(const OptionSpec& option) {
  std::string text = ".TP\n";
  if (option.letter != 0) text += std::string("\\fB\\-") + option.letter + "\\fR, ";
  text += "\\fB\\-\\-" + escape(option.name) + "\\fR";
  if (option.kind != OptionSpec::Kind::kSwitch) text += " \\fI" + escape(option.value_name) + "\\fR";
  return text + "\n" + escape(option.meaning) + "\n";
}

std::string settings_lines() {
  const Settings defaults;
  std::string text = ".SH SETTINGS\nIn STORE/stela.conf as \\fIkey\\fR = \\fIvalue\\fR, or with \\fB\\-o\\fR.\n";
  for (const SettingKey& key : setting_keys()) {
    text += ".TP\n\\fB" + escape(key.name) + "\\fR=" + escape(key.get(defaults)) + "\n" + escape(key.meaning) + " (" +
            escape(key.form) + ").\n";
  }
  return text;
}

constexpr const char* kExitStatus =
    ".SH EXIT STATUS\n0 done; 1 failed, or damage was found; 2 wrong usage. Errors are one sentence on stderr.\n";

}  // namespace

std::string man_page(const VerbSpec& spec) {
  std::string text = head(std::string("stela-") + spec.name, spec.summary);
  text += std::string("\\fBstela ") + spec.name + "\\fR [\\fIOPTION\\fR]... " + escape(spec.usage) +
          "\n.SH DESCRIPTION\n" + escape(spec.description) + "\n.SH OPTIONS\n";
  for (const OptionSpec& option : spec.options) text += option_lines(option);
  text += ".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nshow a summary\n";
  if (std::string_view(spec.name) == "mount") text += settings_lines();
  return text + kExitStatus + ".SH SEE ALSO\n\\fBstela\\fR(1)\n";
}

std::string man_page() {
  std::string text = head("stela", "a mounted, versioned filesystem of datasets");
  text +=
      "\\fBstela\\fR \\fIVERB\\fR [\\fIOPTION\\fR]... \\fISTORE\\fR [\\fI/PATH\\fR]...\n.SH DESCRIPTION\n"
      "Each dataset of a store is a folder, each column a file, each past version a read\\-only folder. A path on a\n"
      "mount may stand for STORE and /PATH together.\n.SH VERBS\n";
  for (const VerbSpec* verb : all_verbs()) {
    text += std::string(".TP\n\\fBstela\\-") + verb->name + "\\fR(1)\n" + escape(verb->summary) + "\n";
  }
  return text + kExitStatus;
}

}  // namespace stela::fsd
