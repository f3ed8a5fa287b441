#include "engine/format/page_reader.h"

#include "engine/format/damage_text.h"
#include "engine/format/page_validity.h"

namespace stela::format {
namespace {

// A page's front is cached apart from the whole page, under a position no file reaches.
constexpr uint64_t kFrontKey = uint64_t{1} << 63;

const Encoding& encoding_of(const PageEntry& entry) {
  const Encoding* encoding = find_encoding(EncodingId{entry.encoding});
  STELA_CHECK(encoding != nullptr, std::to_string(entry.encoding));  // decode_page_entry() refused it
  return *encoding;
}

uint64_t first_row_at(const TreeLeaf& leaf, uint32_t index) {
  return get_fixed<uint64_t>(leaf.payload.data() + size_t{index} * kPageEntryBytes + sizeof(uint64_t));
}

const uint8_t* bits_of(ByteSpan validity) { return reinterpret_cast<const uint8_t*>(validity.data()); }

}  // namespace

Result<PageEntry> page_entry_of(const TreeLeaf& leaf, uint32_t index, const ColumnMetadata& metadata,
                                uint64_t section_bytes) {
  if (index >= leaf.count || leaf.payload.size() != size_t{leaf.count} * kPageEntryBytes) {
    return damaged("a block of the page list does not have the size of its entries");
  }
  return decode_page_entry(leaf.payload.substr(size_t{index} * kPageEntryBytes, kPageEntryBytes), metadata.type,
                           {section_bytes, metadata.rows});
}

bool PageCursor::holds(uint64_t row) const {
  if (leaf_.count == 0 || row < first_row_at(leaf_, 0)) return false;
  Result<PageEntry> last = page_entry_of(leaf_, leaf_.count - 1, metadata_, source_.length());
  return last.ok() && row < last->end_row();
}

Result<PageEntry> PageCursor::seek(uint64_t row) {
  auto located = [&](const Status& status) {
    return status.with_context(source_.name() + ": column " + std::to_string(metadata_.id.value));
  };
  if (!holds(row)) {
    auto leaf = find_leaf(metadata_.pages, {SealKind::kPageTree, metadata_.id.value}, row, source_);
    leaf_ = {};
    if (!leaf.ok()) return located(leaf.status());
    if (leaf->count == 0 || leaf->payload.size() != size_t{leaf->count} * kPageEntryBytes) {
      return located(damaged("a block of the page list does not have the size of its entries"));
    }
    leaf_ = std::move(leaf).value();
  }
  uint32_t low = 0, high = leaf_.count;
  while (high - low > 1) {
    uint32_t middle = low + (high - low) / 2;
    (first_row_at(leaf_, middle) <= row ? low : high) = middle;
  }
  Result<PageEntry> entry = page_entry_of(leaf_, low, metadata_, source_.length());
  if (!entry.ok()) return located(entry.status());
  if (row < entry->first_row || row >= entry->end_row() || entry->is_flat() != metadata_.flat.has_value()) {
    return located(damaged("no page holds row " + std::to_string(row)));
  }
  return entry;
}

Status PageReader::located(const PageEntry& entry, const Status& status) const {
  if (status.code() != Code::kDamaged) return status;
  return damage_status(source_.name(),
                       {source_.file(), metadata_.id, entry.ordinal, entry.first_row, entry.rows, status.message()});
}

Status PageReader::check_seals(const PageEntry& entry, ByteSpan front, ByteSpan values) const {
  uint64_t column = metadata_.id.value;
  if (!front.empty() &&
      !seal_matches(entry.front_crc, source_.scope(), {SealKind::kPageFront, column, 0, entry.ordinal}, front)) {
    return damaged("the checksum of validity and lengths is wrong");
  }
  if (!values.empty() &&
      !seal_matches(entry.values_crc, source_.scope(), {SealKind::kPageValues, column, 0, entry.ordinal}, values)) {
    return damaged("the checksum of the values is wrong");
  }
  return {};
}

// `holder` has the front, and the values behind it unless only the front is there.
Result<PageBytes> PageReader::page_bytes(const PageEntry& entry, std::shared_ptr<const Buffer> holder) const {
  PageBytes page;
  page.holder = std::move(holder);
  const ByteSpan all = page.holder->span();
  uint64_t validity_bytes = entry.validity_bytes();
  if (entry.has_validity_runs()) {
    const uint64_t runs = get_fixed<uint32_t>(all.data());
    if (runs > entry.front_bytes - sizeof(uint32_t)) {
      return located(entry, damaged("the runs of its validity are longer than its front"));
    }
    auto bits = decode_validity_runs(as_text(all.subspan(sizeof(uint32_t), runs)), entry.rows);
    if (!bits.ok()) return located(entry, bits.status());
    page.bits = std::move(bits).value();
    page.validity = page.bits.span();
    validity_bytes = sizeof(uint32_t) + runs;
  } else {
    page.validity = all.first(validity_bytes);
  }
  page.encoded = all.subspan(validity_bytes);
  if (!entry.has_chunks()) return page;
  ByteSpan front = all.subspan(validity_bytes, entry.front_bytes - validity_bytes);
  auto table = ChunkTable::take(front, entry.rows, entry.stored_bytes);
  if (!table.ok()) return located(entry, table.status());
  page.chunks = std::move(table).value();
  page.encoded = front;
  if (all.size() == entry.front_bytes) return page;
  if (page.chunks->is_in_order()) {
    page.encoded = {front.data(), front.size() + entry.stored_bytes};
    return page;
  }
  page.joined.resize(page.chunks->encoded_bytes());
  page.chunks->place_shared(front, page.joined.data());
  for (uint32_t number = 0; number < page.chunks->chunks(); ++number) {
    const PageChunk& chunk = page.chunks->chunk(number);
    page.chunks->place_chunk(number, all.subspan(entry.front_bytes + chunk.offset, chunk.bytes), page.joined.data());
  }
  page.encoded = page.joined.span();
  return page;
}

Result<PageBytes> PageReader::load(const PageEntry& entry, Part part, bool keep) const {
  uint64_t position = source_.position(entry.offset);
  uint64_t whole = uint64_t{entry.front_bytes} + entry.stored_bytes;
  uint64_t bytes = part == Part::kFront ? entry.front_bytes : whole;
  catalog::BlockCache* cache = source_.context().cache.get();
  uint64_t key = part == Part::kFront ? position | kFrontKey : position;
  if (cache != nullptr && bytes > 0) {
    auto cached = cache->find(source_.file().value, key);
    if (cached != nullptr && cached->size() == bytes) return page_bytes(entry, std::move(cached));
  }
  auto buffer = make_pooled<Buffer>(bytes);
  if (bytes > 0) {
    STELA_ASSIGN(auto reader, source_.open());
    Status read = reader->read_at(position, buffer->span());
    if (!read.ok()) return located(entry, read);
  }
  ByteSpan values = part == Part::kFront ? ByteSpan() : buffer->span(entry.front_bytes, entry.stored_bytes);
  Status sealed = check_seals(entry, buffer->span(0, entry.front_bytes), values);
  if (!sealed.ok()) return located(entry, sealed);
  if (keep && cache != nullptr && bytes > 0) cache->insert(source_.file().value, key, buffer);
  return page_bytes(entry, std::move(buffer));
}

Status PageReader::check_chunk(const PageEntry& entry, const ChunkTable& table, uint32_t number, ByteSpan bytes) const {
  const SealPlace place{SealKind::kPageChunk, metadata_.id.value, number, entry.ordinal};
  if (seal_matches(table.chunk(number).crc, source_.scope(), place, bytes)) return {};
  return damaged("the checksum of chunk " + std::to_string(number) + " is wrong");
}

// Of a whole page.
Status PageReader::check_chunks(const PageEntry& entry, const PageBytes& page) const {
  for (uint32_t number = 0; page.chunks && number < page.chunks->chunks(); ++number) {
    const PageChunk& chunk = page.chunks->chunk(number);
    STELA_TRY(located(entry, check_chunk(entry, *page.chunks, number,
                                         page.holder->span(entry.front_bytes + chunk.offset, chunk.bytes))));
  }
  return {};
}

// Those that are not in the cache are read together, and kept there.
Result<PooledVector<std::shared_ptr<const Buffer>>> PageReader::read_chunks(
    const PageEntry& entry, const ChunkTable& table, const PooledVector<uint32_t>& numbers) const {
  catalog::BlockCache* cache = source_.context().cache.get();
  PooledVector<std::shared_ptr<const Buffer>> found(numbers.size());
  PooledVector<std::pair<size_t, std::shared_ptr<Buffer>>> missing;
  PooledVector<ReadRange> ranges;
  auto position_of = [&](const PageChunk& chunk) {
    return source_.position(entry.offset) + entry.front_bytes + chunk.offset;
  };
  for (size_t i = 0; i < numbers.size(); ++i) {
    const PageChunk& chunk = table.chunk(numbers[i]);
    if (cache != nullptr && chunk.bytes > 0) found[i] = cache->find(source_.file().value, position_of(chunk));
    if (found[i] != nullptr && found[i]->size() == chunk.bytes) continue;
    missing.emplace_back(i, make_pooled<Buffer>(chunk.bytes));
    found[i] = missing.back().second;
    if (chunk.bytes > 0) ranges.push_back({position_of(chunk), missing.back().second->span()});
  }
  if (!ranges.empty()) {
    STELA_ASSIGN(auto reader, source_.open());
    STELA_TRY(reader->read(ranges));
  }
  for (const auto& [i, buffer] : missing) {
    const PageChunk& chunk = table.chunk(numbers[i]);
    STELA_TRY(check_chunk(entry, table, numbers[i], buffer->span()));
    if (cache != nullptr && chunk.bytes > 0) cache->insert(source_.file().value, position_of(chunk), buffer);
  }
  return found;
}

// Makes `page`, a front, the encoded page with no more than some of its chunks in it; the others are zeros.
Status PageReader::join_chunks(const PageEntry& entry, const PooledVector<uint32_t>& numbers, PageBytes& page) const {
  auto chunks = read_chunks(entry, *page.chunks, numbers);
  if (!chunks.ok()) return located(entry, chunks.status());
  page.joined.append_zeros(page.chunks->encoded_bytes());
  page.chunks->place_shared(page.encoded, page.joined.data());
  for (size_t i = 0; i < numbers.size(); ++i) {
    page.chunks->place_chunk(numbers[i], (*chunks)[i]->span(), page.joined.data());
  }
  page.encoded = page.joined.span();
  return {};
}

Result<PageBytes> PageReader::load_rows(const PageEntry& entry, std::span<const uint32_t> rows) const {
  if (!entry.has_chunks()) return load(entry, Part::kWhole, true);
  STELA_ASSIGN(PageBytes page, load(entry, Part::kFront, true));
  PooledVector<uint32_t> numbers;
  for (uint32_t row : rows) {
    const uint32_t number = page.chunks->chunk_of(row);
    if (numbers.empty() || numbers.back() != number) numbers.push_back(number);
  }
  STELA_TRY(join_chunks(entry, numbers, page));
  return page;
}

Result<PageBytes> PageReader::load_range(const PageEntry& entry, uint64_t first, uint64_t count) const {
  if (!entry.has_chunks()) return load(entry, Part::kWhole, true);
  STELA_ASSIGN(PageBytes page, load(entry, Part::kFront, true));
  PooledVector<uint32_t> numbers;
  const uint32_t end = page.chunks->chunk_of(first + count - 1) + 1;
  for (uint32_t number = page.chunks->chunk_of(first); number < end; ++number) numbers.push_back(number);
  STELA_TRY(join_chunks(entry, numbers, page));
  return page;
}

// A whole page of plain values goes from the file into the column's memory.
Status PageReader::read_in_place(const PageEntry& entry, ColumnData& out) const {
  if (entry.stored_bytes != entry.value_bytes || (entry.front_bytes != entry.validity_bytes() && !entry.has_chunks())) {
    return located(entry, damaged("the size of a plain page is wrong"));
  }
  STELA_ASSIGN(auto reader, source_.open());
  Buffer front(entry.front_bytes);
  std::byte* to = out.grow_fixed(entry.rows);
  MutableByteSpan values{to, entry.stored_bytes};
  uint64_t position = source_.position(entry.offset);
  ReadRange ranges[2] = {{position + entry.front_bytes, values}, {position, front.span()}};
  Status read = reader->read(std::span(ranges, entry.front_bytes > 0 ? 2 : 1));
  if (read.ok()) read = check_seals(entry, front.span(), values);
  if (!read.ok()) return located(entry, read);
  if (entry.has_validity()) out.set_validity_of_last(entry.rows, bits_of(front.span()), 0);
  return {};
}

Status PageReader::read(const PageEntry& entry, uint64_t first, uint64_t count, ColumnData& out) const {
  if (entry.all_null()) {
    out.append_nulls(count);
    return {};
  }
  const Encoding& encoding = encoding_of(entry);
  bool whole = count == entry.rows;
  if (whole && encoding.is_identity(metadata_.type) && !entry.has_validity_runs()) return read_in_place(entry, out);
  if (count == 0) return {};
  STELA_ASSIGN(PageBytes page, whole ? load(entry, Part::kWhole, false) : load_range(entry, first, count));
  Status decoded = encoding.decode_range(page.encoded, metadata_.type, entry.rows, first, count, out);
  if (!decoded.ok()) return located(entry, decoded);
  if (page.validity.empty()) return {};
  out.set_validity_of_last(count, bits_of(page.validity), first);
  if (!encoding.is_identity(metadata_.type)) out.fill_nulls_of_last(count);
  return {};
}

Status PageReader::read_rows(const PageEntry& entry, std::span<const uint32_t> wanted, ColumnData& out) const {
  if (entry.all_null()) {
    out.append_nulls(wanted.size());
    return {};
  }
  STELA_ASSIGN(PageBytes page, load_rows(entry, wanted));
  Status decoded = encoding_of(entry).decode_rows(page.encoded, metadata_.type, entry.rows, wanted, out);
  if (!decoded.ok()) return located(entry, decoded);
  if (page.validity.empty()) return {};
  PooledVector<uint8_t> bits((wanted.size() + 7) / 8);
  for (size_t i = 0; i < wanted.size(); ++i) bit_set(bits.data(), i, bit_get(bits_of(page.validity), wanted[i]));
  out.set_validity_of_last(wanted.size(), bits.data(), 0);
  if (!encoding_of(entry).is_identity(metadata_.type)) out.fill_nulls_of_last(wanted.size());
  return {};
}

Result<EncodedPage> PageReader::encoded(const PageEntry& entry) const {
  EncodedPage out{nullptr, entry.first_row, entry.rows, {}, {}, nullptr};
  if (entry.all_null()) return out;
  STELA_ASSIGN(PageBytes loaded, load(entry, Part::kWhole, false));
  STELA_TRY(check_chunks(entry, loaded));
  auto page = std::make_shared<const PageBytes>(std::move(loaded));
  out.encoding = &encoding_of(entry);
  out.validity = page->validity;
  if (!entry.is_flat()) {
    auto form = out.encoding->form(page->encoded, metadata_.type, entry.rows);
    if (!form.ok()) return located(entry, form.status());
    out.form = std::move(form).value();
  }
  out.holder = std::move(page);
  return out;
}

Status PageReader::copy_validity(const PageEntry& entry, uint64_t first, uint64_t count, uint8_t* to,
                                 uint64_t to_bit) const {
  if (!entry.has_validity()) {
    for (uint64_t i = 0; i < count; ++i) bit_set(to, to_bit + i, !entry.all_null());
    return {};
  }
  STELA_ASSIGN(PageBytes page, load(entry, Part::kFront, true));
  copy_bits(bits_of(page.validity), first, to, to_bit, count);
  return {};
}

Result<uint64_t> PageReader::nulls_until(const PageEntry& entry, uint64_t count) const {
  if (count == entry.rows) return uint64_t{entry.nulls};
  if (entry.all_null()) return count;
  if (entry.nulls == 0 || count == 0) return uint64_t{0};
  STELA_ASSIGN(PageBytes page, load(entry, Part::kFront, true));
  return count_zero_bits(bits_of(page.validity), 0, count);
}

Result<uint64_t> PageReader::value_bytes_until(const PageEntry& entry, uint64_t count) const {
  if (count == entry.rows) return uint64_t{entry.value_bytes};
  if (entry.all_null() || count == 0) return uint64_t{0};
  STELA_ASSIGN(PageBytes page, load(entry, Part::kFront, true));
  if (page.chunks && !page.chunks->has_lengths_in_front()) {
    STELA_ASSIGN(page, load_range(entry, 0, count));
  }
  auto bytes = encoding_of(entry).value_bytes(page.encoded, metadata_.type, entry.rows, 0, count);
  if (!bytes.ok()) return located(entry, bytes.status());
  return bytes;
}

Status PageReader::verify(const PageEntry& entry) const {
  if (entry.all_null()) return {};
  STELA_ASSIGN(PageBytes page, load(entry, Part::kWhole, false));
  if (entry.has_validity() && count_zero_bits(bits_of(page.validity), 0, entry.rows) != entry.nulls) {
    return located(entry, damaged("its nulls are not as many as its page list says"));
  }
  if (entry.is_flat()) return {};
  STELA_TRY(check_chunks(entry, page));
  ColumnData decoded(metadata_.type);
  return located(entry,
                 encoding_of(entry).decode_range(page.encoded, metadata_.type, entry.rows, 0, entry.rows, decoded));
}

}  // namespace stela::format
