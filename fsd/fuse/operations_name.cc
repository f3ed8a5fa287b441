// Names: lookup, forget, mkdir, unlink, rmdir, symlink, readlink, rename, link, mknod.
#include <fcntl.h>
#include <sys/stat.h>

#include <string>

#include "fsd/fuse/adapter.h"

namespace stela::fsd::fuse {
namespace {

Status reply_entry(Adapter& adapter, fuse_req_t request, const EntryReply& entry) {
  fuse_entry_param out = to_entry(entry);
  // An interrupted caller never learns of the node: its lookup is taken back.
  if (fuse_reply_entry(request, &out) != 0) adapter.tree().forget(entry.node, 1);
  return {};
}

void do_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  answer(request, ErrorRule::kPlain, [=](Adapter& adapter, const Caller& caller) -> Status {
    STELA_ASSIGN(EntryReply entry, adapter.tree().lookup(parent, name, caller));
    return reply_entry(adapter, request, entry);
  });
}

void do_forget(fuse_req_t request, fuse_ino_t node, uint64_t lookups) {
  adapter_of(request).tree().forget(node, lookups);
  fuse_reply_none(request);
}

void do_forget_multi(fuse_req_t request, size_t count, fuse_forget_data* forgets) {
  Tree& tree = adapter_of(request).tree();
  for (size_t i = 0; i < count; ++i) tree.forget(forgets[i].ino, forgets[i].nlookup);
  fuse_reply_none(request);
}

void do_readlink(fuse_req_t request, fuse_ino_t node) {
  answer(request, ErrorRule::kPlain, [=](Adapter& adapter, const Caller&) -> Status {
    STELA_ASSIGN(std::string target, adapter.tree().read_link(node));
    fuse_reply_readlink(request, target.c_str());
    return {};
  });
}

void do_mkdir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  answer_later(request, ErrorRule::kPath,
               [=, name = std::string(name)](Adapter& adapter, const Caller& caller) -> Status {
                 STELA_ASSIGN(EntryReply entry, adapter.tree().make_directory(parent, name, mode & 07777u, caller));
                 return reply_entry(adapter, request, entry);
               });
}

void do_symlink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name) {
  answer_later(
      request, ErrorRule::kPath,
      [=, name = std::string(name), target = std::string(target)](Adapter& adapter, const Caller& caller) -> Status {
        STELA_ASSIGN(EntryReply entry, adapter.tree().make_symlink(parent, name, target, caller));
        return reply_entry(adapter, request, entry);
      });
}

void do_unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
  answer_later(request, ErrorRule::kPath,
               [=, name = std::string(name)](Adapter& adapter, const Caller& caller) -> Status {
                 STELA_TRY(adapter.tree().remove_file(parent, name, caller));
                 fuse_reply_err(request, 0);
                 return {};
               });
}

void do_rmdir(fuse_req_t request, fuse_ino_t parent, const char* name) {
  answer_later(request, ErrorRule::kPath,
               [=, name = std::string(name)](Adapter& adapter, const Caller& caller) -> Status {
                 STELA_TRY(adapter.tree().remove_directory(parent, name, caller));
                 fuse_reply_err(request, 0);
                 return {};
               });
}

void do_rename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent, const char* new_name,
               unsigned int flags) {
  answer_later(
      request, ErrorRule::kPath,
      [=, from = std::string(name), to = std::string(new_name)](Adapter& adapter, const Caller& caller) -> Status {
        STELA_TRY(adapter.tree().rename(parent, from, new_parent, to, flags, caller));
        fuse_reply_err(request, 0);
        return {};
      });
}

void do_link(fuse_req_t request, fuse_ino_t, fuse_ino_t, const char*) { fuse_reply_err(request, EPERM); }

// mknod(2) of a regular file is a create that leaves nothing open; devices, pipes and sockets are refused.
void do_mknod(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t) {
  if (!S_ISREG(mode)) {
    fuse_reply_err(request, EPERM);
    return;
  }
  answer_later(
      request, ErrorRule::kPath, [=, name = std::string(name)](Adapter& adapter, const Caller& caller) -> Status {
        STELA_ASSIGN(auto created,
                     adapter.tree().create_file(parent, name, mode & 07777u, O_CREAT | O_EXCL | O_WRONLY, caller));
        adapter.tree().release(created.second.handle);
        return reply_entry(adapter, request, created.first);
      });
}

}  // namespace

void add_name_operations(fuse_lowlevel_ops& operations) {
  operations.lookup = do_lookup;
  operations.forget = do_forget;
  operations.forget_multi = do_forget_multi;
  operations.readlink = do_readlink;
  operations.mkdir = do_mkdir;
  operations.symlink = do_symlink;
  operations.unlink = do_unlink;
  operations.rmdir = do_rmdir;
  operations.rename = do_rename;
  operations.link = do_link;
  operations.mknod = do_mknod;
}

}  // namespace stela::fsd::fuse
