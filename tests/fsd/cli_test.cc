// The program's words, help and texts; what needs a store is in tests/mount.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "fsd/cli/client_context.h"
#include "fsd/cli/output.h"
#include "fsd/cli/program.h"
#include "fsd/cli/progress_line.h"
#include "fsd/cli/tree_walk.h"

namespace stela::fsd {
namespace {

Result<ParsedCommand> parse(const char* verb, const std::vector<std::string>& words) {
  return parse_command(*find_verb(verb), words);
}

TEST(CommandLine, options_and_words_are_told_apart) {
  Result<ParsedCommand> command =
      parse("import", {"store", "--null", "NA", "/trips", "--null=-", "a.csv", "--json", "--", "--b.csv"});
  ASSERT_TRUE(command.ok()) << command.status().message();
  EXPECT_EQ(command->words, (std::vector<std::string>{"store", "/trips", "a.csv", "--b.csv"}));
  EXPECT_EQ(command->request.values("null"), (std::vector<std::string>{"NA", "-"}));
  EXPECT_TRUE(command->request.has("json"));
  EXPECT_FALSE(command->request.has("no-header"));
  EXPECT_EQ(parse("mount", {"-o", "ro,page=64KiB", "s", "m", "-f"})->request.value("options"), "ro,page=64KiB");
}

TEST(CommandLine, wrong_usage_is_told_with_the_verb) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"--frob"}, {"--null"}, {"-q"}, {"--nul", "NA"}, {"--message", "a", "--message", "b"}}) {
    Result<ParsedCommand> command = parse("import", words);
    ASSERT_FALSE(command.ok()) << words[0];
    EXPECT_EQ(command.status().message().rfind("import: ", 0), 0u) << command.status().message();
  }
}

TEST(CommandLine, every_verb_has_help_that_names_its_options) {
  for (const VerbSpec* verb : all_verbs()) {
    std::string help = verb_help(*verb);
    EXPECT_NE(help.find(std::string("usage: stela ") + verb->name), std::string::npos);
    for (const OptionSpec& option : verb->options)
      EXPECT_NE(help.find(std::string("--") + option.name), std::string::npos);
    EXPECT_NE(program_help().find(verb->summary), std::string::npos);
    EXPECT_TRUE(verb->run != nullptr || verb->client != nullptr) << verb->name;
  }
  EXPECT_EQ(find_verb("frob"), nullptr);
}

std::string documentation(const std::string& path) {
  std::ifstream file(std::string(STELA_SOURCE_DIR) + "/docs/" + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(CommandLine, the_documentation_is_what_the_program_prints) {
  EXPECT_EQ(documentation("cli.md"), cli_markdown()) << "make it anew: stela --help-markdown > docs/cli.md";
  EXPECT_EQ(documentation("man/stela.1"), man_page()) << "make it anew: stela --help-man > docs/man/stela.1";
  for (const VerbSpec* verb : all_verbs()) {
    EXPECT_EQ(documentation(std::string("man/stela-") + verb->name + ".1"), man_page(*verb))
        << "make it anew: stela --help-man " << verb->name << " > docs/man/stela-" << verb->name << ".1";
  }
}

TEST(CommandLine, locations_are_a_store_and_paths) {
  Result<Location> location = resolve_location({"/srv/store", "trips/fare.npy", "out.npy"}, true);
  ASSERT_TRUE(location.ok());
  EXPECT_EQ(location->store, "/srv/store");
  EXPECT_EQ(location->rest, (std::vector<std::string>{"/trips/fare.npy", "out.npy"}));
}

TEST(CliOutput, tables_are_aligned_by_characters) {
  EXPECT_EQ(format_table({{"a", "1"}, {"caf\xc3\xa9", "100"}}, {false, true}), "a       1\ncaf\xc3\xa9  100\n");
  EXPECT_EQ(format_table({}, {}), "");
}

TEST(CliOutput, times_sizes_and_names_are_readable) {
  EXPECT_EQ(format_time(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_time(1'500'000'000), "1970-01-01T00:00:01.5Z");
  EXPECT_EQ(format_time(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(printable("a\x1b[31m\n"), "a?[31m?");
}

TEST(CliOutput, a_closed_pipe_is_an_error_without_words) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  ProgressFunction progress;
  signal(SIGPIPE, SIG_IGN);
  Output output(ends[1], progress);
  Status status = output.text("x").flush();
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.message(), "");
  close(ends[1]);
}

TEST(ProgressLine, shows_share_rate_and_time_left) {
  VerbProgress progress{.what = "importing a.csv", .done = 50 << 20, .total = 200 << 20};
  EXPECT_EQ(format_progress(progress, 1'000'000'000), "importing a.csv  25%  50.0 MiB/s  0:03 left");
  progress.total = 0;
  EXPECT_EQ(format_progress(progress, 1'000'000'000), "importing a.csv  50.0 MiB  50.0 MiB/s");
  EXPECT_EQ(format_progress({.what = "x", .done = 5, .total = 3}, 0), "x  100%");
}

TEST(TreeWalk, paths_are_split_without_empty_parts) {
  EXPECT_EQ(split_path("//a/./b/../c/"), (std::vector<std::string>{"a", "b", "..", "c"}));
  EXPECT_TRUE(split_path("/").empty());
}

}  // namespace
}  // namespace stela::fsd
