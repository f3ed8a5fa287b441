#include "engine/catalog/bloom.h"
#include "engine/catalog/keys.h"
#include "engine/catalog/run_file.h"

namespace stela::catalog {

void RunIterator::stop(Status status) {
  status_ = std::move(status);
  data_ = {};
  data_block_ = nullptr;
}

// Opens the index block that top_ stands at, or the next wanted one. False at the end or on damage.
bool RunIterator::enter_index() {
  for (; top_.valid(); top_.next()) {
    IndexValue value;
    if (!decode_index_value(top_.value(), true, &value)) break;
    if (!wanted(value)) continue;
    Result<BlockPtr> block = file_.block(value.block, BlockKind::kIndex);
    if (!block.ok()) {
      stop(block.status().with_context("entries up to the " + catalog_key_describe(top_.key())));
      return false;
    }
    index_block_ = std::move(*block);
    index_.open(payload_of(*index_block_));
    return true;
  }
  const bool wrong = top_.valid() || top_.corrupt();
  stop(wrong ? damaged(run_name(file_.id()) + ": the top of its index is malformed") : Status());
  return false;
}

// Opens the data block that index_ stands at, or the next wanted one. False at the end or on damage.
bool RunIterator::enter_data() {
  for (;;) {
    for (; index_.valid(); index_.next()) {
      IndexValue value;
      if (!decode_index_value(index_.value(), false, &value)) break;
      if (!wanted(value)) continue;
      Result<BlockPtr> block = file_.block(value.block, BlockKind::kData);
      if (!block.ok()) {
        stop(block.status().with_context("entries up to the " + catalog_key_describe(index_.key())));
        return false;
      }
      data_block_ = std::move(*block);
      data_.open(payload_of(*data_block_), true);
      return true;
    }
    if (index_.valid() || index_.corrupt()) {
      stop(damaged(run_name(file_.id()) + ": an index block is malformed"));
      return false;
    }
    top_.next();
    if (!enter_index()) return false;
    index_.seek_first();
  }
}

// The data block has no more entries: to the first of the next.
void RunIterator::settle() {
  while (!data_.valid()) {
    if (data_.corrupt()) return stop(damaged(run_name(file_.id()) + ": a data block is malformed"));
    index_.next();
    if (!enter_data()) return;
    data_.seek_first();
  }
}

void RunIterator::seek_position(const Position& target) {
  const bool in_this_block =
      valid() && compare(data_.position(), target) <= 0 && compare(target, index_.position()) <= 0;
  if (!in_this_block) {
    top_.open(file_.top());
    top_.seek(target);
    return seek_below_top(target);
  }
  data_.seek(target);
  settle();
}

bool RunIterator::seek_filtered(const Position& target) {
  // The key's first place, not the target: the filter there knows of all its entries or of their beginning.
  top_.open(file_.top());
  top_.seek({target.key});
  if (!filter_may_contain(file_, top_, target.key)) return false;
  if (top_.valid() && compare(top_.position(), target) < 0) top_.seek(target);
  seek_below_top(target);
  return true;
}

void RunIterator::seek_below_top(const Position& target) {
  stop({});
  if (!enter_index()) return;
  index_.seek(target);
  if (!enter_data()) return;
  data_.seek(target);
  settle();
}

bool filter_may_contain(const RunFile& file, const BlockCursor& top, std::string_view key) {
  if (!top.valid()) return top.corrupt();
  IndexValue value;
  if (!decode_index_value(top.value(), true, &value)) return true;
  Result<BlockPtr> filter = file.block(value.filter, BlockKind::kFilter);
  return !filter.ok() || bloom_may_contain(payload_of(**filter), bloom_hash(key));
}

}  // namespace stela::catalog
