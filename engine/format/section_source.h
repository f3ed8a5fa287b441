// SectionSource: checked blocks of one section, through the cache where there is one.
#pragma once

#include <memory>
#include <string>

#include "engine/format/entry_tree.h"
#include "engine/format/fragment.h"

namespace stela::format {

// Immutable, thread-safe.
class SectionSource final : public NodeSource {
 public:
  SectionSource(FragmentContext context, FileId file, uint64_t offset, uint64_t length)
      : context_(std::move(context)), file_(file), offset_(offset), length_(length) {}

  const FragmentContext& context() const { return context_; }
  FileId file() const { return file_; }
  uint64_t length() const { return length_; }
  std::string name() const { return data_file_name(file_, FileKind::kFragment); }
  SealScope scope() const { return {context_.store_id, file_.value, offset_}; }
  uint64_t position(uint64_t offset) const { return offset_ + offset; }  // in the file

  Result<std::shared_ptr<FileReader>> open() const { return context_.source->open(file_, FileKind::kFragment); }
  // Offsets are within the section; kDamaged when they leave it.
  Result<std::shared_ptr<const Buffer>> node(uint64_t offset, uint32_t bytes, const SealPlace& place) const override;
  // The same section, always read from the medium.
  SectionSource uncached() const;

 private:
  FragmentContext context_;
  FileId file_;
  uint64_t offset_;
  uint64_t length_;
};

}  // namespace stela::format
