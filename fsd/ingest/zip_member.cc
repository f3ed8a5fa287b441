#include "fsd/ingest/zip_member.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "engine/base/buffer.h"

namespace stela::fsd {
namespace {

constexpr size_t kPieceBytes = 64 << 10;

Status not_as_declared() {
  return invalid("the zip file contradicts itself: the member's contents are not what its directory declares");
}

uint32_t crc_of(uint32_t crc, ByteSpan bytes) {
  while (!bytes.empty()) {
    auto count = static_cast<uInt>(std::min<size_t>(bytes.size(), 1 << 30));
    crc = static_cast<uint32_t>(::crc32(crc, reinterpret_cast<const Bytef*>(bytes.data()), count));
    bytes = bytes.subspan(count);
  }
  return crc;
}

class StoredMember final : public ZipMemberSource {
 public:
  StoredMember(ByteSource& source, const ZipMember& member) : source_(source), member_(member) {}
  uint64_t size() const override { return member_.bytes; }

  Status read(uint64_t offset, MutableByteSpan into) override {
    STELA_TRY(source_.read(member_.data_offset + offset, into));
    // Bytes not seen before, as long as they come in order.
    if (offset <= checked_ && offset + into.size() > checked_) {
      crc_ = crc_of(crc_, into.subspan(checked_ - offset));
      checked_ = offset + into.size();
    }
    return {};
  }

  Status verify() override {
    Buffer piece;
    while (checked_ < member_.bytes) {
      piece.resize(std::min<uint64_t>(kPieceBytes, member_.bytes - checked_));
      STELA_TRY(read(checked_, piece.span()));
    }
    return crc_ == member_.crc32 ? Status() : not_as_declared();
  }

 private:
  ByteSource& source_;
  ZipMember member_;
  uint64_t checked_ = 0;
  uint32_t crc_ = 0;
};

class DeflatedMember final : public ZipMemberSource {
 public:
  // `keep`: all of it stays in memory, for reads in any order.
  DeflatedMember(ByteSource& source, const ZipMember& member, bool keep)
      : source_(source), member_(member), keep_(keep) {}
  ~DeflatedMember() override {
    if (started_) ::inflateEnd(&stream_);
  }
  DeflatedMember(const DeflatedMember&) = delete;
  DeflatedMember& operator=(const DeflatedMember&) = delete;
  uint64_t size() const override { return member_.bytes; }

  Status read(uint64_t offset, MutableByteSpan into) override {
    if (!started_ || offset < window_begin_) STELA_TRY(restart());
    STELA_TRY(keep_ ? inflate_all() : skip_to(offset));
    size_t have = window_.size() - static_cast<size_t>(offset - window_begin_);
    if (have < into.size()) {
      size_t before = window_.size();
      window_.resize(before + into.size() - have);
      STELA_TRY(inflate_into(window_.span().subspan(before)));
    }
    if (!into.empty()) std::memcpy(into.data(), window_.data() + (offset - window_begin_), into.size());
    return {};
  }

  Status verify() override {
    if (!started_) STELA_TRY(restart());
    STELA_TRY(keep_ ? inflate_all() : skip_to(member_.bytes));
    std::byte more{};
    stream_.next_out = reinterpret_cast<Bytef*>(&more);
    stream_.avail_out = 1;
    // The end of the stream may stand behind its last byte.
    while (!ended_ && stream_.avail_out == 1) STELA_TRY(step());
    bool as_declared = ended_ && stream_.avail_out == 1 && packed_left_ == 0 && stream_.avail_in == 0;
    return as_declared && crc_ == member_.crc32 ? Status() : not_as_declared();
  }

 private:
  Status restart() {
    if (started_) ::inflateEnd(&stream_);
    started_ = false;
    stream_ = {};
    // Raw deflate: zip has no zlib header.
    if (::inflateInit2(&stream_, -MAX_WBITS) != Z_OK)
      return {Code::kNoMemory, "there is no memory to inflate a member"};
    started_ = true;
    ended_ = false;
    packed_at_ = member_.data_offset;
    packed_left_ = member_.packed_bytes;
    window_.resize(0);
    window_begin_ = 0;
    crc_ = 0;
    return {};
  }

  Status inflate_all() {
    if (window_.size() == member_.bytes) return {};
    window_.resize(member_.bytes);
    return inflate_into(window_.span());
  }

  // Drops the window below `offset`, which is not before it.
  Status skip_to(uint64_t offset) {
    uint64_t drop = std::min<uint64_t>(offset - window_begin_, window_.size());
    size_t kept = window_.size() - static_cast<size_t>(drop);
    if (drop > 0 && kept > 0) std::memmove(window_.data(), window_.data() + drop, kept);
    window_.resize(kept);
    window_begin_ += drop;
    while (window_begin_ < offset) {
      window_.resize(std::min<uint64_t>(kPieceBytes, offset - window_begin_));
      STELA_TRY(inflate_into(window_.span()));
      window_begin_ += window_.size();
      window_.resize(0);
    }
    return {};
  }

  // Fills `into`, which lies within the declared size.
  Status inflate_into(MutableByteSpan into) {
    MutableByteSpan left = into;
    while (!left.empty()) {
      auto count = static_cast<uInt>(std::min<size_t>(left.size(), 1 << 30));
      stream_.next_out = reinterpret_cast<Bytef*>(left.data());
      stream_.avail_out = count;
      if (ended_) return not_as_declared();
      STELA_TRY(step());
      left = left.subspan(count - stream_.avail_out);
    }
    crc_ = crc_of(crc_, into);
    return {};
  }

  Status step() {
    if (stream_.avail_in == 0 && packed_left_ > 0) {
      packed_.resize(std::min<uint64_t>(kPieceBytes, packed_left_));
      STELA_TRY(source_.read(packed_at_, packed_.span()));
      packed_at_ += packed_.size();
      packed_left_ -= packed_.size();
      stream_.next_in = packed_.as<Bytef>();
      stream_.avail_in = static_cast<uInt>(packed_.size());
    }
    int result = ::inflate(&stream_, Z_NO_FLUSH);
    ended_ = result == Z_STREAM_END;
    bool stuck = result == Z_BUF_ERROR && packed_left_ == 0;
    if (ended_ || (result == Z_OK || (result == Z_BUF_ERROR && !stuck))) return {};
    if (result == Z_MEM_ERROR) return {Code::kNoMemory, "there is no memory to inflate a member"};
    return not_as_declared();
  }

  ByteSource& source_;
  ZipMember member_;
  const bool keep_;
  z_stream stream_ = {};
  bool started_ = false;
  bool ended_ = false;
  uint64_t packed_at_ = 0, packed_left_ = 0;
  Buffer packed_;
  Buffer window_;  // inflated bytes from window_begin_ on; the stream goes on behind them
  uint64_t window_begin_ = 0;
  uint32_t crc_ = 0;
};

}  // namespace

Result<std::unique_ptr<ZipMemberSource>> open_zip_member(ByteSource& source, const ZipMember& member, bool in_order) {
  if (!member.deflated) return std::unique_ptr<ZipMemberSource>(std::make_unique<StoredMember>(source, member));
  if (!in_order && member.bytes > kZipMemberInMemoryMax) {
    return Status(Code::kLimit, "a compressed array in Fortran order may have " +
                                    std::to_string(kZipMemberInMemoryMax) +
                                    " bytes at most; save it in C order (numpy.ascontiguousarray), or uncompressed");
  }
  return std::unique_ptr<ZipMemberSource>(std::make_unique<DeflatedMember>(source, member, !in_order));
}

}  // namespace stela::fsd
