#include "engine/format/section_sink.h"

namespace stela::format {
namespace {

constexpr size_t kBufferBytes = 256 << 10;

}  // namespace

Result<uint64_t> SectionSink::append(ByteSpan bytes) {
  uint64_t offset = section_bytes();
  bool is_large = bytes.size() >= kBufferBytes / 2;
  // Large pieces go past the buffer, never past what it holds.
  if (is_large || buffer_.size() + bytes.size() > kBufferBytes) STELA_TRY(flush());
  if (is_large) {
    STELA_TRY(file_.append(bytes));
    written_ += bytes.size();
  } else {
    buffer_.append(bytes);
  }
  return offset;
}

Status SectionSink::flush() {
  if (buffer_.empty()) return {};
  STELA_TRY(file_.append(buffer_.span()));
  written_ += buffer_.size();
  buffer_.clear();
  return {};
}

}  // namespace stela::format
