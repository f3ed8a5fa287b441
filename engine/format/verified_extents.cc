#include <mutex>
#include <unordered_map>
#include <vector>

#include "engine/format/fragment.h"

namespace stela::format {

struct VerifiedExtents::Impl {
  struct FileBits {
    std::string fingerprint;
    std::vector<bool> bits;
    uint64_t count = 0;
  };
  std::mutex mutex;  // a leaf: nothing is called while it is held
  std::unordered_map<FileId, FileBits> files;

  // The file's bits, emptied when the file is not the one that was checked. Null when there are none.
  FileBits* find(FileId file, const std::string& fingerprint) {
    auto at = files.find(file);
    if (at == files.end()) return nullptr;
    if (at->second.fingerprint == fingerprint) return &at->second;
    files.erase(at);
    return nullptr;
  }
};

VerifiedExtents::VerifiedExtents() : impl_(std::make_unique<Impl>()) {}
VerifiedExtents::~VerifiedExtents() = default;

bool VerifiedExtents::is_verified(FileId file, const std::string& fingerprint, uint64_t extent) {
  std::lock_guard lock(impl_->mutex);
  Impl::FileBits* bits = impl_->find(file, fingerprint);
  return bits != nullptr && extent < bits->bits.size() && bits->bits[extent];
}

void VerifiedExtents::set_verified(FileId file, const std::string& fingerprint, uint64_t extent) {
  std::lock_guard lock(impl_->mutex);
  impl_->find(file, fingerprint);
  Impl::FileBits& bits = impl_->files[file];
  bits.fingerprint = fingerprint;
  if (extent >= bits.bits.size()) bits.bits.resize(extent + 1);
  if (bits.bits[extent]) return;
  bits.bits[extent] = true;
  ++bits.count;
}

void VerifiedExtents::set_all_verified(FileId file, const std::string& fingerprint, uint64_t extents) {
  std::lock_guard lock(impl_->mutex);
  impl_->files[file] = {fingerprint, std::vector<bool>(extents, true), extents};
}

bool VerifiedExtents::all_verified(FileId file, const std::string& fingerprint, uint64_t extents) {
  std::lock_guard lock(impl_->mutex);
  Impl::FileBits* bits = impl_->find(file, fingerprint);
  return extents == 0 || (bits != nullptr && bits->count >= extents);
}

void VerifiedExtents::clear(FileId file) {
  std::lock_guard lock(impl_->mutex);
  impl_->files.erase(file);
}

}  // namespace stela::format
