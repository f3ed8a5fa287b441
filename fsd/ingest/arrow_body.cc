#include "fsd/ingest/arrow_body.h"

#include <lz4frame.h>
#include <zstd.h>

#include <cstring>

#include "fsd/arrow/arrow_ipc_generated.h"

namespace stela::fsd {
namespace {

Status lying(const std::string& what) { return invalid("the Arrow file contradicts itself: " + what); }

class MemoryBytes final : public ByteSource {
 public:
  explicit MemoryBytes(Buffer bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_.size(); }
  Status read(uint64_t offset, MutableByteSpan into) override {
    if (offset > bytes_.size() || into.size() > bytes_.size() - offset) return lying("a buffer ends before its values");
    if (!into.empty()) std::memcpy(into.data(), bytes_.data() + offset, into.size());
    return {};
  }

 private:
  Buffer bytes_;
};

bool decompress_zstd(ByteSpan from, MutableByteSpan to) {
  size_t size = ZSTD_decompress(to.data(), to.size(), from.data(), from.size());
  return ZSTD_isError(size) == 0 && size == to.size();
}

bool decompress_lz4(ByteSpan from, MutableByteSpan to) {
  LZ4F_dctx* context = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0) throw std::bad_alloc();
  std::unique_ptr<LZ4F_dctx, decltype(&LZ4F_freeDecompressionContext)> owner(context, &LZ4F_freeDecompressionContext);
  size_t hint = 1;
  while (hint != 0 && !from.empty()) {
    size_t taken = from.size(), made = to.size();
    hint = LZ4F_decompress(context, to.data(), &made, from.data(), &taken, nullptr);
    if (LZ4F_isError(hint) != 0 || (taken == 0 && made == 0)) return false;
    from = from.subspan(taken);
    to = to.subspan(made);
  }
  return hint == 0 && to.empty();
}

// More than a compressed form of so many bytes may take: codecs add little to what they cannot compress.
uint64_t compressed_bytes_max(uint64_t bytes) { return bytes + bytes / 64 + 4096; }

}  // namespace

Result<ArrowBody> ArrowBody::open(ByteSource& source, const ArrowMessage& message, uint64_t bytes_max) {
  ArrowBody out(source);
  if (message.batch->length() < 0)
    return lying("a record batch of " + std::to_string(message.batch->length()) + " rows");
  out.rows_ = static_cast<uint64_t>(message.batch->length());
  STELA_TRY(out.read_places(message));
  const arrow_ipc::BodyCompression* compression = message.batch->compression();
  if (compression == nullptr) return out;
  bool zstd = compression->codec() == arrow_ipc::CompressionType::ZSTD;
  bool known = zstd || compression->codec() == arrow_ipc::CompressionType::LZ4_FRAME;
  if (!known || compression->method() != arrow_ipc::BodyCompressionMethod::BUFFER) {
    return unsupported("this compression of Arrow bodies is not supported; LZ4_FRAME and ZSTD are");
  }
  STELA_TRY(out.decompress(zstd, bytes_max));
  return out;
}

Status ArrowBody::check_used(const Cursor& end) const {
  if (end.node != nodes_.size()) return lying("a record batch has not the nodes of its columns");
  if (end.buffer != buffers_.size()) return lying("a record batch has not the buffers of its columns");
  if (end.views != view_buffers_.size()) return lying("a record batch counts buffers of views that it has not");
  return {};
}

Status ArrowBody::read_places(const ArrowMessage& message) {
  const auto* nodes = message.batch->nodes();
  const auto* buffers = message.batch->buffers();
  if (!is_aligned_vector(nodes) || !is_aligned_vector(buffers)) return lying("the metadata of a batch are not aligned");
  for (size_t i = 0; nodes != nullptr && i < nodes->size(); ++i) {
    const arrow_ipc::FieldNode& node = *nodes->Get(static_cast<uint32_t>(i));
    if (node.length() < 0) return lying("a column of " + std::to_string(node.length()) + " values");
    nodes_.push_back({static_cast<uint64_t>(node.length()), node.null_count()});
  }
  for (size_t i = 0; buffers != nullptr && i < buffers->size(); ++i) {
    const arrow_ipc::Buffer& buffer = *buffers->Get(static_cast<uint32_t>(i));
    auto offset = static_cast<uint64_t>(buffer.offset()), bytes = static_cast<uint64_t>(buffer.length());
    bool inside = buffer.offset() >= 0 && buffer.length() >= 0 && offset <= message.body_bytes &&
                  bytes <= message.body_bytes - offset;
    if (!inside) return lying("a buffer lies outside of its record batch");
    buffers_.push_back({message.body_offset + offset, bytes});
  }
  const auto* counts = message.batch->variadic_buffer_counts();
  if (!is_aligned_vector(counts)) return lying("the metadata of a batch are not aligned");
  for (size_t i = 0; counts != nullptr && i < counts->size(); ++i) {
    int64_t count = counts->Get(static_cast<uint32_t>(i));
    if (count < 0 || static_cast<uint64_t>(count) > buffers_.size()) {
      return lying("a column of views with " + std::to_string(count) + " buffers");
    }
    view_buffers_.push_back(static_cast<uint64_t>(count));
  }
  return {};
}

// A compressed buffer begins with the length of its bytes, -1 where they follow as they are.
Status ArrowBody::decompress(bool zstd, uint64_t bytes_max) {
  std::vector<uint64_t> lengths;
  uint64_t total = 0;
  for (const Place& place : buffers_) {
    lengths.push_back(0);
    if (place.bytes == 0) continue;
    std::byte prefix[8] = {};
    if (place.bytes < sizeof(prefix)) return lying("a compressed buffer is shorter than its own length");
    STELA_TRY(source_->read(place.offset, prefix));
    auto length = get_fixed<int64_t>(prefix);
    uint64_t packed = place.bytes - sizeof(prefix);
    if (length < -1) return lying("a compressed buffer declares " + std::to_string(length) + " bytes");
    lengths.back() = length < 0 ? packed : static_cast<uint64_t>(length);
    if (lengths.back() > bytes_max || (total += lengths.back()) > bytes_max) {
      return {Code::kLimit, "a compressed record batch declares more than " + std::to_string(bytes_max) +
                                " bytes; write smaller batches (pyarrow: chunksize=65536), or without compression"};
    }
    if (packed > compressed_bytes_max(lengths.back())) return lying("a compressed buffer is longer than its contents");
  }
  Buffer out(total);
  Buffer packed;
  uint64_t at = 0;
  for (size_t i = 0; i < buffers_.size(); ++i) {
    if (buffers_[i].bytes == 0) {
      buffers_[i].offset = at;  // of the memory, as the others from now on
      continue;
    }
    packed.resize(buffers_[i].bytes);
    STELA_TRY(source_->read(buffers_[i].offset, packed.span()));
    ByteSpan from = packed.span(8, packed.size() - 8);
    MutableByteSpan to{out.data() + at, lengths[i]};
    bool plain = get_fixed<int64_t>(packed.data()) < 0;
    if (plain && !to.empty()) std::memcpy(to.data(), from.data(), to.size());
    if (!plain && !to.empty() && !(zstd ? decompress_zstd(from, to) : decompress_lz4(from, to))) {
      return lying("a compressed buffer does not hold what it declares");
    }
    buffers_[i] = {at, lengths[i]};
    at += lengths[i];
  }
  memory_ = std::make_unique<MemoryBytes>(std::move(out));
  return {};
}

}  // namespace stela::fsd
