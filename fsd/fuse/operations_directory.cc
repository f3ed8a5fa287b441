// Directories: opendir, readdir, readdirplus, releasedir, fsyncdir.
#include <algorithm>
#include <optional>
#include <string>

#include "fsd/fuse/adapter.h"

namespace stela::fsd::fuse {
namespace {

constexpr size_t kListingBytesMax = 128 << 10;

void do_opendir(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
  answer_soon(request, ErrorRule::kPlain, [=, info = *info](Adapter& adapter, const Caller& caller) mutable -> Status {
    STELA_ASSIGN(uint64_t handle, adapter.tree().open_directory(node, caller));
    info.fh = handle;
    if (fuse_reply_open(request, &info) != 0) adapter.tree().release_directory(handle);
    return {};
  });
}

// What an entry shows when only its name is known.
fuse_entry_param name_only(const DirectoryEntry& entry) {
  fuse_entry_param out = {};
  out.attr = to_stat(Attributes{.inode = entry.inode, .type = entry.type});
  return out;
}

void do_readdir(fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
  uint64_t handle = info->fh;
  answer_soon(request, ErrorRule::kPlain, [=](Adapter& adapter, const Caller&) -> Status {
    std::string listing(std::min(size, kListingBytesMax), '\0');
    size_t used = 0;
    STELA_TRY(adapter.tree().read_directory(handle, static_cast<uint64_t>(offset), [&](const DirectoryEntry& entry) {
      fuse_entry_param shown = name_only(entry);
      size_t needed = fuse_add_direntry(request, listing.data() + used, listing.size() - used, entry.name.c_str(),
                                        &shown.attr, static_cast<off_t>(entry.cookie));
      if (needed > listing.size() - used) return false;
      used += needed;
      return true;
    }));
    fuse_reply_buf(request, listing.data(), used);
    return {};
  });
}

// One listing with attributes. Every entry in it counts as a lookup, to be taken back when the reply fails.
class PlusListing {
 public:
  PlusListing(Adapter& adapter, fuse_req_t request, uint64_t handle, const Caller& caller, size_t size)
      : adapter_(adapter), request_(request), handle_(handle), caller_(caller), bytes_(size, '\0') {}

  bool add(const DirectoryEntry& entry) {
    size_t needed = fuse_add_direntry_plus(request_, nullptr, 0, entry.name.c_str(), nullptr, 0);
    if (needed > bytes_.size() - used_) return false;
    fuse_entry_param shown = name_only(entry);
    // A name whose attributes fail is listed all the same; asking for it gives the error.
    Result<std::optional<EntryReply>> found = adapter_.tree().lookup_entry(handle_, entry, caller_);
    if (found.ok() && found->has_value()) {
      shown = to_entry(**found);
      nodes_.push_back(shown.ino);
    }
    used_ += fuse_add_direntry_plus(request_, bytes_.data() + used_, bytes_.size() - used_, entry.name.c_str(), &shown,
                                    static_cast<off_t>(entry.cookie));
    return true;
  }
  void reply() {
    if (fuse_reply_buf(request_, bytes_.data(), used_) != 0) take_back();
  }
  void take_back() {
    for (uint64_t node : nodes_) adapter_.tree().forget(node, 1);
    nodes_.clear();
  }

 private:
  Adapter& adapter_;
  fuse_req_t request_;
  const uint64_t handle_;
  const Caller& caller_;
  std::string bytes_;
  size_t used_ = 0;
  std::vector<uint64_t> nodes_;
};

void do_readdirplus(fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
  uint64_t handle = info->fh;
  answer_soon(request, ErrorRule::kPlain, [=](Adapter& adapter, const Caller& caller) -> Status {
    PlusListing listing(adapter, request, handle, caller, std::min(size, kListingBytesMax));
    Status status = adapter.tree().read_directory(handle, static_cast<uint64_t>(offset),
                                                  [&](const DirectoryEntry& entry) { return listing.add(entry); });
    if (!status.ok()) {
      listing.take_back();
      return status;
    }
    listing.reply();
    return {};
  });
}

void do_releasedir(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  adapter_of(request).tree().release_directory(info->fh);
  fuse_reply_err(request, 0);
}

// Every change of a directory is durable before it is answered.
void do_fsyncdir(fuse_req_t request, fuse_ino_t, int, fuse_file_info*) { fuse_reply_err(request, 0); }

}  // namespace

void add_directory_operations(fuse_lowlevel_ops& operations) {
  operations.opendir = do_opendir;
  operations.readdir = do_readdir;
  operations.readdirplus = do_readdirplus;
  operations.releasedir = do_releasedir;
  operations.fsyncdir = do_fsyncdir;
}

}  // namespace stela::fsd::fuse
