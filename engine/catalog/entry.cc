#include "engine/catalog/catalog.h"
#include "engine/catalog/entry_order.h"

namespace stela::catalog {

// key, birth, install - birth (0 for what a commit writes; wraps), erased, value.
void encode_entry(std::string& out, const Entry& entry) {
  put_text(out, entry.key);
  put_varint(out, entry.birth.value);
  put_varint(out, entry.install.value - entry.birth.value);
  out.push_back(entry.erased ? 1 : 0);
  put_text(out, entry.value);
}

bool decode_entry(Decoder& in, Entry* out) {
  Entry entry;
  uint64_t birth = 0;
  uint64_t delta = 0;
  uint8_t erased = 0;
  if (!in.text(&entry.key) || !in.varint(&birth) || !in.varint(&delta) || !in.fixed(&erased)) return false;
  if (erased > 1 || !in.text(&entry.value)) return false;
  entry.birth = Sequence{birth};
  entry.install = Sequence{birth + delta};
  entry.erased = erased == 1;
  *out = std::move(entry);
  return true;
}

void EntryIterator::seek_to(std::string_view key, Sequence birth, Sequence install) {
  const std::string target(key);  // `key` may point into this iterator
  seek(target);
  while (valid() && compare({this->key(), this->birth(), this->install()}, {target, birth, install}) < 0) next();
}

}  // namespace stela::catalog
