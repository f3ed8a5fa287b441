#include "fsd/daemon/kept_errors.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fsd/daemon/daemon_log.h"

namespace stela::fsd {
namespace {

constexpr std::streamoff kBytesMax = 1 << 20;

std::string path_of(const std::string& store_directory) { return store_directory + "/errors.ndjson"; }

}  // namespace

std::string load_errors(const std::string& store_directory) {
  std::ifstream file(path_of(store_directory), std::ios::binary | std::ios::ate);
  std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : 0;
  if (size <= 0) return {};
  std::streamoff begin = std::max<std::streamoff>(size - kBytesMax, 0);
  file.seekg(begin);
  std::string lines{std::istreambuf_iterator<char>(file), {}};
  if (begin > 0) lines.erase(0, lines.find('\n') + 1);
  return lines;
}

void save_errors(const std::string& store_directory, const std::string& lines) {
  std::string path = path_of(store_directory), fresh = path + ".new";
  std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
  file << lines;
  file.close();
  std::error_code failed;
  if (file) {
    std::filesystem::permissions(fresh, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write,
                                 failed);
    std::filesystem::rename(fresh, path, failed);
  }
  if (!file || failed) log_line("the errors told could not be kept in " + path);
}

}  // namespace stela::fsd
