#include "engine/io/file_name.h"

namespace stela {

namespace {

constexpr size_t kComponentBytesMax = 200;
constexpr size_t kNameBytesMax = 1000;

bool allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool valid_component(std::string_view part) {
  if (part.empty() || part.size() > kComponentBytesMax || part.front() == '.') return false;
  for (char c : part) {
    if (!allowed(c)) return false;
  }
  return true;
}

bool valid_path(std::string_view path) {
  if (path.size() > kNameBytesMax) return false;
  for (;;) {
    size_t slash = path.find('/');
    if (!valid_component(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

Status check_file_name(std::string_view name) {
  if (valid_path(name)) return {};
  return invalid("'" + std::string(name.substr(0, kNameBytesMax)) + "' cannot name a file of a store");
}

Status check_folder_name(std::string_view name) {
  if (name.empty() || valid_path(name)) return {};
  return invalid("'" + std::string(name.substr(0, kNameBytesMax)) + "' cannot name a folder of a store");
}

std::string_view folder_of(std::string_view name) {
  size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : name.substr(0, slash);
}

std::string_view last_component(std::string_view name) {
  size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

std::string join_name(std::string_view folder, std::string_view name) {
  if (folder.empty()) return std::string(name);
  std::string joined(folder);
  joined += '/';
  joined += name;
  return joined;
}

}  // namespace stela
