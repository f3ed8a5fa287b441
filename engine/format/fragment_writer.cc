#include <malloc.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <thread>

#include "engine/format/chunk_writer.h"
#include "engine/format/fragment.h"
#include "engine/format/section_sink.h"
#include "engine/format/section_trailer.h"

namespace stela::format {
namespace {

constexpr size_t kFlatFilesMax = 256;  // each holds a descriptor until finish()
constexpr uint64_t kPageBytesMin = 4096;
constexpr uint64_t kNodeBytesMin = 512;

ChunkLimits limits_for(const FragmentOptions& options, size_t columns) {
  uint64_t share = options.memory_bytes / std::max<size_t>(columns, 1);
  ChunkLimits limits;
  limits.store_id = options.store_id;
  limits.mode = options.mode;
  limits.page_bytes = std::min({options.page_bytes, options.page_bytes_max, std::max(share / 2, kPageBytesMin)});
  limits.page_bytes = std::max<uint64_t>(limits.page_bytes, 1);
  limits.flat_bytes_min = options.flat_bytes_min;
  limits.buffer_bytes = share;
  limits.statistics_rows = std::max<uint64_t>(options.statistics_rows, 1);
  limits.node_bytes = static_cast<uint32_t>(std::clamp<uint64_t>(share / 16, kNodeBytesMin, kTreeNodeBytesMax));
  return limits;
}

Status check_specs(const std::vector<ColumnSpec>& columns) {
  if (columns.empty()) return invalid("a fragment needs a column");
  std::vector<ColumnId> ids;
  for (const ColumnSpec& spec : columns) {
    STELA_TRY(spec.type.validate().with_context("column " + std::to_string(spec.id.value)));
    ids.push_back(spec.id);
  }
  std::sort(ids.begin(), ids.end());
  if (std::adjacent_find(ids.begin(), ids.end()) != ids.end()) return invalid("a fragment has a column twice");
  return {};
}

// Whatever way a call is left, nothing goes on with its rows.
struct Dropped {
  OrderedWork& work;
  ~Dropped() { work.drop(); }
};

// The caller's among them. The bytes are the same for any number.
unsigned encoding_threads() {
  static const unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1u, 16u);
  return threads;
}

// Of so many columns what was freed is hundreds of megabytes in small pieces. glibc keeps these for the threads that
// share an arena, and the next thread that writes as many takes as much again.
constexpr size_t kManyColumns = 4096;

void give_back_freed_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

// Pieces a flat file is written in.
constexpr uint64_t kPieceMin = 256 << 10, kPieceMax = 2 << 20;

}  // namespace

struct FragmentWriter::Impl : FlatFiles {
  Files& files;
  std::function<FileId()> allocate;
  FragmentOptions options;
  FileId id;
  std::unique_ptr<FileWriter> file;
  std::unique_ptr<SectionSink> sink;
  std::vector<std::unique_ptr<FileWriter>> flats;
  std::vector<DataFile> written;  // the fragment file first
  // Of the section that is open.
  ChunkLimits limits;  // destroyed after the chunks, which refer to it
  std::vector<std::unique_ptr<ChunkWriter>> chunks;
  SectionInfo section;
  OrderedWork work;  // destroyed first: it refers to the chunks

  Impl(Files& f, std::function<FileId()> a, FragmentOptions o)
      : files(f),
        allocate(std::move(a)),
        options(o),
        work(encoding_threads(), 2 * encoding_threads() + 2) {}

  Status open_file() {
    id = allocate();
    STELA_ASSIGN(file, files.create(data_file_name(id, FileKind::kFragment)));
    file->leave_holes();
    sink = std::make_unique<SectionSink>(*file, SealScope{options.store_id, id.value, 0});
    written.push_back({id, FileKind::kFragment, 0});
    return {};
  }

  Result<std::optional<Created>> create_flat() override {
    if (flats.size() >= kFlatFilesMax) return std::optional<Created>();
    FileId flat = allocate();
    STELA_ASSIGN(auto created, files.create(data_file_name(flat, FileKind::kFlat)));
    created->leave_holes();
    // Whole huge pages where few columns share the memory.
    created->gather(
        std::bit_floor(std::clamp<uint64_t>(options.memory_bytes / 4 / chunks.size(), kPieceMin, kPieceMax)));
    flats.push_back(std::move(created));
    written.push_back({flat, FileKind::kFlat, 0});
    section.flats.push_back(flat);
    return std::optional<Created>({flat, flats.back().get()});
  }

  Status check(std::span<const ColumnView> columns) const {
    if (chunks.empty() || columns.size() != chunks.size()) return invalid("rows do not have the fragment's columns");
    for (size_t i = 0; i < columns.size(); ++i) {
      const ColumnSpec& spec = chunks[i]->spec();
      if (*columns[i].type != spec.type || columns[i].rows != columns[0].rows) {
        return invalid("rows of column " + std::to_string(spec.id.value) + " do not have its type or length");
      }
    }
    return {};
  }

