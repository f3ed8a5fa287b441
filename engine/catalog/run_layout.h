// Where the parts of a run file lie: the mirrored address space, seals of blocks, the trailer.
// See run_format.md. Internal to this folder, its tests and fuzz targets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/buffer.h"
#include "engine/base/ids.h"
#include "engine/base/status.h"
#include "engine/catalog/catalog.h"

namespace stela::catalog {

inline constexpr char kRunMagic[] = "STLARUN1";
inline constexpr uint32_t kRunVersion = 1;
inline constexpr uint64_t kMirrorStride = uint64_t{8} << 20;
inline constexpr uint64_t kTrailerBytes = 128;
inline constexpr uint64_t kSealBytes = 5;  // kind, CRC32C
inline constexpr uint64_t kValueBytesMax = uint64_t{16} << 20;
inline constexpr uint64_t kKeyBytesMax = uint64_t{64} << 10;
inline constexpr int kCopies = 2;

enum class BlockKind : uint8_t { kData = 1, kIndex = 2, kFilter = 3, kTop = 4 };
const char* block_kind_name(BlockKind kind);

// A block's place in the logical file (one copy), seal included.
struct BlockHandle {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

// What an index says of a block, or of all blocks of a lower index block.
struct IndexValue {
  BlockHandle block;
  BlockHandle filter;  // of the keys below; in the top only
  Sequence birth_min = kSequenceMax;
  Sequence birth_max;
  Sequence install_max;

  void cover(const IndexValue& other);
};
void encode_index_value(std::string& out, const IndexValue& value, bool with_filter);
bool decode_index_value(std::string_view bytes, bool with_filter, IndexValue* out);

struct RunTrailer {
  uint64_t store_id = 0;
  uint64_t file_id = 0;
  uint64_t logical_bytes = 0;  // of one copy, this trailer included
  uint64_t entries = 0;
  uint64_t blocks = 0;  // data blocks
  Sequence birth_min, birth_max, install_max;
  BlockHandle top;
};
std::string encode_trailer(const RunTrailer& trailer);
// kUnsupported for a newer format; else kDamaged.
Result<RunTrailer> decode_trailer(std::string_view bytes);

// Seed of a block's CRC32C, so that a block moved to another place, file or store is not taken for right.
uint32_t block_seed(uint64_t store_id, FileId file, uint64_t offset);
// Kind and CRC of a payload at `offset`.
std::string seal_block(std::string_view payload, BlockKind kind, uint32_t seed);
bool block_is_sound(ByteSpan block, BlockKind kind, uint32_t seed);

// "catalog/12.run", for messages.
std::string run_name(FileId file);

// Appends a logical file so that each stride of it is followed by its copy. Holds one stride in memory.
class MirrorWriter {
 public:
  explicit MirrorWriter(FileWriter& out) : out_(out) {}
  Status append(std::string_view bytes);
  Status finish() { return flush(); }
  uint64_t logical_bytes() const { return logical_bytes_; }

 private:
  Status flush();
  FileWriter& out_;
  Buffer stride_;
  uint64_t logical_bytes_ = 0;
};

// Reads logical ranges of either copy.
class MirrorReader {
 public:
  // The file's size is even: kDamaged otherwise.
  explicit MirrorReader(std::shared_ptr<FileReader> file) : file_(std::move(file)), bytes_(file_->size() / 2) {}
  uint64_t logical_bytes() const { return bytes_; }
  // `offset` + size within logical_bytes().
  Status read(int copy, uint64_t offset, MutableByteSpan into) const;

 private:
  std::shared_ptr<FileReader> file_;
  uint64_t bytes_;
};

}  // namespace stela::catalog
