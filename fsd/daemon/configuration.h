// The settings in force and where each came from: defaults, then STORE/stela.conf, then -o.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "fsd/daemon/settings.h"

namespace stela::fsd {

// Not thread-safe.
class Configuration {
 public:
  // Reads STORE/stela.conf; a missing file is no error. kInvalid begins with "stela.conf:LINE:".
  static Result<Configuration> load(const std::string& store_directory);

  // `text` as in the file: "key = value" lines, "[section]" lines, comments after '#' or ';' at a line's start.
  Status apply_file(std::string_view text, const std::string& file_name);
  // "key=value,key,key=value" of one -o; a comma in a value is written "\,". Words that belong to mount(8)
  // or fstab are taken too: those for the kernel are kept in kernel_options().
  Status apply_options(std::string_view text);

  const Settings& settings() const { return settings_; }
  Settings& settings() { return settings_; }
  const std::vector<std::string>& kernel_options() const { return kernel_options_; }
  // For .stela/config.json: {key: {value, default, from, form, meaning}}.
  std::string json() const;

 private:
  Status apply(std::string_view name, std::string_view value, const std::string& from);
  Settings settings_;
  std::map<std::string, std::string> from_;
  std::vector<std::string> kernel_options_;
};

// The table as Markdown, for the documentation.
std::string settings_markdown();
// The table as plain text, for --help.
std::string settings_help();

}  // namespace stela::fsd
