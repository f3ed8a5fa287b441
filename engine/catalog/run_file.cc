#include "engine/catalog/run_file.h"

#include <utility>

namespace stela::catalog {
namespace {

// A value of 16 MiB, its key, and room for the entries a writer may have put beside it.
constexpr uint64_t kStoredBlockBytesMax = kValueBytesMax + (uint64_t{8} << 20);

std::string place(const BlockHandle& handle, BlockKind kind) {
  return std::string("the ") + block_kind_name(kind) + " block at " + std::to_string(handle.offset) + " (" +
         std::to_string(handle.bytes) + " bytes)";
}

}  // namespace

RunFile::RunFile(std::shared_ptr<FileReader> file, FileId id, uint64_t store_id, std::shared_ptr<BlockCache> cache)
    : mirror_(std::move(file)), id_(id), store_id_(store_id), cache_(std::move(cache)) {}

Result<RunFile> RunFile::open(std::shared_ptr<FileReader> file, FileId id, uint64_t store_id,
                              std::shared_ptr<BlockCache> cache) {
  const uint64_t bytes = file->size();
  if (bytes % kCopies != 0 || bytes / kCopies < kTrailerBytes) {
    return damaged(run_name(id) + ": " + std::to_string(bytes) +
                   " bytes cannot be a whole catalogue run; restore the store from a backup");
  }
  RunFile run(std::move(file), id, store_id, std::move(cache));
  Result<RunTrailer> trailer = run.read_trailer(0);
  if (!trailer.ok() && trailer.status().code() != Code::kUnsupported) {
    Result<RunTrailer> second = run.read_trailer(1);
    if (second.ok() || second.status().code() == Code::kUnsupported) trailer = std::move(second);
  }
  if (!trailer.ok()) return trailer.status();
  run.trailer_ = *trailer;
  STELA_ASSIGN(run.top_, run.block(run.trailer_.top, BlockKind::kTop));
  return run;
}

Result<RunTrailer> RunFile::read_trailer(int copy) const {
  Buffer bytes(kTrailerBytes);
  Status read = mirror_.read(copy, mirror_.logical_bytes() - kTrailerBytes, bytes.span());
  if (!read.ok()) return read.with_context(run_name(id_));
  Result<RunTrailer> trailer = decode_trailer(as_text(std::as_const(bytes).span()));
  if (!trailer.ok()) return trailer.status().with_context(run_name(id_));
  if (trailer->store_id != store_id_ || trailer->file_id != id_.value) {
    return damaged(run_name(id_) + ": it is run " + std::to_string(trailer->file_id) + " of store " +
                   std::to_string(trailer->store_id) + ", not of this store; put the right file back");
  }
  if (trailer->logical_bytes != mirror_.logical_bytes() || trailer->birth_min > trailer->birth_max) {
    return damaged(run_name(id_) + ": its trailer does not describe a file of " + std::to_string(file_bytes()) +
                   " bytes; restore the store from a backup");
  }
  return trailer;
}

Status RunFile::check_handle(const BlockHandle& handle) const {
  const uint64_t end = mirror_.logical_bytes() - kTrailerBytes;
  const bool fits = handle.bytes > kSealBytes && handle.bytes <= kStoredBlockBytesMax && handle.bytes <= end &&
                    handle.offset <= end - handle.bytes;
  if (fits) return {};
  return damaged(run_name(id_) + ": the index names a block of " + std::to_string(handle.bytes) + " bytes at " +
                 std::to_string(handle.offset) + ", outside the file");
}

Result<BlockPtr> RunFile::read_copy(const BlockHandle& handle, BlockKind kind, int copy) const {
  STELA_TRY(check_handle(handle));
  auto block = std::make_shared<Buffer>(handle.bytes);
  Status read = mirror_.read(copy, handle.offset, block->span());
  if (!read.ok()) return read.with_context(run_name(id_) + ", " + place(handle, kind));
  if (!block_is_sound(std::as_const(*block).span(), kind, block_seed(store_id_, id_, handle.offset))) {
    return damaged(run_name(id_) + ": copy " + std::to_string(copy + 1) + " of " + place(handle, kind) +
                   " fails its checksum");
  }
  return BlockPtr(std::move(block));
}

Result<BlockPtr> RunFile::block(const BlockHandle& handle, BlockKind kind) const {
  if (cache_ != nullptr) {
    if (BlockPtr cached = cache_->find(cache_id(), handle.offset)) {
      // A lying index may give the same place another length or kind.
      const bool same = cached->size() == handle.bytes && kind_of(*cached) == kind;
      if (same) return cached;
    }
  }
  Result<BlockPtr> block = read_copy(handle, kind, 0);
  if (!block.ok()) {
    Result<BlockPtr> second = read_copy(handle, kind, 1);
    if (second.ok()) {
      block = std::move(second);
    } else if (block.status().code() == Code::kDamaged || second.status().code() == Code::kDamaged) {
      return damaged(run_name(id_) + ": both copies of " + place(handle, kind) +
                     " are damaged; what they say cannot be known: restore the store from a backup");
    } else {
      return block.status();
    }
  }
  if (cache_ != nullptr) cache_->insert(cache_id(), handle.offset, *block);
  return block;
}

void RunFile::forget_cached() const {
  if (cache_ != nullptr) cache_->erase_file(cache_id());
}

}  // namespace stela::catalog
