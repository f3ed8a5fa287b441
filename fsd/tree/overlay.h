// Overlay: the bytes of a view, and over them what one handle has written, page by page.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "fsd/tree/spool.h"
#include "fsd/views/view.h"

namespace stela::fsd {

// Holds the pages that were written and no others, in the budget of drafts. Its size never changes. Not thread-safe.
class Overlay final : public DraftBytes {
 public:
  static constexpr size_t kPageBytes = 4096;
  // `header`: the first bytes of the view, which may be written again as they are only.
  static Result<std::unique_ptr<Overlay>> create(Files& files, DraftBudget& budget, std::shared_ptr<View> below,
                                                 std::string header);

  uint64_t size() const override { return size_; }
  Status read(uint64_t offset, MutableByteSpan into) override;
  Result<size_t> read_up_to(uint64_t offset, MutableByteSpan into) override;
  // kInvalid beyond the end, or where it would change the header.
  Status write(uint64_t offset, ByteSpan bytes) override;
  Status truncate(uint64_t size) override;
  uint64_t held_bytes() const override { return pages_.size() * kPageBytes; }
  void drop() override;

  // Stretches in which what was written may differ from what was there at the last commit, ascending, at most 1 MiB
  // each.
  Status for_each_stretch(const std::function<Status(uint64_t offset, ByteSpan before, ByteSpan now)>& visit);
  // What is there now is committed. `below`: a view that shows just these bytes; null: the pages stay.
  void committed(std::shared_ptr<View> below);

 private:
  // Places of 4 KiB in the spool. `before`: as of the last commit; kBelow: what lies below.
  struct Page {
    uint64_t now = 0;
    uint64_t before = 0;
  };
  static constexpr uint64_t kBelow = UINT64_MAX;

  Overlay(std::unique_ptr<Spool> spool, std::shared_ptr<View> below, uint64_t size, std::string header)
      : spool_(std::move(spool)), below_(std::move(below)), size_(size), header_(std::move(header)) {}
  Status check_header(uint64_t offset, ByteSpan bytes) const;
  Status write_page(uint64_t page, size_t from, ByteSpan bytes);
  Status read_below(uint64_t offset, MutableByteSpan into);
  uint64_t take_place();
  size_t page_bytes(uint64_t page) const;

  std::unique_ptr<Spool> spool_;
  std::shared_ptr<View> below_;
  const uint64_t size_;
  const std::string header_;
  std::map<uint64_t, Page> pages_;
  uint64_t places_ = 0;  // in the spool
  std::vector<uint64_t> free_places_;
};

}  // namespace stela::fsd
