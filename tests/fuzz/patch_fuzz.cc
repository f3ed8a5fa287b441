// The catalogue's entries, of patches, folds and deleted rows most of all: what decodes comes back the same from its own bytes.
#include <cstdlib>

#include "engine/store/entries.h"
#include "engine/store/living_rows.h"
#include "engine/store/patch_entry.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

template <typename Entry>
void round_trip(std::string_view bytes) {
  auto entry = Entry::decode(bytes);
  if (!entry.ok()) return require(!entry.status().message().empty());
  std::string again = entry->encode();
  auto back = Entry::decode(again);
  require(back.ok() && back->encode() == again);
}

void rows_round_trip(std::string_view bytes) {
  auto rows = stela::store::decode_rows(bytes);
  if (!rows.ok()) return;
  for (size_t i = 1; i < rows->size(); ++i) require((*rows)[i - 1] < (*rows)[i]);
  auto back = stela::store::decode_rows(stela::store::encode_rows(*rows));
  require(back.ok() && *back == *rows);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  round_trip<stela::store::PatchEntry>(bytes);
  round_trip<stela::store::DeletedEntry>(bytes);
  round_trip<stela::store::FoldEntry>(bytes);
  round_trip<stela::store::NameEntry>(bytes);
  round_trip<stela::store::NodeEntry>(bytes);
  round_trip<stela::store::VersionEntry>(bytes);
  round_trip<stela::store::TagEntry>(bytes);
  round_trip<stela::store::ColumnEntry>(bytes);
  round_trip<stela::store::ColumnNameEntry>(bytes);
  round_trip<stela::store::FragmentEntry>(bytes);
  round_trip<stela::store::FileEntry>(bytes);
  rows_round_trip(bytes);
  auto patch = stela::store::PatchEntry::decode(bytes);
  if (patch.ok()) {
    rows_round_trip(patch->written);
    rows_round_trip(patch->carried);
  }
  stela::store::LivingRowsReader reader(3000);
  std::string key(8, '\0');
  if (reader.add(key, bytes).ok()) {
    stela::store::LivingRows living = reader.finish();
    require(living.rows() <= 3000 && living.end() <= 3000);
  }
  return 0;
}
