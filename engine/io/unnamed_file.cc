#include "engine/io/unnamed_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "engine/io/file_name.h"
#include "engine/io/system_clock.h"

namespace stela {

namespace {

constexpr int kNameAttemptsMax = 16;

std::string random_name() {
  char text[16];
  auto end = std::to_chars(text, text + sizeof(text), system_random(), 16).ptr;
  return {text, end};
}

bool link_unsupported(int error) {
  return error == EPERM || error == EOPNOTSUPP || error == ENOSYS || error == EMLINK || error == EXDEV;
}

// 0 or the errno.
int rename_no_replace(int directory, const std::string& from, int folder, const std::string& to) {
  return ::renameat2(directory, from.c_str(), folder, to.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
}

}  // namespace

Result<UnnamedFile> UnnamedFile::make(std::shared_ptr<PosixDirectory> directory, std::string_view folder) {
  STELA_TRY(directory->status());
  STELA_ASSIGN(Descriptor made, directory->make_folder(folder));
  STELA_ASSIGN(bool unnamed, directory->can_link_unnamed());
  if (!unnamed) return make_in_scratch(std::move(directory));
  STELA_ASSIGN(Descriptor file, directory->open_beneath(folder, O_TMPFILE | O_RDWR, 0600));
  return UnnamedFile(std::move(directory), std::move(file), "");
}

Result<UnnamedFile> UnnamedFile::make_in_scratch(std::shared_ptr<PosixDirectory> directory) {
  STELA_ASSIGN(Descriptor folder, directory->make_folder(PosixDirectory::kScratchFolder));
  Status last;
  for (int i = 0; i < kNameAttemptsMax; ++i) {
    std::string name = join_name(PosixDirectory::kScratchFolder, random_name());
    auto file = directory->open_beneath(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file.ok()) return UnnamedFile(std::move(directory), std::move(file).value(), std::move(name));
    last = file.status();
    if (last.code() != Code::kExists) break;
  }
  return last;
}

UnnamedFile::~UnnamedFile() { drop_temporary(); }

void UnnamedFile::drop_temporary() {
  if (temporary_.empty()) return;
  ::unlinkat(directory_->fd(), temporary_.c_str(), 0);
  temporary_.clear();
}

Descriptor UnnamedFile::take_descriptor() && {
  drop_temporary();
  return std::move(file_);
}

Status UnnamedFile::link(const std::string& name) {
  STELA_ASSIGN(Descriptor folder, directory_->make_folder(folder_of(name)));
  std::string last(last_component(name));
  int error = 0;
  if (temporary_.empty()) {
    std::string source = "/proc/self/fd/" + std::to_string(file_.get());
    if (::linkat(AT_FDCWD, source.c_str(), folder.get(), last.c_str(), AT_SYMLINK_FOLLOW) != 0) error = errno;
  } else {
    if (::linkat(directory_->fd(), temporary_.c_str(), folder.get(), last.c_str(), 0) != 0) error = errno;
    if (link_unsupported(error)) error = rename_no_replace(directory_->fd(), temporary_, folder.get(), last);
    if (error == 0) drop_temporary();
  }
  if (error == EEXIST) return {Code::kExists, directory_->full_path(name) + " exists already"};
  if (error != 0) return status_from_errno(error, "cannot name " + directory_->full_path(name));
  return {};
}

void clear_scratch_folder(const PosixDirectory& directory) {
  auto folder = directory.open_beneath(PosixDirectory::kScratchFolder, O_RDONLY | O_DIRECTORY);
  if (!folder.ok()) return;
  DIR* stream = ::fdopendir(::fcntl(folder->get(), F_DUPFD_CLOEXEC, 0));
  if (stream == nullptr) return;
  while (const dirent* entry = ::readdir(stream)) {
    if (entry->d_name[0] != '.') ::unlinkat(folder->get(), entry->d_name, 0);
  }
  ::closedir(stream);
}

}  // namespace stela
