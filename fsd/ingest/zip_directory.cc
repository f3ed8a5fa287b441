#include "fsd/ingest/zip_directory.h"

#include <algorithm>

#include "engine/base/buffer.h"
#include "engine/base/coding.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

constexpr uint32_t kEndMark = 0x06054b50, kEnd64Mark = 0x06064b50, kLocator64Mark = 0x07064b50;
constexpr uint32_t kEntryMark = 0x02014b50, kLocalMark = 0x04034b50;
constexpr uint64_t kEndBytes = 22, kEnd64Bytes = 56, kLocatorBytes = 20, kEntryBytes = 46, kLocalBytes = 30;
// What deflate can make of a byte, and what an empty stream takes.
constexpr uint64_t kDeflateRatioMax = 1032;
constexpr uint64_t kDeflateOverhead = 64;

Status lying(const std::string& what) { return invalid("the zip file contradicts itself: " + what); }

struct DirectoryPlace {
  uint64_t offset = 0, bytes = 0, entries = 0;
  uint64_t end = 0;  // of what may hold members
};

template <typename T>
T field(const Buffer& bytes, uint64_t at) {
  return get_fixed<T>(bytes.data() + at);
}

// The end record, which a comment of up to 64 KiB may follow.
Result<uint64_t> find_end(ByteSource& source, Buffer* record) {
  uint64_t size = source.size();
  uint64_t tail = std::min<uint64_t>(size, kEndBytes + 0xffff);
  Buffer bytes(tail);
  STELA_TRY(source.read(size - tail, bytes.span()));
  for (uint64_t at = tail < kEndBytes ? 0 : tail - kEndBytes + 1; at-- > 0;) {
    if (field<uint32_t>(bytes, at) != kEndMark || at + kEndBytes + field<uint16_t>(bytes, at + 20) != tail) continue;
    *record = Buffer(bytes.span(at, kEndBytes));
    return size - tail + at;
  }
  return invalid("the .npz file is incomplete: it has no end record of a zip file (yet)");
}

Status read_end64(ByteSource& source, uint64_t end, DirectoryPlace* out) {
  if (end < kLocatorBytes) return {};
  Buffer locator(kLocatorBytes);
  STELA_TRY(source.read(end - kLocatorBytes, locator.span()));
  if (field<uint32_t>(locator, 0) != kLocator64Mark) return {};
  auto at = field<uint64_t>(locator, 8);
  if (at > end - kLocatorBytes || end - kLocatorBytes - at < kEnd64Bytes) return lying("its zip64 record is elsewhere");
  Buffer record(kEnd64Bytes);
  STELA_TRY(source.read(at, record.span()));
  if (field<uint32_t>(record, 0) != kEnd64Mark) return lying("its zip64 record is elsewhere");
  if (field<uint32_t>(record, 16) != 0 || field<uint32_t>(record, 20) != 0) {
    return unsupported("zip files of several disks are not supported");
  }
  *out = {field<uint64_t>(record, 48), field<uint64_t>(record, 40), field<uint64_t>(record, 32), at};
  return {};
}

Result<DirectoryPlace> find_directory(ByteSource& source) {
  Buffer record;
  STELA_ASSIGN(uint64_t end, find_end(source, &record));
  DirectoryPlace out{field<uint32_t>(record, 16), field<uint32_t>(record, 12), field<uint16_t>(record, 10), end};
  if (field<uint16_t>(record, 4) != 0 && field<uint16_t>(record, 4) != 0xffff) {
    return unsupported("zip files of several disks are not supported");
  }
  STELA_TRY(read_end64(source, end, &out));
  if (out.offset > out.end || out.bytes > out.end - out.offset) return lying("its directory lies outside of it");
  if (out.entries > out.bytes / kEntryBytes) return lying("it declares more members than its directory has room for");
  if (out.bytes > kZipDirectoryBytesMax) {
    return Status(Code::kLimit, "the directory of the zip file has " + std::to_string(out.bytes) +
                                    " bytes; the limit is " + std::to_string(kZipDirectoryBytesMax));
  }
  return out;
}