  // What was given refers to `columns`: all of it has landed, or was dropped, at the end.
  Status append(std::span<const ColumnView> columns) {
    const Dropped dropped{work};
    for (size_t i = 0; i < columns.size(); ++i) STELA_TRY(chunks[i]->append(columns[i], *sink));
    return work.finish();
  }

  Status end_rows() {
    const Dropped dropped{work};
    for (const auto& chunk : chunks) STELA_TRY(chunk->end_rows(*sink));
    return work.finish();
  }

  Status write_metadata(ChunkWriter& chunk, EntryTreeWriter& table) {
    STELA_ASSIGN(ColumnMetadata metadata, chunk.finish(*sink));
    std::string bytes = encode_column_metadata(metadata);
    put_fixed(bytes, seal(sink->scope(), {SealKind::kColumnMetadata, metadata.id.value, 0, 0}, as_bytes(bytes)));
    STELA_ASSIGN(uint64_t offset, sink->append(as_bytes(bytes)));
    std::string entry;
    put_fixed(entry, metadata.id.value);
    put_fixed(entry, offset);
    put_fixed(entry, static_cast<uint32_t>(bytes.size()));
    put_fixed(entry, uint32_t{0});
    return table.add(metadata.id.value, entry, *sink);
  }

  Status write_trailer(EntryTreeWriter& table) {
    SectionTrailer trailer;
    trailer.rows = section.rows;
    trailer.columns = chunks.size();
    STELA_ASSIGN(EntryTree root, table.finish(*sink));
    put_fixed(root.root, seal(sink->scope(), {SealKind::kColumnTable, 0, root.levels, 0}, as_bytes(root.root)));
    trailer.levels = root.levels;
    trailer.root_count = root.root_count;
    trailer.root_bytes = static_cast<uint32_t>(root.root.size());
    STELA_TRY(sink->append(as_bytes(root.root)).status());
    trailer.section_bytes = sink->section_bytes() + kTrailerBytes;
    return sink->append(as_bytes(encode_trailer(trailer, sink->scope()))).status();
  }
};

FragmentWriter::FragmentWriter(Files& files, std::function<FileId()> allocate, FragmentOptions options)
    : impl_(std::make_unique<Impl>(files, std::move(allocate), options)) {}

FragmentWriter::~FragmentWriter() = default;

Status FragmentWriter::begin_section(std::vector<ColumnSpec> columns) {
  STELA_CHECK(impl_->chunks.empty(), "begin_section before end_section");
  STELA_TRY(check_specs(columns));
  if (impl_->file == nullptr) STELA_TRY(impl_->open_file());
  impl_->sink->begin_section();
  impl_->section = {};
  impl_->section.offset = impl_->sink->scope().section;
  impl_->limits = limits_for(impl_->options, columns.size());
  impl_->limits.work = &impl_->work;
  for (ColumnSpec& spec : columns) {
    impl_->chunks.push_back(std::make_unique<ChunkWriter>(std::move(spec), impl_->limits, *impl_));
  }
  return {};
}

Status FragmentWriter::append(std::span<const ColumnView> columns) {
  STELA_TRY(impl_->check(columns));
  STELA_TRY(impl_->append(columns));
  impl_->section.rows += columns[0].rows;
  return {};
}

Result<SectionInfo> FragmentWriter::end_section() {
  STELA_CHECK(!impl_->chunks.empty(), "end_section before begin_section");
  STELA_TRY(impl_->end_rows());
  std::vector<ChunkWriter*> by_id;
  for (const auto& chunk : impl_->chunks) by_id.push_back(chunk.get());
  std::sort(by_id.begin(), by_id.end(),
            [](const ChunkWriter* a, const ChunkWriter* b) { return a->spec().id < b->spec().id; });
  EntryTreeWriter table(SealKind::kColumnTable, 0, kTreeNodeBytesMax);
  for (ChunkWriter* chunk : by_id) STELA_TRY(impl_->write_metadata(*chunk, table));
  STELA_TRY(impl_->write_trailer(table));
  impl_->section.length = impl_->sink->section_bytes();
  const bool many = impl_->chunks.size() >= kManyColumns;
  impl_->chunks.clear();
  if (many) give_back_freed_memory();
  return impl_->section;
}

Status FragmentWriter::finish() {
  STELA_CHECK(impl_->chunks.empty(), "finish before end_section");
  if (impl_->file == nullptr) return {};
  STELA_TRY(impl_->sink->flush());
  std::vector<FileWriter*> writers{impl_->file.get()};
  for (const auto& flat : impl_->flats) writers.push_back(flat.get());
  STELA_TRY(impl_->files.finish(writers));
  for (size_t i = 0; i < writers.size(); ++i) impl_->written[i].bytes = writers[i]->size();
  return {};
}

FileWriter* FragmentWriter::flat_file() const { return impl_->flats.size() == 1 ? impl_->flats[0].get() : nullptr; }

FileId FragmentWriter::file_id() const { return impl_->id; }

const std::vector<DataFile>& FragmentWriter::files() const { return impl_->written; }

}  // namespace stela::format
