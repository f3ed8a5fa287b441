// RunFile: the blocks of one run file, each checked, taken from the second copy when the first is wrong.
// RunIterator: walks its entries. Internal to this folder.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/catalog/catalog.h"
#include "engine/catalog/run_block.h"
#include "engine/catalog/run_layout.h"

namespace stela::catalog {

using BlockPtr = std::shared_ptr<const Buffer>;

// A block's bytes without its seal.
inline std::string_view payload_of(const Buffer& block) { return as_text(block.span(0, block.size() - kSealBytes)); }

inline BlockKind kind_of(const Buffer& block) {
  return static_cast<BlockKind>(block.data()[block.size() - kSealBytes]);
}

// Immutable after open; any thread.
class RunFile {
 public:
  static Result<RunFile> open(std::shared_ptr<FileReader> file, FileId id, uint64_t store_id,
                              std::shared_ptr<BlockCache> cache);

  // Through the cache. kDamaged when neither copy is right, or the handle lies.
  Result<BlockPtr> block(const BlockHandle& handle, BlockKind kind) const;
  // One copy, past the cache.
  Result<BlockPtr> read_copy(const BlockHandle& handle, BlockKind kind, int copy) const;
  Result<RunTrailer> read_trailer(int copy) const;
  void forget_cached() const;

  FileId id() const { return id_; }
  const RunTrailer& trailer() const { return trailer_; }
  std::string_view top() const { return payload_of(*top_); }
  uint64_t file_bytes() const { return mirror_.logical_bytes() * kCopies; }

 private:
  RunFile(std::shared_ptr<FileReader> file, FileId id, uint64_t store_id, std::shared_ptr<BlockCache> cache);
  Status check_handle(const BlockHandle& handle) const;
  // Distinct from the ids of data files, should they ever meet in one cache.
  uint64_t cache_id() const { return id_.value | uint64_t{1} << 63; }

  MirrorReader mirror_;
  FileId id_;
  uint64_t store_id_;
  std::shared_ptr<BlockCache> cache_;  // may be null
  RunTrailer trailer_;
  BlockPtr top_;
};

class RunIterator final : public EntryIterator {
 public:
  // Blocks without a birth in [from, to] are passed over, unread.
  RunIterator(const RunFile& file, Sequence from, Sequence to) : file_(file), from_(from), to_(to) {}

  void seek(std::string_view key) override { seek_to(key, kSequenceMax, kSequenceMax); }
  void seek_to(std::string_view key, Sequence birth, Sequence install) override {
    target_.assign(key);  // `key` may be this iterator's own
    seek_position({target_, birth, install});
  }
  // As seek_to; the key must not be this iterator's own.
  void seek_position(const Position& target);
  // The same for a lookup of one key. False, and nothing else was read, when the filter excludes it.
  bool seek_filtered(const Position& target);

  bool valid() const override { return data_.valid(); }
  void next() override {
    data_.next();
    if (!data_.valid()) settle();
  }
  std::string_view key() const override { return data_.key(); }
  Sequence birth() const override { return data_.birth(); }
  Sequence install() const override { return data_.install(); }
  bool erased() const override { return data_.erased(); }
  std::string_view value() const override { return data_.value(); }
  Status status() const override { return status_; }
  // Keeps value() alive.
  const BlockPtr& block() const { return data_block_; }

 private:
  bool wanted(const IndexValue& value) const { return value.birth_min <= to_ && value.birth_max >= from_; }
  void seek_below_top(const Position& target);
  bool enter_index();
  bool enter_data();
  void settle();
  void stop(Status status);

  const RunFile& file_;
  const Sequence from_;
  const Sequence to_;
  std::string target_;
  BlockCursor top_;
  BlockCursor index_;
  BlockCursor data_;
  BlockPtr index_block_;
  BlockPtr data_block_;
  Status status_;
};

// What the filter says of `key`, with `top` standing where it finds the key. Whatever is wrong with index or
// filter, the answer is "maybe": reading on will say.
bool filter_may_contain(const RunFile& file, const BlockCursor& top, std::string_view key);

// RunReader::verify.
Status verify_run(const RunFile& file, const std::function<void(const std::string&)>& damaged);

}  // namespace stela::catalog
