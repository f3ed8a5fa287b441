// Files: create, open, read, write, flush, fsync, release.
#include <fcntl.h>

#include <algorithm>
#include <string>

#include "fsd/fuse/adapter.h"
#include "fsd/fuse/kernel_protocol.h"

namespace stela::fsd::fuse {
namespace {

constexpr size_t kReadBytesMax = 1 << 20;

bool is_read_only(int flags) { return (flags & O_ACCMODE) == O_RDONLY; }

void release_handle(Adapter& adapter, uint64_t handle) {
  adapter.unregister_backing(handle);
  adapter.tree().release(handle);
}

Status reply_open(Adapter& adapter, fuse_req_t request, const OpenReply& open, fuse_file_info info) {
  int32_t backing_id = is_read_only(info.flags) ? adapter.register_backing(open) : 0;
  int error = 0;
  if (backing_id > 0) {
    // libfuse 3.14 has no field for the id: the reply is written as it goes over the wire.
    OpenOut out{open.handle, kOpenPassthrough | FOPEN_NOFLUSH, backing_id};
    error = fuse_reply_buf(request, reinterpret_cast<const char*>(&out), sizeof(out));
  } else {
    // Nothing is written through a read-only handle, so its close needs no answer.
    fill_file_info(open, is_read_only(info.flags), info);
    error = fuse_reply_open(request, &info);
  }
  if (error != 0) release_handle(adapter, open.handle);
  return {};
}

void do_open(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
  answer_soon(request, ErrorRule::kPlain, [=, info = *info](Adapter& adapter, const Caller& caller) -> Status {
    STELA_ASSIGN(OpenReply open, adapter.tree().open(node, static_cast<uint32_t>(info.flags), caller));
    return reply_open(adapter, request, open, info);
  });
}

void do_create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* info) {
  answer_soon(request, ErrorRule::kPlain,
              [=, name = std::string(name), info = *info](Adapter& adapter, const Caller& caller) mutable -> Status {
                STELA_ASSIGN(auto created, adapter.tree().create_file(parent, name, mode & 07777u,
                                                                      static_cast<uint32_t>(info.flags), caller));
                fuse_entry_param entry = to_entry(created.first);
                fill_file_info(created.second, false, info);
                if (fuse_reply_create(request, &entry, &info) != 0) {
                  adapter.tree().release(created.second.handle);
                  adapter.tree().forget(created.first.node, 1);
                }
                return {};
              });
}

void do_read(fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
  uint64_t handle = info->fh;
  answer_soon(request, ErrorRule::kPlain, [=](Adapter& adapter, const Caller&) -> Status {
    // Kept from request to request: fresh pages for a megabyte cost more than filling them.
    thread_local Buffer buffer;
    buffer.resize(std::min(size, kReadBytesMax));
    STELA_ASSIGN(size_t count, adapter.tree().read(handle, static_cast<uint64_t>(offset), buffer.span()));
    fuse_reply_buf(request, reinterpret_cast<const char*>(buffer.data()), count);
    return {};
  });
}

// On the thread that read the request: its bytes lie in that thread's buffer, and go to a spool in memory
// or in the page cache.
void do_write(fuse_req_t request, fuse_ino_t, const char* bytes, size_t size, off_t offset, fuse_file_info* info) {
  answer(request, ErrorRule::kPlain, [=](Adapter& adapter, Caller caller) -> Status {
    if (info->writepage != 0) caller.pid = 0;  // written back by the kernel, whoever wrote it
    STELA_ASSIGN(size_t count, adapter.tree().write(info->fh, static_cast<uint64_t>(offset),
                                                    as_bytes(std::string_view(bytes, size)), caller));
    fuse_reply_write(request, count);
    return {};
  });
}

// A small commit is answered where it was read: the way to another thread and back costs as much as half a sync.
template <typename Body>
void answer_flush(fuse_req_t request, uint64_t handle, Body body) {
  if (adapter_of(request).tree().flush_is_quick(handle)) {
    answer_soon(request, ErrorRule::kPlain, std::move(body));
  } else {
    answer_later(request, ErrorRule::kPlain, std::move(body));
  }
}

void do_flush(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  uint64_t handle = info->fh;
  answer_flush(request, handle, [=](Adapter& adapter, const Caller& caller) -> Status {
    STELA_TRY(adapter.tree().flush(handle, caller));
    fuse_reply_err(request, 0);
    return {};
  });
}

void do_fsync(fuse_req_t request, fuse_ino_t, int, fuse_file_info* info) {
  uint64_t handle = info->fh;
  answer_flush(request, handle, [=](Adapter& adapter, const Caller& caller) -> Status {
    STELA_TRY(adapter.tree().fsync(handle, caller));
    fuse_reply_err(request, 0);
    return {};
  });
}

void do_release(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  uint64_t handle = info->fh;
  answer_later(request, ErrorRule::kPlain, [=](Adapter& adapter, const Caller&) -> Status {
    release_handle(adapter, handle);
    fuse_reply_err(request, 0);
    return {};
  });
}

}  // namespace

void add_file_operations(fuse_lowlevel_ops& operations) {
  operations.open = do_open;
  operations.create = do_create;
  operations.read = do_read;
  operations.write = do_write;
  operations.flush = do_flush;
  operations.fsync = do_fsync;
  operations.release = do_release;
}

}  // namespace stela::fsd::fuse
