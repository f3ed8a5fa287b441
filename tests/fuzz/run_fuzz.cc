// Catalogue runs from hostile bytes. The first byte of an input chooses what the rest is:
//   0  a run file as it is
//   1  the payload of a block
//   2  four payloads (data, index, filter, top), each after its length in two bytes, sealed as a writer seals
//      them: what lies behind right checksums
//   3  encoded entries, which make a run; one byte of one copy is then wrong
#include <cstdlib>

#include "engine/catalog/run_block.h"
#include "engine/catalog/run_layout.h"
#include "tests/engine/catalog_fixture.h"

namespace {

using namespace stela;
using namespace stela::catalog;

constexpr FileId kFile{4};

void require(bool condition) {
  if (!condition) std::abort();
}

// Every entry in order; the number of steps is bounded by the bytes that are walked.
std::vector<Entry> walk(EntryIterator& entries, size_t steps_max) {
  std::vector<Entry> out;
  size_t steps = 0;
  for (entries.seek(""); entries.valid() && steps < steps_max; entries.next(), ++steps) {
    Entry entry{std::string(entries.key()), entries.birth(), entries.install(), entries.erased(),
                std::string(entries.value())};
    if (!out.empty()) require(EntryLess{}(out.back(), entry));
    out.push_back(std::move(entry));
  }
  return out;
}

void use_file(const std::string& bytes) {
  auto run = open_run(bytes, kFile, std::make_shared<BlockCache>(1 << 16));
  if (!run.ok()) return;
  const std::vector<Entry> entries = walk(*(*run)->iterator(), 2000);
  const CatalogState state{{}, {*run, *run}};
  for (size_t i = 0; i < entries.size(); i += 1 + entries.size() / 8) {
    std::string value;
    const Stamp stamp{entries[i].birth, entries[i].install};
    Status status = state.get(entries[i].key, stamp, &value);
    require(status.ok() || status.code() == Code::kNotFound || status.code() == Code::kDamaged);
    (void)state.born_after(entries[i].key, entries[i].birth).ok();
    auto iterator = (*run)->iterator(Sequence{0}, entries[i].birth);
    iterator->seek_to(entries[i].key, entries[i].birth, entries[i].install);
    if (iterator->valid()) require(iterator->key() >= entries[i].key);
  }
  size_t visits = 0;
  (void)state.scan("", "", {}, [&](auto, auto, auto) { return ++visits < 2000; }).ok();
  (void)(*run)->verify([](const std::string&) {}).ok();
}

void use_block(std::string_view payload) {
  BlockCursor cursor;
  cursor.open(payload);
  std::string last;
  size_t steps = 0;
  for (cursor.seek_first(); cursor.valid(); cursor.next()) {
    require(cursor.key() >= last && ++steps <= payload.size());
    last.assign(cursor.key());
  }
  const Position target{payload.substr(0, std::min<size_t>(payload.size(), 3)), Sequence{3}, kSequenceMax};
  cursor.seek(target);
  if (cursor.valid()) require(compare(cursor.position(), target) >= 0);
}

void use_payloads(std::string_view bytes) {
  Decoder in(bytes);
  StringWriter file;
  MirrorWriter out(file);
  RunTrailer trailer{.store_id = kTestStore, .file_id = kFile.value};
  trailer.birth_max = trailer.install_max = kSequenceMax;
  for (BlockKind kind : {BlockKind::kData, BlockKind::kIndex, BlockKind::kFilter, BlockKind::kTop}) {
    uint16_t length = 0;
    std::string_view payload;
    if (!in.fixed(&length) || !in.bytes(length, &payload)) return;
    trailer.top = {out.logical_bytes(), payload.size() + kSealBytes};
    const uint32_t seed = block_seed(kTestStore, kFile, out.logical_bytes());
    require(out.append(payload).ok() && out.append(seal_block(payload, kind, seed)).ok());
  }
  trailer.logical_bytes = out.logical_bytes() + kTrailerBytes;
  require(out.append(encode_trailer(trailer)).ok() && out.finish().ok());
  use_file(file.text);
}

void use_entries(std::string_view bytes) {
  Decoder in(bytes);
  uint32_t damage = 0;
  if (!in.fixed(&damage)) return;
  std::vector<Entry> entries;
  for (Entry entry; decode_entry(in, &entry);) {
    std::string again;
    encode_entry(again, entry);
    Decoder copy(again);
    Entry back;
    require(decode_entry(copy, &back) && back == entry && copy.at_end());
    if (entry.key.size() <= kKeyBytesMax) entries.push_back(entry);
  }
  std::sort(entries.begin(), entries.end(), EntryLess{});
  auto same_place = [](const Entry& a, const Entry& b) { return !EntryLess{}(a, b) && !EntryLess{}(b, a); };
  entries.erase(std::unique(entries.begin(), entries.end(), same_place), entries.end());
  std::string file = write_run(entries, kFile, 64 + damage % 100);
  require(!file.empty());
  char& wrong = file[damage % file.size()];
  wrong = static_cast<char>(wrong ^ (1 << (damage >> 29)));
  auto run = open_run(file, kFile);
  require(run.ok() && walk(*(*run)->iterator(), entries.size() + 1) == entries);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > (1 << 16)) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 0: use_file(std::string(rest)); break;
    case 1: use_block(rest); break;
    case 2: use_payloads(rest); break;
    case 3: use_entries(rest); break;
    default: break;
  }
  return 0;
}
