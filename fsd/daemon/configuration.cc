#include "fsd/daemon/configuration.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace stela::fsd {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool is_section(std::string_view name) {
  return std::any_of(setting_keys().begin(), setting_keys().end(),
                     [&](const SettingKey& key) { return name == key.section; });
}

// Words of mount(8) that the kernel understands; handed on.
bool is_kernel_option(std::string_view word) {
  static constexpr std::string_view kWords[] = {"suid",   "nosuid", "dev",     "nodev",      "exec",
                                                "noexec", "atime",  "noatime", "nodiratime", "relatime",
                                                "sync",   "async",  "dirsync"};
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

// Words that only fstab's readers understand; nothing to do.
bool is_fstab_option(std::string_view word) {
  static constexpr std::string_view kWords[] = {"defaults", "auto",  "noauto", "user",   "users",
                                                "nouser",   "owner", "group",  "nofail", "_netdev"};
  return word.starts_with("x-") || word.starts_with("user=") || word.starts_with("comment=") ||
         std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

std::vector<std::string> split_options(std::string_view text) {
  std::vector<std::string> words(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == ',') {
      words.back().push_back(text[++i]);
    } else if (text[i] == ',') {
      words.emplace_back();
    } else {
      words.back().push_back(text[i]);
    }
  }
  std::erase(words, std::string());
  return words;
}

}  // namespace

Result<Configuration> Configuration::load(const std::string& store_directory) {
  Configuration configuration;
  std::string path = store_directory + "/stela.conf";
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (errno != ENOENT && errno != ENOTDIR) return status_from_errno(errno, "reading " + path);
    return configuration;
  }
  std::string text(kFileBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (file.bad()) return status_from_errno(EIO, "reading " + path);
  if (text.size() > kFileBytesMax) return Status(Code::kLimit, path + " is larger than 1 MiB");
  STELA_TRY(configuration.apply_file(text, "stela.conf"));
  return configuration;
}

Status Configuration::apply_file(std::string_view text, const std::string& file_name) {
  std::string section;
  size_t number = 0;
  while (!text.empty()) {
    ++number;
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    std::string place = file_name + ":" + std::to_string(number);
    if (line.front() == '[') {
      section = line.back() == ']' ? std::string(trim(line.substr(1, line.size() - 2))) : "";
      if (!is_section(section)) return invalid(place + ": unknown section " + std::string(line));
      continue;
    }
    size_t equals = line.find('=');
    if (equals == std::string_view::npos) return invalid(place + ": '" + std::string(line) + "' is not 'key = value'");
    std::string name(trim(line.substr(0, equals)));
    const SettingKey* key = find_setting(name);
    if (key != nullptr && !section.empty() && section != key->section) {
      return invalid(place + ": '" + name + "' belongs in section [" + key->section + "]");
    }
    Status status = apply(name, trim(line.substr(equals + 1)), place);
    if (!status.ok()) return status.with_context(place);
  }
  return {};
}

Status Configuration::apply_options(std::string_view text) {
  for (const std::string& word : split_options(text)) {
    size_t equals = word.find('=');
    std::string name = word.substr(0, equals);
    std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    if (equals == std::string::npos && is_kernel_option(name)) {
      kernel_options_.push_back(name);
      continue;
    }
    if (is_fstab_option(name)) continue;
    if (name == "rw" && equals == std::string::npos) {
      name = "ro";
      value = "off";
    }
    if (name == "remount")
      return invalid("-o remount: a mounted store is not remounted; unmount it and mount it again");
    Status status = apply(name, value, "-o");
    if (!status.ok()) return status.with_context("-o " + word);
  }
  return {};
}

Status Configuration::apply(std::string_view name, std::string_view value, const std::string& from) {
  const SettingKey* key = find_setting(name);
  if (key == nullptr) {
    return invalid("unknown key '" + std::string(name) + "'; 'stela mount --help' lists the keys");
  }
  Status status = key->set(settings_, value);
  if (!status.ok()) {
    return invalid(std::string(name) + ": " + status.message() + "; it takes " + key->form);
  }
  from_[key->name] = from;
  return {};
}

std::string Configuration::json() const {
  nlohmann::ordered_json document;
  const Settings defaults;
  for (const SettingKey& key : setting_keys()) {
    auto found = from_.find(key.name);
    document[key.name] = {{"value", key.get(settings_)},
                          {"default", key.get(defaults)},
                          {"from", found == from_.end() ? "default" : found->second},
                          {"form", key.form},
                          {"meaning", key.meaning}};
  }
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string settings_markdown() {
  const Settings defaults;
  std::string text;
  std::string_view section;
  for (const SettingKey& key : setting_keys()) {
    if (section != key.section) {
      section = key.section;
      text += (text.empty() ? "### [" : "\n### [") + std::string(section) +
              "]\n\n| key | default | takes | meaning |\n|---|---|---|---|\n";
    }
    text +=
        "| `" + std::string(key.name) + "` | " + key.get(defaults) + " | " + key.form + " | " + key.meaning + " |\n";
  }
  return text;
}

std::string settings_help() {
  const Settings defaults;
  std::string text;
  for (const SettingKey& key : setting_keys()) {
    std::string head = "  " + std::string(key.name) + "=" + key.get(defaults);
    if (head.size() < 30) head.resize(30, ' ');
    text += head + " " + key.meaning + " (" + key.form + ")\n";
  }
  return text;
}

}  // namespace stela::fsd
