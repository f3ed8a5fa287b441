#include <utility>

#include "engine/catalog/catalog.h"
#include "engine/catalog/entry_order.h"

namespace stela::catalog {
namespace {

class EmptyIterator final : public EntryIterator {
 public:
  void seek(std::string_view) override {}
  void seek_to(std::string_view, Sequence, Sequence) override {}
  bool valid() const override { return false; }
  void next() override {}
  std::string_view key() const override { return {}; }
  Sequence birth() const override { return {}; }
  Sequence install() const override { return {}; }
  bool erased() const override { return false; }
  std::string_view value() const override { return {}; }
  Status status() const override { return {}; }
};

// A binary heap of sources by position; sources at their end leave it until the next seek.
class MergeIterator final : public EntryIterator {
 public:
  explicit MergeIterator(std::vector<std::unique_ptr<EntryIterator>> sources) : sources_(std::move(sources)) {
    heap_.reserve(sources_.size());
  }

  void seek(std::string_view key) override { seek_to(key, kSequenceMax, kSequenceMax); }

  void seek_to(std::string_view key, Sequence birth, Sequence install) override {
    target_.assign(key);  // `key` may point into a source
    const Position target{target_, birth, install};
    // Every source stands at its first entry at or after heap_[0]: going forward, those beyond the target
    // need not move.
    if (valid() && compare(heap_[0].position, target) <= 0) {
      while (valid() && compare(heap_[0].position, target) < 0) {
        heap_[0].source->seek_to(target_, birth, install);
        settle_top();
      }
      return;
    }
    heap_.clear();
    status_ = {};
    for (auto& source : sources_) {
      source->seek_to(target_, birth, install);
      if (source->valid()) {
        heap_.push_back({position_of(*source), source.get()});
      } else if (!take_status(*source)) {
        return;
      }
    }
    for (size_t i = heap_.size() / 2; i-- > 0;) sift_down(i);
  }

  bool valid() const override { return !heap_.empty(); }

  void next() override {
    // Entries equal to the top are the same entry in another source; they are its neighbours in the heap.
    for (size_t child = 1; child <= 2 && child < heap_.size();) {
      if (compare(heap_[child].position, heap_[0].position) != 0) {
        ++child;
        continue;
      }
      if (!advance(child)) return;
    }
    heap_[0].source->next();
    settle_top();
  }

  std::string_view key() const override { return heap_[0].position.key; }
  Sequence birth() const override { return heap_[0].position.birth; }
  Sequence install() const override { return heap_[0].position.install; }
  bool erased() const override { return heap_[0].source->erased(); }
  std::string_view value() const override { return heap_[0].source->value(); }
  Status status() const override { return status_; }

 private:
  struct Slot {
    Position position;
    EntryIterator* source;
  };

  static Position position_of(const EntryIterator& source) { return {source.key(), source.birth(), source.install()}; }

  // False, and the merge ends, when the source stopped because of damage.
  bool take_status(const EntryIterator& source) {
    status_ = source.status();
    if (status_.ok()) return true;
    heap_.clear();
    return false;
  }

  // The source in `slot` was moved: restores the heap. False when the merge ended by damage.
  bool settle(size_t slot) {
    if (heap_[slot].source->valid()) {
      heap_[slot].position = position_of(*heap_[slot].source);
    } else {
      if (!take_status(*heap_[slot].source)) return false;
      heap_[slot] = heap_.back();
      heap_.pop_back();
    }
    if (slot < heap_.size()) sift_down(slot);
    return true;
  }
  void settle_top() { (void)settle(0); }

  bool advance(size_t slot) {
    heap_[slot].source->next();
    return settle(slot);
  }

  void sift_down(size_t slot) {
    Slot moving = heap_[slot];
    for (size_t child = 2 * slot + 1; child < heap_.size(); child = 2 * slot + 1) {
      if (child + 1 < heap_.size() && compare(heap_[child + 1].position, heap_[child].position) < 0) ++child;
      if (compare(heap_[child].position, moving.position) >= 0) break;
      heap_[slot] = heap_[child];
      slot = child;
    }
    heap_[slot] = moving;
  }

  std::vector<std::unique_ptr<EntryIterator>> sources_;
  std::vector<Slot> heap_;
  std::string target_;
  Status status_;
};

}  // namespace

std::unique_ptr<EntryIterator> merge_iterators(std::vector<std::unique_ptr<EntryIterator>> sources) {
  if (sources.empty()) return std::make_unique<EmptyIterator>();
  if (sources.size() == 1) return std::move(sources.front());
  return std::make_unique<MergeIterator>(std::move(sources));
}

}  // namespace stela::catalog