// Sizes and the offset that do not fit 32 bits stand in an extra field, those that do not fit only.
Status read_extra64(ByteSpan extra, ZipMember* member, uint64_t* local) {
  while (extra.size() >= 4) {
    auto id = get_fixed<uint16_t>(extra.data()), size = get_fixed<uint16_t>(extra.data() + 2);
    if (size > extra.size() - 4) return {};
    if (id == 1) {
      ByteSpan values = extra.subspan(4, size);
      for (uint64_t* value : {&member->bytes, &member->packed_bytes, local}) {
        if (*value != UINT32_MAX) continue;
        if (values.size() < 8) return lying("a member's zip64 sizes are missing");
        *value = get_fixed<uint64_t>(values.data());
        values = values.subspan(8);
      }
      return {};
    }
    extra = extra.subspan(4 + size);
  }
  return {};
}

Status check_member(const ZipMember& member, uint16_t flags, uint16_t method) {
  if ((flags & 1) != 0) return unsupported("it is encrypted");
  if (method != 0 && method != 8) {
    return unsupported("its compression (zip method " + std::to_string(method) +
                       ") is not supported; stored and deflated are");
  }
  if (method == 0 && member.bytes != member.packed_bytes) return lying("a stored member has two sizes");
  if (method == 8 && member.packed_bytes <= UINT64_MAX / kDeflateRatioMax - kDeflateOverhead &&
      member.bytes > (member.packed_bytes + kDeflateOverhead) * kDeflateRatioMax) {
    return lying("a member declares " + std::to_string(member.bytes) + " bytes, more than deflate can make of its " +
                 std::to_string(member.packed_bytes));
  }
  return {};
}

// Where the member's data are; its own header is before them.
Status find_data(ByteSource& source, const DirectoryPlace& directory, uint64_t local, ZipMember* member) {
  if (local > directory.offset || directory.offset - local < kLocalBytes) return lying("a member lies outside of it");
  Buffer header(kLocalBytes);
  STELA_TRY(source.read(local, header.span()));
  if (field<uint32_t>(header, 0) != kLocalMark) return lying("a member is not where its directory says");
  member->data_offset = local + kLocalBytes + field<uint16_t>(header, 26) + field<uint16_t>(header, 28);
  if (member->data_offset > directory.offset || member->packed_bytes > directory.offset - member->data_offset) {
    return lying("a member lies outside of it");
  }
  return {};
}

struct Extent {
  uint64_t begin = 0, end = 0;
};

}  // namespace

Result<std::vector<ZipMember>> read_zip_directory(ByteSource& source) {
  STELA_ASSIGN(DirectoryPlace directory, find_directory(source));
  Buffer bytes(directory.bytes);
  STELA_TRY(source.read(directory.offset, bytes.span()));
  std::vector<ZipMember> members;
  std::vector<Extent> extents;
  uint64_t at = 0;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    if (bytes.size() - at < kEntryBytes || field<uint32_t>(bytes, at) != kEntryMark)
      return lying("its directory is cut");
    uint64_t name = field<uint16_t>(bytes, at + 28), extra = field<uint16_t>(bytes, at + 30);
    uint64_t whole = kEntryBytes + name + extra + field<uint16_t>(bytes, at + 32);
    if (whole > bytes.size() - at) return lying("its directory is cut");
    ZipMember member;
    member.name = std::string(as_text(bytes.span(at + kEntryBytes, name)));
    auto method = field<uint16_t>(bytes, at + 10);
    member.deflated = method == 8;
    member.crc32 = field<uint32_t>(bytes, at + 16);
    member.packed_bytes = field<uint32_t>(bytes, at + 20);
    member.bytes = field<uint32_t>(bytes, at + 24);
    uint64_t local = field<uint32_t>(bytes, at + 42);
    Status status = read_extra64(bytes.span(at + kEntryBytes + name, extra), &member, &local);
    if (status.ok()) status = check_member(member, field<uint16_t>(bytes, at + 8), method);
    if (status.ok()) status = find_data(source, directory, local, &member);
    if (!status.ok()) return status.with_context("member " + quoted_for_message(member.name));
    extents.push_back({local, member.data_offset + member.packed_bytes});
    members.push_back(std::move(member));
    at += whole;
  }
  std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  for (size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].begin < extents[i - 1].end) return lying("two members overlap");
  }
  return members;
}

}  // namespace stela::fsd
