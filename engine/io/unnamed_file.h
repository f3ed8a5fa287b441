// A file that has no name yet: O_TMPFILE, or a name in the scratch folder where that does not exist.
// One thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/io/posix_directory.h"

namespace stela {

class UnnamedFile {
 public:
  UnnamedFile(UnnamedFile&& other) noexcept
      : directory_(std::move(other.directory_)),
        file_(std::move(other.file_)),
        temporary_(std::exchange(other.temporary_, {})) {}
  UnnamedFile& operator=(UnnamedFile&&) = delete;
  ~UnnamedFile();

  // The file will be linked into `folder`, which is made when absent.
  static Result<UnnamedFile> make(std::shared_ptr<PosixDirectory> directory, std::string_view folder);

  int fd() const { return file_.get(); }
  // Gives it its name, which is not durable yet; kExists when the name is taken.
  Status link(const std::string& name);
  // For files that are never to have a name. The descriptor goes to the caller.
  Descriptor take_descriptor() &&;

 private:
  UnnamedFile(std::shared_ptr<PosixDirectory> directory, Descriptor file, std::string temporary)
      : directory_(std::move(directory)), file_(std::move(file)), temporary_(std::move(temporary)) {}
  static Result<UnnamedFile> make_in_scratch(std::shared_ptr<PosixDirectory> directory);
  void drop_temporary();

  std::shared_ptr<PosixDirectory> directory_;
  Descriptor file_;
  std::string temporary_;  // its name in the scratch folder; "" with O_TMPFILE
};

// Removes what a process that died left in the scratch folder. The caller owns the store.
void clear_scratch_folder(const PosixDirectory& directory);

}  // namespace stela
