#include "fsd/daemon/verb.h"

#include <pwd.h>

#include <array>

namespace stela::fsd {

std::string VerbRequest::value(std::string_view option) const {
  auto found = options.find(option);
  return found == options.end() || found->second.empty() ? std::string() : found->second.back();
}

std::vector<std::string> VerbRequest::values(std::string_view option) const {
  auto found = options.find(option);
  return found == options.end() ? std::vector<std::string>() : found->second;
}

std::string author_of(const Caller& caller) {
  std::array<char, 4096> buffer;
  struct passwd entry = {};
  struct passwd* found = nullptr;
  std::string number = std::to_string(caller.uid);
  if (getpwuid_r(caller.uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return number;
  return std::string(found->pw_name) + " (" + number + ")";
}

}  // namespace stela::fsd
