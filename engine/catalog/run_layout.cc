#include "engine/catalog/run_layout.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/base/coding.h"

namespace stela::catalog {

const char* block_kind_name(BlockKind kind) {
  switch (kind) {
    case BlockKind::kData: return "data";
    case BlockKind::kIndex: return "index";
    case BlockKind::kFilter: return "filter";
    case BlockKind::kTop: return "top index";
  }
  return "unknown";
}

void IndexValue::cover(const IndexValue& other) {
  birth_min = std::min(birth_min, other.birth_min);
  birth_max = std::max(birth_max, other.birth_max);
  install_max = std::max(install_max, other.install_max);
}

void encode_index_value(std::string& out, const IndexValue& value, bool with_filter) {
  put_varint(out, value.block.offset);
  put_varint(out, value.block.bytes);
  put_varint(out, value.birth_min.value);
  put_varint(out, value.birth_max.value - value.birth_min.value);
  put_varint(out, value.install_max.value - value.birth_min.value);
  if (!with_filter) return;
  put_varint(out, value.filter.offset);
  put_varint(out, value.filter.bytes);
}

bool decode_index_value(std::string_view bytes, bool with_filter, IndexValue* out) {
  Decoder in(bytes);
  uint64_t births = 0;
  uint64_t installs = 0;
  if (!in.varint(&out->block.offset) || !in.varint(&out->block.bytes) || !in.varint(&out->birth_min.value) ||
      !in.varint(&births) || !in.varint(&installs)) {
    return false;
  }
  out->birth_max = Sequence{out->birth_min.value + births};
  out->install_max = Sequence{out->birth_min.value + installs};
  if (out->birth_max < out->birth_min) return false;
  if (with_filter && (!in.varint(&out->filter.offset) || !in.varint(&out->filter.bytes))) return false;
  return in.at_end();
}

std::string encode_trailer(const RunTrailer& trailer) {
  std::string out(kRunMagic, 8);
  put_fixed(out, kRunVersion);
  put_fixed(out, static_cast<uint32_t>(kTrailerBytes));
  for (uint64_t field : {trailer.store_id, trailer.file_id, trailer.logical_bytes, trailer.entries, trailer.blocks,
                         trailer.birth_min.value, trailer.birth_max.value, trailer.install_max.value,
                         trailer.top.offset, trailer.top.bytes}) {
    put_fixed(out, field);
  }
  out.resize(kTrailerBytes - sizeof(uint32_t), '\0');
  put_fixed(out, crc32c(out));
  return out;
}

Result<RunTrailer> decode_trailer(std::string_view bytes) {
  constexpr size_t kCrcAt = kTrailerBytes - sizeof(uint32_t);
  if (bytes.size() != kTrailerBytes || std::memcmp(bytes.data(), kRunMagic, 8) != 0) {
    return damaged("no trailer of a catalogue run stands at its end");
  }
  if (crc32c(bytes.substr(0, kCrcAt)) != get_fixed<uint32_t>(bytes.data() + kCrcAt)) {
    return damaged("its trailer fails its checksum");
  }
  Decoder in(bytes.substr(8));
  uint32_t version = 0;
  uint32_t trailer_bytes = 0;
  if (!in.fixed(&version) || !in.fixed(&trailer_bytes)) return damaged("its trailer is too short");
  if (version > kRunVersion) {
    return unsupported("it has run format " + std::to_string(version) + ", this Stela reads up to " +
                       std::to_string(kRunVersion) + "; open the store with the newer Stela that wrote it");
  }
  RunTrailer out;
  bool complete = version == kRunVersion && trailer_bytes == kTrailerBytes;
  for (uint64_t* field :
       {&out.store_id, &out.file_id, &out.logical_bytes, &out.entries, &out.blocks, &out.birth_min.value,
        &out.birth_max.value, &out.install_max.value, &out.top.offset, &out.top.bytes}) {
    complete = complete && in.fixed(field);
  }
  if (!complete) return damaged("its trailer is not one of run format 1");
  return out;
}

uint32_t block_seed(uint64_t store_id, FileId file, uint64_t offset) {
  std::string place;
  put_fixed(place, store_id);
  put_fixed(place, file.value);
  put_fixed(place, offset);
  return static_cast<uint32_t>(hash64(place));
}

std::string seal_block(std::string_view payload, BlockKind kind, uint32_t seed) {
  std::string seal(1, static_cast<char>(kind));
  put_fixed(seal, crc32c(seal, crc32c(payload, seed)));
  return seal;
}

bool block_is_sound(ByteSpan block, BlockKind kind, uint32_t seed) {
  if (block.size() < kSealBytes) return false;
  const std::string_view text = as_text(block);
  const size_t crc_at = text.size() - sizeof(uint32_t);
  return text[crc_at - 1] == static_cast<char>(kind) &&
         crc32c(text.substr(0, crc_at), seed) == get_fixed<uint32_t>(text.data() + crc_at);
}

std::string run_name(FileId file) { return "catalog/" + std::to_string(file.value) + ".run"; }

Status MirrorWriter::append(std::string_view bytes) {
  logical_bytes_ += bytes.size();
  while (!bytes.empty()) {
    const size_t step = std::min<size_t>(bytes.size(), kMirrorStride - stride_.size());
    stride_.append(as_bytes(bytes.substr(0, step)));
    bytes.remove_prefix(step);
    if (stride_.size() == kMirrorStride) STELA_TRY(flush());
  }
  return {};
}

Status MirrorWriter::flush() {
  if (stride_.empty()) return {};
  for (int copy = 0; copy < kCopies; ++copy) STELA_TRY(out_.append(stride_.span()));
  stride_.clear();
  return {};
}

Status MirrorReader::read(int copy, uint64_t offset, MutableByteSpan into) const {
  std::vector<ReadRange> ranges;
  while (!into.empty()) {
    const uint64_t start = offset / kMirrorStride * kMirrorStride;
    const uint64_t stride = std::min(kMirrorStride, bytes_ - start);
    const uint64_t within = offset - start;
    const auto step = std::min<uint64_t>(into.size(), stride - within);
    ranges.push_back({2 * start + static_cast<uint64_t>(copy) * stride + within, into.first(step)});
    into = into.subspan(step);
    offset += step;
  }
  return file_->read(ranges);
}

}  // namespace stela::catalog
