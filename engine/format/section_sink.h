// SectionSink: the sections of one fragment file, appended through a buffer so that small pages of many
// columns do not each cost a call to the file.
#pragma once

#include "engine/format/entry_tree.h"
#include "engine/io/env.h"

namespace stela::format {

// Not thread-safe; the file must outlive it.
class SectionSink final : public NodeSink {
 public:
  SectionSink(FileWriter& file, SealScope scope) : file_(file), scope_(scope) {}
  // The next section begins where the file ends now.
  void begin_section() { scope_.section = position(); }
  Result<uint64_t> append(ByteSpan bytes) override;
  const SealScope& scope() const override { return scope_; }
  uint64_t section_bytes() const { return position() - scope_.section; }
  Status flush();

 private:
  uint64_t position() const { return written_ + buffer_.size(); }
  FileWriter& file_;
  SealScope scope_;
  uint64_t written_ = 0;
  Buffer buffer_;
};

}  // namespace stela::format
