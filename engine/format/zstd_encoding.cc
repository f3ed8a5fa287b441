#include "engine/format/zstd_encoding.h"

#include <zstd.h>

namespace stela::format {
namespace {

// A level, and about how many nanoseconds it takes for a byte in chunks of 32 KiB (zstd -b -B32KB on text). Times are a
// table and not a clock's, so that the same values always become the same bytes.
struct Level {
  int number;
  double nanoseconds;
};
constexpr Level kLevels[] = {{1, 4}, {7, 18}, {15, 150}};
// The time budget: for each nanosecond more that a byte takes, so many bytes of it must be saved.
constexpr double kSavedPerNanosecond = 4e-5;
constexpr double kWorthwhile = 0.98;  // what a prefix must leave of the bytes without one

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class ZstdCompressor final : public ChunkCompressor {
 public:
  // The level is what the data are worth within the time budget, told by a chunk from their midst. So is the prefix.
  ZstdCompressor(ByteSpan first, ByteSpan second) : context_(ZSTD_createCCtx()) {
    if (context_ == nullptr) throw std::bad_alloc();
    const ByteSpan looked = second.empty() ? first : second;
    double least = 0, best_price = 0;
    for (const Level& level : kLevels) {
      const double size = size_at(level.number, looked, {});
      const double price = size + static_cast<double>(looked.size()) * level.nanoseconds * kSavedPerNanosecond;
      if (level_ == 0 || price < best_price) {
        level_ = level.number;
        best_price = price;
      }
      least = least == 0 ? size : std::min(least, size);
    }
    if (second.empty()) return;
    uses_prefix_ = size_at(level_, second, first) < least * kWorthwhile;
  }
  bool uses_prefix() const override { return uses_prefix_; }
  Status compress(ByteSpan raw, ByteSpan prefix, Buffer& out) override {
    const size_t at = out.size(), bound = ZSTD_compressBound(raw.size());
    out.resize(at + bound);
    const size_t size = compress_at(level_, raw, prefix, out.data() + at, bound);
    if (ZSTD_isError(size)) return {Code::kLimit, std::string("zstd: ") + ZSTD_getErrorName(size)};
    out.resize(at + size);
    return {};
  }

 private:
  size_t compress_at(int level, ByteSpan raw, ByteSpan prefix, std::byte* to, size_t room) {
    ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_and_parameters);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_refPrefix(context_.get(), prefix.data(), prefix.size());
    return ZSTD_compress2(context_.get(), to, room, raw.data(), raw.size());
  }
  double size_at(int level, ByteSpan raw, ByteSpan prefix) {
    Buffer compressed(ZSTD_compressBound(raw.size()));
    const size_t size = compress_at(level, raw, prefix, compressed.data(), compressed.size());
    return static_cast<double>(ZSTD_isError(size) ? raw.size() : size);
  }
  std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
  int level_ = 0;
  bool uses_prefix_ = false;
};

// A context costs more than a small chunk does; a thread keeps its own.
ZSTD_DCtx* reader_context() {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  if (context == nullptr) throw std::bad_alloc();
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
  return context.get();
}

}  // namespace

std::unique_ptr<ChunkCompressor> ZstdEncoding::compressor(ByteSpan first, ByteSpan second) const {
  return std::make_unique<ZstdCompressor>(first, second);
}

uint64_t ZstdEncoding::sampled_bytes(ByteSpan raw) const {
  Buffer compressed(ZSTD_compressBound(raw.size()));
  const size_t size = ZSTD_compress(compressed.data(), compressed.size(), raw.data(), raw.size(), 3);
  return ZSTD_isError(size) ? raw.size() : size;
}

Status ZstdEncoding::decompress(ByteSpan stored, ByteSpan prefix, MutableByteSpan to) const {
  ZSTD_DCtx* context = reader_context();
  ZSTD_DCtx_refPrefix(context, prefix.data(), prefix.size());
  const size_t size = ZSTD_decompressDCtx(context, to.data(), to.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) || size != to.size()) return damaged("a chunk of a zstd page does not give its values");
  return {};
}

}  // namespace stela::format
