#include "engine/catalog/bloom.h"
#include "engine/catalog/keys.h"
#include "engine/catalog/run_file.h"

namespace stela::catalog {
namespace {

using Report = std::function<void(const std::string&)>;

class RunVerifier {
 public:
  RunVerifier(const RunFile& file, const Report& report) : file_(file), report_(report) {}

  Status run() {
    for (int copy = 0; copy < kCopies; ++copy) {
      Result<RunTrailer> trailer = file_.read_trailer(copy);
      if (trailer.ok()) continue;
      STELA_TRY(take(trailer.status(), "copy " + std::to_string(copy + 1) + " of its trailer"));
    }
    STELA_TRY(check_copies(file_.trailer().top, BlockKind::kTop, "the whole run").status());
    STELA_TRY(check_top());
    const RunTrailer& trailer = file_.trailer();
    if (unreadable_) return {};
    if (entries_ != trailer.entries || blocks_ != trailer.blocks || bytes_ != trailer.logical_bytes - kTrailerBytes) {
      say("it holds " + std::to_string(entries_) + " entries in " + std::to_string(blocks_) + " blocks of " +
          std::to_string(bytes_) + " bytes, its trailer says otherwise");
    }
    return {};
  }

 private:
  void say(const std::string& text) { report_(run_name(file_.id()) + ": " + text); }

  // Damage is reported; what has nothing to do with the file (memory, descriptors) ends the verification.
  Status take(const Status& status, const std::string& what) {
    if (status.code() != Code::kDamaged && status.code() != Code::kIo) return status;
    report_(status.message() + " (" + what + ")");
    return {};
  }

  // Checks both copies; gives a right one, or null.
  Result<BlockPtr> check_copies(const BlockHandle& handle, BlockKind kind, const std::string& what) {
    BlockPtr right;
    for (int copy = 0; copy < kCopies; ++copy) {
      Result<BlockPtr> block = file_.read_copy(handle, kind, copy);
      if (block.ok()) {
        right = std::move(*block);
      } else {
        STELA_TRY(take(block.status(), what));
      }
    }
    bytes_ += handle.bytes;
    unreadable_ = unreadable_ || right == nullptr;
    return right;
  }

  Status check_top() {
    BlockCursor top;
    top.open(file_.top());
    for (top.seek_first(); top.valid(); top.next()) {
      IndexValue value;
      if (!decode_index_value(top.value(), true, &value)) return malformed("the top of its index");
      const std::string what = "entries up to the " + catalog_key_describe(top.key());
      STELA_ASSIGN(BlockPtr filter, check_copies(value.filter, BlockKind::kFilter, "filter of " + what));
      STELA_ASSIGN(BlockPtr index, check_copies(value.block, BlockKind::kIndex, what));
      if (index != nullptr) STELA_TRY(check_index(payload_of(*index), top.position(), value, filter));
    }
    return top.corrupt() ? malformed("the top of its index") : Status();
  }

  Status check_index(std::string_view payload, const Position& last, const IndexValue& stamps, const BlockPtr& filter) {
    BlockCursor index;
    index.open(payload);
    for (index.seek_first(); index.valid(); index.next()) {
      IndexValue value;
      if (!decode_index_value(index.value(), false, &value)) return malformed("an index block");
      STELA_ASSIGN(BlockPtr data, check_copies(value.block, BlockKind::kData,
                                               "entries up to the " + catalog_key_describe(index.key())));
      const bool within = value.birth_min >= stamps.birth_min && value.birth_max <= stamps.birth_max &&
                          value.install_max <= stamps.install_max && compare(index.position(), last) <= 0;
      if (!within) return malformed("an index block");
      ++blocks_;
      if (data != nullptr) STELA_TRY(check_data(payload_of(*data), index.position(), value, filter));
    }
    return index.corrupt() ? malformed("an index block") : Status();
  }

  Status check_data(std::string_view payload, const Position& last, const IndexValue& stamps, const BlockPtr& filter) {
    data_.open(payload, true);
    for (data_.seek_first(); data_.valid(); data_.next()) {
      const bool within = data_.birth() >= stamps.birth_min && data_.birth() <= stamps.birth_max &&
                          data_.install() <= stamps.install_max && compare(data_.position(), last) <= 0;
      const bool filtered = filter == nullptr || bloom_may_contain(payload_of(*filter), bloom_hash(data_.key()));
      if (!within || !filtered) {
        return malformed("what its index or filter says of the " + catalog_key_describe(data_.key()));
      }
      ++entries_;
    }
    return data_.corrupt() ? malformed("a data block") : Status();
  }

  Status malformed(const std::string& what) {
    unreadable_ = true;
    say(what + " is malformed, although its checksum is right");
    return {};
  }

  const RunFile& file_;
  const Report& report_;
  BlockCursor data_;  // over all data blocks: their order goes on from one to the next
  uint64_t entries_ = 0;
  uint64_t blocks_ = 0;
  uint64_t bytes_ = 0;
  bool unreadable_ = false;
};

}  // namespace

Status verify_run(const RunFile& file, const Report& damaged) { return RunVerifier(file, damaged).run(); }

}  // namespace stela::catalog
