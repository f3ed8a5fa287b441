// OpenView: a view that somebody reads.
#pragma once

#include <memory>
#include <optional>

#include "engine/store/snapshot.h"
#include "fsd/tree/node.h"
#include "fsd/views/view.h"

namespace stela::fsd {

class OpenView : public OpenFile {
 public:
  OpenView(std::shared_ptr<View> view, Serving serving, std::optional<FlatColumn> flat)
      : view_(std::move(view)), serving_(serving), flat_(std::move(flat)) {}
  OpenReply describe() const override {
    OpenReply reply{.serving = serving_};
    if (serving_ == Serving::kPassthrough) {
      reply.backing_fd = flat_->file->native_fd();
      reply.backing_key = flat_->file_id;
    }
    return reply;
  }
  Result<size_t> read(uint64_t offset, MutableByteSpan into) override { return view_->read(offset, into); }

 private:
  const std::shared_ptr<View> view_;
  const Serving serving_;
  const std::optional<FlatColumn> flat_;  // pins the file the kernel reads
};

// Bytes made at the open, served without the kernel's cache (as under /proc).
class OpenText : public OpenFile {
 public:
  explicit OpenText(std::string text) : text_(std::move(text)) {}
  OpenReply describe() const override { return {.serving = Serving::kDirect}; }
  Result<size_t> read(uint64_t offset, MutableByteSpan into) override {
    if (offset >= text_.size()) return size_t{0};
    size_t count = std::min(into.size(), text_.size() - static_cast<size_t>(offset));
    std::memcpy(into.data(), text_.data() + offset, count);
    return count;
  }

 private:
  const std::string text_;
};

}  // namespace stela::fsd
