#include "engine/format/flat_writer.h"

#include <algorithm>

namespace stela::format {
namespace {

constexpr uint64_t kValidityPageRows = 65536;
constexpr uint64_t kRunRowsMax = uint64_t{1} << 31;  // rows of a page without nulls
// Values are checksummed and written in pieces that stay in the processor's cache between the two.
constexpr uint64_t kWriteBytes = 512 << 10;

}  // namespace

FlatWriter::FlatWriter(FileWriter& file, FileId id, ColumnSpec spec, uint64_t store, uint32_t node_bytes)
    : file_(file),
      id_(id),
      spec_(std::move(spec)),
      scope_{store, id.value, 0},
      extents_(SealKind::kExtentTree, spec_.id.value, node_bytes),
      pages_(SealKind::kPageTree, spec_.id.value, node_bytes) {}

Status FlatWriter::begin() {
  // The header of any row count has this length: it keeps room for 21 digits.
  std::string header = npy_header(spec_.type, 0);
  header_bytes_ = header.size();
  extent_crc_ = seal_seed(scope_, {SealKind::kFlatExtent, spec_.id.value, 0, 0});
  return file_.append(as_bytes(header));
}

Status FlatWriter::append(const ColumnView& values, NodeSink& sink) {
  STELA_TRY(append_validity(values, sink));
  STELA_TRY(append_values({values.values, static_cast<size_t>(values.value_bytes())}, sink));
  rows_ += values.rows;
  return {};
}

Status FlatWriter::append_values(ByteSpan bytes, NodeSink& sink) {
  while (!bytes.empty()) {
    ByteSpan piece = bytes.first(std::min<size_t>(bytes.size(), kWriteBytes));
    STELA_TRY(checksum(piece, sink));
    STELA_TRY(file_.append(piece));
    bytes = bytes.subspan(piece.size());
  }
  return {};
}

Status FlatWriter::checksum(ByteSpan bytes, NodeSink& sink) {
  while (!bytes.empty()) {
    uint64_t room = kFlatExtentBytes - value_bytes_ % kFlatExtentBytes;
    ByteSpan piece = bytes.first(std::min<size_t>(bytes.size(), room));
    extent_crc_ = crc32c(piece, extent_crc_);
    value_bytes_ += piece.size();
    bytes = bytes.subspan(piece.size());
    if (value_bytes_ % kFlatExtentBytes == 0) STELA_TRY(end_extent(sink));
  }
  return {};
}

Status FlatWriter::end_extent(NodeSink& sink) {
  std::string entry;
  put_fixed(entry, extent_crc_);
  uint64_t ordinal = (value_bytes_ - 1) / kFlatExtentBytes;
  extent_crc_ = seal_seed(scope_, {SealKind::kFlatExtent, spec_.id.value, 0, ordinal + 1});
  return extents_.add(ordinal, entry, sink);
}

Status FlatWriter::append_validity(const ColumnView& values, NodeSink& sink) {
  if (!has_validity_) {
    if (values.null_count() == 0) return {};
    STELA_TRY(begin_validity(sink));
  }
  for (uint64_t row = 0; row < values.rows;) {
    uint64_t count = std::min(values.rows - row, kValidityPageRows - validity_rows_);
    if (values.validity != nullptr) {
      copy_bits(values.validity, values.validity_offset + row, validity_.data(), validity_rows_, count);
    } else {
      for (uint64_t i = 0; i < count; ++i) bit_set(validity_.data(), validity_rows_ + i, true);
    }
    validity_rows_ += count;
    row += count;
    if (validity_rows_ == kValidityPageRows) STELA_TRY(write_validity_page(sink));
  }
  return {};
}

// The rows before the first null become pages without bytes.
Status FlatWriter::begin_validity(NodeSink& sink) {
  has_validity_ = true;
  validity_.assign(kValidityPageRows / 8, 0);
  while (paged_rows_ < rows_) {
    PageEntry entry;
    entry.rows = static_cast<uint32_t>(std::min(rows_ - paged_rows_, kRunRowsMax));
    STELA_TRY(add_page(entry, sink));
  }
  return {};
}

Status FlatWriter::write_validity_page(NodeSink& sink) {
  if (validity_rows_ == 0) return {};
  PageEntry entry;
  entry.rows = static_cast<uint32_t>(validity_rows_);
  entry.nulls = static_cast<uint32_t>(count_zero_bits(validity_.data(), 0, validity_rows_));
  if (entry.nulls == entry.rows) {
    entry.flags = kPageAllNull;
  } else if (entry.nulls > 0) {
    entry.flags = kPageHasValidity;
    entry.front_bytes = static_cast<uint32_t>(entry.validity_bytes());
    ByteSpan bits = std::as_bytes(std::span(validity_)).first(entry.front_bytes);
    entry.front_crc = seal(sink.scope(), {SealKind::kPageFront, spec_.id.value, 0, pages_.entries()}, bits);
    STELA_ASSIGN(entry.offset, sink.append(bits));
  }
  validity_rows_ = 0;
  std::fill(validity_.begin(), validity_.end(), uint8_t{0});
  return add_page(entry, sink);
}

Status FlatWriter::add_page(PageEntry entry, NodeSink& sink) {
  entry.flags |= kPageFlat;
  entry.encoding = static_cast<uint16_t>(EncodingId::kPlain);
  entry.ordinal = pages_.entries();
  entry.first_row = paged_rows_;
  entry.nulls_before = paged_nulls_;
  entry.value_bytes_before = paged_rows_ * spec_.type.value_width();
  paged_rows_ += entry.rows;
  paged_nulls_ += entry.nulls;
  return pages_.add(entry.first_row, encode_page_entry(entry), sink);
}

Status FlatWriter::finish(NodeSink& sink, ColumnMetadata* metadata) {
  if (value_bytes_ % kFlatExtentBytes != 0) STELA_TRY(end_extent(sink));
  if (has_validity_) STELA_TRY(write_validity_page(sink));
  std::string header = npy_header(spec_.type, rows_);
  STELA_CHECK(header.size() == header_bytes_, std::to_string(header.size()));
  STELA_TRY(file_.fill_head(as_bytes(header)));
  metadata->flat = FlatInfo{id_, header_bytes_, header_bytes_ + value_bytes_};
  STELA_ASSIGN(metadata->extents, extents_.finish(sink));
  STELA_ASSIGN(metadata->pages, pages_.finish(sink));
  return {};
}

}  // namespace stela::format
