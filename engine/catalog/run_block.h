// The payload of a block of a run: entries in order, keys prefix-compressed, with restart points.
// Data blocks, index blocks and the top of the index have the same form; see run_format.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/entry_order.h"

namespace stela::catalog {

// Entries between restart points: few bytes for data, no stepping for indexes, which are searched more.
inline constexpr uint32_t kDataRestartInterval = 8;
inline constexpr uint32_t kIndexRestartInterval = 1;

class BlockBuilder {
 public:
  explicit BlockBuilder(uint32_t restart_interval = kDataRestartInterval) : restart_interval_(restart_interval) {}
  // After every entry added before.
  void add(const Position& position, bool erased, std::string_view value);
  bool empty() const { return entries_ == 0; }
  size_t bytes() const { return bytes_.size() + (restarts_.size() + 1) * sizeof(uint32_t); }
  uint64_t entries() const { return entries_; }
  // Key, birth and install of the entry added last; valid until the next add or clear.
  Position last() const { return {last_key_, last_birth_, last_install_}; }
  // Completes the payload; valid until clear().
  std::string_view finish();
  void clear();

 private:
  const uint32_t restart_interval_;
  std::string bytes_;
  std::vector<uint32_t> restarts_;
  std::string last_key_;
  Sequence last_birth_;
  Sequence last_install_;
  uint64_t entries_ = 0;
};

struct EncodedEntry;

// Walks a payload, which need not be well formed: it stops with corrupt() where it is not, and the
// entries it gives are strictly ascending whatever the bytes. The caller keeps the payload alive.
class BlockCursor {
 public:
  // To no entry. With `after_current` the first entry must come after the one the cursor stands at now.
  void open(std::string_view payload, bool after_current = false);
  void seek_first();
  // To the first entry at or after `target`.
  void seek(const Position& target);
  void next();
  bool valid() const { return valid_; }
  bool corrupt() const { return corrupt_; }

  Position position() const { return {key_, birth_, install_}; }
  std::string_view key() const { return key_; }
  Sequence birth() const { return birth_; }
  Sequence install() const { return install_; }
  bool erased() const { return erased_; }
  std::string_view value() const { return value_; }

 private:
  void fail();
  uint32_t restart(uint32_t index) const;
  bool parse(size_t at, EncodedEntry* out) const;
  bool decode();
  bool place_before(const Position& target);

  std::string_view entries_;   // without the restart table
  std::string_view restarts_;  // the table
  size_t at_ = 0;              // where the next entry begins
  std::string key_;
  Sequence birth_;
  Sequence install_;
  std::string_view value_;
  bool erased_ = false;
  bool ordered_ = false;  // the next entry must come after the current one
  bool valid_ = false;
  bool corrupt_ = false;
};

}  // namespace stela::catalog
