#include "engine/catalog/run_block.h"

#include <algorithm>

#include "engine/base/coding.h"

namespace stela::catalog {
namespace {

// A varint at `*at`; one byte in most cases, so not by way of Decoder.
inline bool take_varint(std::string_view bytes, size_t* at, uint64_t* value) {
  if (*at < bytes.size() && static_cast<uint8_t>(bytes[*at]) < 0x80) {
    *value = static_cast<uint8_t>(bytes[(*at)++]);
    return true;
  }
  Decoder decoder(bytes.substr(std::min(*at, bytes.size())));
  if (!decoder.varint(value)) return false;
  *at = bytes.size() - decoder.rest().size();
  return true;
}

size_t common_prefix(std::string_view a, std::string_view b) {
  const size_t limit = std::min(a.size(), b.size());
  size_t shared = 0;
  while (shared < limit && a[shared] == b[shared]) ++shared;
  return shared;
}

}  // namespace

void BlockBuilder::add(const Position& position, bool erased, std::string_view value) {
  size_t shared = 0;
  if (entries_ % restart_interval_ == 0) {
    restarts_.push_back(static_cast<uint32_t>(bytes_.size()));
  } else {
    shared = common_prefix(last_key_, position.key);
  }
  put_varint(bytes_, shared);
  put_varint(bytes_, position.key.size() - shared);
  put_varint(bytes_, position.birth.value);
  put_varint(bytes_, position.install.value - position.birth.value);
  put_varint(bytes_, (uint64_t{value.size()} << 1) | (erased ? 1 : 0));
  bytes_.append(position.key.substr(shared));
  bytes_.append(value);
  last_key_.assign(position.key);
  last_birth_ = position.birth;
  last_install_ = position.install;
  ++entries_;
}

std::string_view BlockBuilder::finish() {
  for (uint32_t restart : restarts_) put_fixed(bytes_, restart);
  put_fixed(bytes_, static_cast<uint32_t>(restarts_.size()));
  return bytes_;
}

void BlockBuilder::clear() {
  bytes_.clear();
  restarts_.clear();
  entries_ = 0;
}

void BlockCursor::fail() {
  corrupt_ = true;
  valid_ = false;
}

void BlockCursor::open(std::string_view payload, bool after_current) {
  ordered_ = after_current && ordered_;
  valid_ = false;
  corrupt_ = false;
  at_ = 0;
  entries_ = restarts_ = {};
  if (payload.size() < sizeof(uint32_t)) return fail();
  const size_t body = payload.size() - sizeof(uint32_t);
  const auto count = get_fixed<uint32_t>(payload.data() + body);
  if (count > body / sizeof(uint32_t)) return fail();
  const size_t table = count * sizeof(uint32_t);
  entries_ = payload.substr(0, body - table);
  restarts_ = payload.substr(body - table, table);
  if (entries_.empty() != restarts_.empty()) return fail();
}

uint32_t BlockCursor::restart(uint32_t index) const {
  return get_fixed<uint32_t>(restarts_.data() + size_t{index} * sizeof(uint32_t));
}

// An entry as it stands in the block.
struct EncodedEntry {
  uint64_t shared = 0;
  std::string_view suffix;
  Sequence birth, install;
  bool erased = false;
  std::string_view value;
  size_t end = 0;
};

// False where the bytes are wrong.
bool BlockCursor::parse(size_t at, EncodedEntry* out) const {
  uint64_t unshared = 0, birth = 0, delta = 0, tail = 0;
  const bool complete = take_varint(entries_, &at, &out->shared) && take_varint(entries_, &at, &unshared) &&
                        take_varint(entries_, &at, &birth) && take_varint(entries_, &at, &delta) &&
                        take_varint(entries_, &at, &tail);
  const uint64_t value_bytes = tail >> 1;
  if (!complete || unshared > entries_.size() - at || value_bytes > entries_.size() - at - unshared) return false;
  out->suffix = {entries_.data() + at, unshared};
  out->birth = Sequence{birth};
  out->install = Sequence{birth + delta};
  out->erased = (tail & 1) != 0;
  out->value = {entries_.data() + at + unshared, value_bytes};
  out->end = at + unshared + value_bytes;
  return true;
}

// Reads the entry at at_. False at the end and where the bytes are wrong.
bool BlockCursor::decode() {
  valid_ = false;
  if (at_ >= entries_.size()) return false;
  EncodedEntry entry;
  bool right = parse(at_, &entry) && entry.shared <= (ordered_ ? key_.size() : 0);
  if (right && ordered_) {
    int order = entry.suffix.compare(std::string_view(key_).substr(entry.shared));
    if (order == 0) order = compare_stamps(entry.birth, entry.install, birth_, install_);
    right = order > 0;
  }
  if (!right) {
    fail();
    return false;
  }
  key_.resize(entry.shared);
  key_.append(entry.suffix);
  birth_ = entry.birth;
  install_ = entry.install;
  erased_ = entry.erased;
  value_ = entry.value;
  at_ = entry.end;
  ordered_ = true;
  valid_ = true;
  return true;
}

void BlockCursor::seek_first() {
  if (corrupt_) return;
  at_ = 0;
  decode();
}

void BlockCursor::next() { decode(); }

// Stands at the last restart point whose entry comes before `target`, or at the first one.
bool BlockCursor::place_before(const Position& target) {
  uint32_t low = 0;
  auto high = static_cast<uint32_t>(restarts_.size() / sizeof(uint32_t));
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    const uint32_t at = restart(middle);
    EncodedEntry entry;
    if (at >= entries_.size() || !parse(at, &entry) || entry.shared != 0) {
      fail();
      return false;
    }
    (compare({entry.suffix, entry.birth, entry.install}, target) < 0 ? low : high) = middle;
  }
  at_ = low == 0 ? 0 : restart(low);
  ordered_ = false;
  return true;
}

void BlockCursor::seek(const Position& target) {
  if (corrupt_) return;
  valid_ = false;
  if (entries_.empty() || !place_before(target)) return;
  while (decode() && compare(position(), target) < 0) {
  }
}

}  // namespace stela::catalog
