#include "engine/format/page_entry.h"

namespace stela::format {
namespace {

bool sizes_fit(const PageEntry& entry, const DataType& type, const PageLimits& limits) {
  if (entry.rows == 0 || entry.rows > limits.rows || entry.first_row > limits.rows - entry.rows) return false;
  uint64_t bytes = uint64_t{entry.front_bytes} + entry.stored_bytes;
  if (bytes > limits.section_bytes || entry.offset > limits.section_bytes - bytes) return false;
  const uint64_t validity_min = entry.has_validity_runs() ? sizeof(uint32_t) : entry.validity_bytes();
  const uint64_t front_min = validity_min + (entry.has_chunks() ? sizeof(uint32_t) : 0);
  if (entry.nulls > entry.rows || entry.front_bytes < front_min) return false;
  // What is decoded into memory of its own has a limit.
  const bool bounded = entry.has_validity_runs() || entry.has_chunks() || entry.encoding != static_cast<uint16_t>(EncodingId::kPlain);
  if (bounded && (entry.rows > kPageRowsMax || entry.value_bytes > kPageValueBytesMax)) return false;
  if (!type.is_variable() && !entry.is_flat() && entry.value_bytes != entry.rows * type.value_width()) return false;
  return entry.nulls_before <= entry.first_row;
}

bool flags_agree(const PageEntry& entry) {
  uint8_t known = kPageAllNull | kPageHasValidity | kPageFlat;
  if (entry.version >= kPageVersionRuns) known |= kPageValidityRuns;
  if (entry.version >= kPageVersionChunks) known |= kPageChunks;
  if ((entry.flags & ~known) != 0) return false;
  if (entry.has_chunks() && (entry.all_null() || entry.is_flat())) return false;
  if (entry.has_validity_runs() && (!entry.has_validity() || entry.is_flat())) return false;
  if (entry.all_null()) return entry.nulls == entry.rows && !entry.has_validity() && entry.front_bytes == 0;
  return entry.has_validity() == (entry.nulls > 0);
}

}  // namespace

std::string encode_page_entry(const PageEntry& entry) {
  std::string out;
  out.reserve(kPageEntryBytes);
  for (uint64_t number : {entry.offset, entry.first_row, entry.nulls_before, entry.value_bytes_before, entry.ordinal}) {
    put_fixed(out, number);
  }
  for (uint32_t number : {entry.rows, entry.nulls, entry.value_bytes, entry.front_bytes, entry.stored_bytes,
                          entry.front_crc, entry.values_crc}) {
    put_fixed(out, number);
  }
  put_fixed(out, entry.encoding);
  put_fixed(out, entry.version);
  put_fixed(out, entry.flags);
  return out;
}

Result<PageEntry> decode_page_entry(std::string_view bytes, const DataType& type, const PageLimits& limits) {
  PageEntry entry;
  Decoder in(bytes);
  for (uint64_t* number :
       {&entry.offset, &entry.first_row, &entry.nulls_before, &entry.value_bytes_before, &entry.ordinal}) {
    in.fixed(number);
  }
  for (uint32_t* number : {&entry.rows, &entry.nulls, &entry.value_bytes, &entry.front_bytes, &entry.stored_bytes,
                           &entry.front_crc, &entry.values_crc}) {
    in.fixed(number);
  }
  in.fixed(&entry.encoding);
  in.fixed(&entry.version);
  in.fixed(&entry.flags);
  if (in.failed()) return damaged("an entry of a page list is cut short");
  if (entry.version < kPageVersion || entry.version > kPageVersionChunks) {
    return unsupported("page version " + std::to_string(entry.version) + " is of a newer Stela");
  }
  if (!flags_agree(entry) || !sizes_fit(entry, type, limits))
    return damaged("an entry of a page list contradicts itself");
  const Encoding* encoding = find_encoding(EncodingId{entry.encoding});
  if (encoding == nullptr) {
    return unsupported("page encoding " + std::to_string(entry.encoding) + " is of a newer Stela");
  }
  if (!encoding->supports(type)) {
    return damaged("a page of " + type.name() + " says it is " + encoding->name() + ", which does not hold such values");
  }
  return entry;
}

}  // namespace stela::format
