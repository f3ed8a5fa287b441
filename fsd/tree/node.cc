#include "fsd/tree/node.h"

#include <fcntl.h>

namespace stela::fsd {

namespace {
constexpr const char* kLookAgain = "the name has to be looked up again";
}

Status look_again() { return {Code::kConflict, kLookAgain}; }
bool is_look_again(const Status& status) { return status.code() == Code::kConflict && status.message() == kLookAgain; }
bool is_writable_open(uint32_t flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0; }

Result<size_t> OpenFile::read(uint64_t, MutableByteSpan) {
  return Status(Code::kBadHandle, "the file was not opened for reading");
}
Result<size_t> OpenFile::write(uint64_t, ByteSpan, const Caller&) {
  return Status(Code::kBadHandle, "the file was not opened for writing");
}

Status Node::set_attributes(const SetAttributes&, const Caller&) {
  return {Code::kNotPermitted, path() + ": its attributes cannot be changed"};
}
Result<std::string> Node::read_link() { return invalid(path() + " is not a symbolic link"); }
Result<std::unique_ptr<OpenFile>> Node::open(uint32_t, const Caller&) {
  if (type() == FileType::kDirectory) return Status(Code::kIsDirectory, path() + " is a directory");
  return invalid(path() + " cannot be opened");
}
Result<std::string> Node::xattr(std::string_view field) {
  return not_found(path() + " has no attribute user.stela." + std::string(field));
}

Result<NodeRef> Directory::make_directory(std::string_view name, uint32_t, const Caller&) { return refusal(name); }
Status Directory::remove_file(std::string_view name, const Caller&) { return refusal(name); }
Status Directory::remove_directory(std::string_view name, const Caller&) { return refusal(name); }
Result<NodeRef> Directory::make_symlink(std::string_view name, std::string_view, const Caller&) {
  return refusal(name);
}
Result<Created> Directory::create_file(std::string_view name, uint32_t, uint32_t, const Caller&) {
  return refusal(name);
}
Result<Movable> Directory::movable(std::string_view name, const Caller&) { return refusal(name); }
Status Directory::move_in(const Movable&, std::string_view new_name, bool, const Caller&) { return refusal(new_name); }

}  // namespace stela::fsd
