#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "fsd/daemon/configuration.h"
#include "fsd/daemon/setting_values.h"

namespace stela::fsd {
namespace {

std::string refusal(std::string_view text) {
  Configuration configuration;
  Status status = configuration.apply_file(text, "stela.conf");
  EXPECT_EQ(status.code(), Code::kInvalid) << text;
  return status.message();
}

TEST(SettingValues, sizes_are_read_and_shown_alike) {
  EXPECT_EQ(*parse_size("64MiB"), 64u << 20);
  EXPECT_EQ(*parse_size("64M"), 64u << 20);
  EXPECT_EQ(*parse_size("1000"), 1000u);
  EXPECT_EQ(*parse_size("0"), 0u);
  for (uint64_t bytes : {0ull, 1ull, 1000ull, 1ull << 10, 3ull << 20, 1ull << 40, (1ull << 40) + 1}) {
    EXPECT_EQ(*parse_size(format_size(bytes)), bytes);
  }
  for (const char* text : {"", "MiB", "-1", "1 MiB", "1.5M", "9999999999T", "99999999999999999999", "1MB"}) {
    EXPECT_FALSE(parse_size(text).ok()) << text;
  }
}

TEST(SettingValues, times_need_their_unit) {
  EXPECT_EQ(*parse_duration_ns("200ms"), 200'000'000);
  EXPECT_EQ(*parse_duration_ns("2min"), 120'000'000'000);
  for (int64_t ns : {1'000ll, 200'000'000ll, 1'000'000'000ll, 86'400'000'000'000ll}) {
    EXPECT_EQ(*parse_duration_ns(format_duration_ns(ns)), ns);
  }
  for (const char* text : {"", "5", "1y", "s", "300000000d"}) EXPECT_FALSE(parse_duration_ns(text).ok()) << text;
}

TEST(SettingValues, kernels_are_auto_or_two_numbers) {
  EXPECT_EQ(*parse_kernel("6.1"), (fuse::KernelVersion{6, 1}));
  EXPECT_EQ(*parse_kernel("auto"), fuse::KernelVersion{});
  for (const char* text : {"", "6", "6.", ".1", "6.1.2", "0.1", "six.one"})
    EXPECT_FALSE(parse_kernel(text).ok()) << text;
}

TEST(Configuration, every_key_accepts_its_own_default) {
  Configuration configuration;
  std::set<std::string> names;
  for (const SettingKey& key : setting_keys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    std::string shown = key.get(configuration.settings());
    Status status = key.set(configuration.settings(), shown);
    EXPECT_TRUE(status.ok()) << key.name << ": " << status.message();
    EXPECT_EQ(key.get(configuration.settings()), shown) << key.name;
  }
}

TEST(Configuration, the_file_sets_and_options_override) {
  Configuration configuration;
  ASSERT_TRUE(
      configuration
          .apply_file("# comment\n\n[store]\r\n  page = 64KiB  \n; more\n[mount]\npassthrough=off\nkernel = 6.1",
                      "stela.conf")
          .ok());
  EXPECT_EQ(configuration.settings().store.page_bytes, 64u << 10);
  EXPECT_FALSE(configuration.settings().tree.passthrough);
  ASSERT_TRUE(configuration.apply_options("ro,page=128KiB,special=listed,nosuid,defaults,x-systemd.automount").ok());
  EXPECT_EQ(configuration.settings().store.page_bytes, 128u << 10);
  EXPECT_TRUE(configuration.settings().tree.read_only);
  EXPECT_TRUE(configuration.settings().store.read_only);
  EXPECT_TRUE(configuration.settings().tree.list_special);
  EXPECT_EQ(configuration.kernel_options(), std::vector<std::string>{"nosuid"});
  ASSERT_TRUE(configuration.apply_options("rw").ok());
  EXPECT_FALSE(configuration.settings().tree.read_only);

  auto document = nlohmann::json::parse(configuration.json());
  EXPECT_EQ(document["page"]["value"], "128KiB");
  EXPECT_EQ(document["page"]["from"], "-o");
  EXPECT_EQ(document["page"]["default"], "256KiB");
  EXPECT_EQ(document["kernel"]["from"], "stela.conf:8");
  EXPECT_EQ(document["workers"]["from"], "default");
}

TEST(Configuration, refusals_name_file_and_line_and_what_is_expected) {
  EXPECT_EQ(refusal("\npgae = 1"), "stela.conf:2: unknown key 'pgae'; 'stela mount --help' lists the keys");
  EXPECT_EQ(refusal("page = 3"), "stela.conf:1: page: 3 is not between 4KiB and 8MiB; it takes size from 4KiB to 8MiB");
  EXPECT_EQ(refusal("page"), "stela.conf:1: 'page' is not 'key = value'");
  EXPECT_EQ(refusal("[stoer]\n"), "stela.conf:1: unknown section [stoer]");
  EXPECT_EQ(refusal("[mount]\npage = 64KiB"), "stela.conf:2: 'page' belongs in section [store]");
  EXPECT_NE(refusal("passthrough = maybe").find("'maybe' is neither on nor off"), std::string::npos);
  EXPECT_FALSE(Configuration().apply_options("remount").ok());
  EXPECT_FALSE(Configuration().apply_options("nosuch").ok());
  EXPECT_FALSE(Configuration().apply_options("workers=1").ok());
}

TEST(Configuration, a_store_without_a_file_has_the_defaults) {
  EXPECT_TRUE(Configuration::load("/nonexistent-folder").ok());
}

TEST(Configuration, documentation_names_every_key) {
  std::string markdown = settings_markdown(), help = settings_help();
  for (const SettingKey& key : setting_keys()) {
    EXPECT_NE(markdown.find(std::string("| `") + key.name + "`"), std::string::npos) << key.name;
    EXPECT_NE(help.find(std::string("  ") + key.name + "="), std::string::npos) << key.name;
  }
}

}  // namespace
}  // namespace stela::fsd
