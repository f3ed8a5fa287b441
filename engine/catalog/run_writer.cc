#include <algorithm>

#include "engine/catalog/bloom.h"
#include "engine/catalog/catalog.h"
#include "engine/catalog/run_block.h"
#include "engine/catalog/run_layout.h"

namespace stela::catalog {
namespace {

constexpr uint32_t kBlockBytesMin = 64;
constexpr uint32_t kBlockBytesMax = uint32_t{4} << 20;
constexpr size_t kFilterKeysMax = 32768;  // a filter block of 40 KiB

}  // namespace

// Data blocks are written as they fill; after some of them comes the index block and the filter of
// their keys; last the top of the index. So memory is bounded by a block of each and the mirror's stride.
struct RunWriter::Impl {
  Impl(FileWriter& writer, FileId id, const RunOptions& run_options)
      : out(writer),
        file(id),
        store_id(run_options.store_id),
        block_bytes(std::clamp(run_options.block_bytes, kBlockBytesMin, kBlockBytesMax)) {}

  Status add(const Entry& entry);
  Status write_block(std::string_view payload, BlockKind kind, BlockHandle* handle);
  Status flush_data();
  Status flush_index();
  Status finish(RunInfo* info);

  MirrorWriter out;
  const FileId file;
  const uint64_t store_id;
  const uint32_t block_bytes;

  BlockBuilder data;
  BlockBuilder index{kIndexRestartInterval};
  BlockBuilder top{kIndexRestartInterval};
  IndexValue data_stamps;   // of the entries in `data`
  IndexValue index_stamps;  // of the blocks in `index`
  IndexValue run_stamps;
  std::vector<uint64_t> hashes;  // of the distinct keys below `index` and in `data`
  std::string last_key;
  Sequence last_birth, last_install;
  std::string value_text;
  uint64_t entries = 0;
  uint64_t blocks = 0;
  Status failed;  // the first error; every later call returns it
};

Status RunWriter::Impl::add(const Entry& entry) {
  const Position position{entry.key, entry.birth, entry.install};
  STELA_CHECK(entries == 0 || compare({last_key, last_birth, last_install}, position) < 0,
              run_name(file) + ": entries out of order");
  if (entry.key.size() > kKeyBytesMax) return {Code::kLimit, "a catalogue key is longer than 64 KiB"};
  if (entry.value.size() > kValueBytesMax) return {Code::kLimit, "a catalogue value is larger than 16 MiB"};
  // A large entry gets a block of its own, so that reading its neighbours does not read it.
  if (!data.empty() && data.bytes() + entry.key.size() + entry.value.size() > block_bytes) STELA_TRY(flush_data());
  if (hashes.empty() || entry.key != last_key) hashes.push_back(bloom_hash(entry.key));
  data.add(position, entry.erased, entry.value);
  data_stamps.cover({.birth_min = entry.birth, .birth_max = entry.birth, .install_max = entry.install});
  last_key = entry.key;
  last_birth = entry.birth;
  last_install = entry.install;
  ++entries;
  return data.bytes() >= block_bytes ? flush_data() : Status();
}

Status RunWriter::Impl::write_block(std::string_view payload, BlockKind kind, BlockHandle* handle) {
  *handle = {out.logical_bytes(), payload.size() + kSealBytes};
  STELA_TRY(out.append(payload));
  return out.append(seal_block(payload, kind, block_seed(store_id, file, handle->offset)));
}

Status RunWriter::Impl::flush_data() {
  if (data.empty()) return {};
  STELA_TRY(write_block(data.finish(), BlockKind::kData, &data_stamps.block));
  value_text.clear();
  encode_index_value(value_text, data_stamps, false);
  index.add(data.last(), false, value_text);
  index_stamps.cover(data_stamps);
  data_stamps = {};
  data.clear();
  ++blocks;
  return index.bytes() >= block_bytes || hashes.size() >= kFilterKeysMax ? flush_index() : Status();
}

Status RunWriter::Impl::flush_index() {
  if (index.empty()) return {};
  STELA_TRY(write_block(index.finish(), BlockKind::kIndex, &index_stamps.block));
  STELA_TRY(write_block(build_bloom(hashes), BlockKind::kFilter, &index_stamps.filter));
  value_text.clear();
  encode_index_value(value_text, index_stamps, true);
  top.add(index.last(), false, value_text);
  run_stamps.cover(index_stamps);
  index_stamps = {};
  index.clear();
  hashes.clear();
  return {};
}

Status RunWriter::Impl::finish(RunInfo* info) {
  STELA_TRY(flush_data());
  STELA_TRY(flush_index());
  RunTrailer trailer{.store_id = store_id, .file_id = file.value, .entries = entries, .blocks = blocks};
  if (entries > 0) trailer.birth_min = run_stamps.birth_min;
  trailer.birth_max = run_stamps.birth_max;
  trailer.install_max = run_stamps.install_max;
  STELA_TRY(write_block(top.finish(), BlockKind::kTop, &trailer.top));
  trailer.logical_bytes = out.logical_bytes() + kTrailerBytes;
  STELA_TRY(out.append(encode_trailer(trailer)));
  STELA_TRY(out.finish());
  *info = {.file = file,
           .bytes = trailer.logical_bytes * kCopies,
           .entries = entries,
           .birth_min = trailer.birth_min,
           .birth_max = trailer.birth_max,
           .install_max = trailer.install_max};
  return {};
}

RunWriter::RunWriter(FileWriter& out, FileId file, RunOptions options)
    : impl_(std::make_unique<Impl>(out, file, options)) {}
RunWriter::~RunWriter() = default;

Status RunWriter::add(const Entry& entry) {
  STELA_TRY(impl_->failed);
  Status status = impl_->add(entry);
  if (!status.ok()) impl_->failed = status.with_context("writing " + run_name(impl_->file));
  return impl_->failed;
}

Result<RunInfo> RunWriter::finish() {
  STELA_TRY(impl_->failed);
  RunInfo info;
  Status status = impl_->finish(&info);
  if (status.ok()) return info;
  impl_->failed = status.with_context("writing " + run_name(impl_->file));
  return impl_->failed;
}

}  // namespace stela::catalog
