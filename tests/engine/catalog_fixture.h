// Files in memory and random histories for the tests of the catalogue.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "engine/catalog/catalog.h"

namespace stela::catalog {

// `count` times STELA_TEST_SCALE (percent), at least 1.
inline uint64_t scaled(uint64_t count) {
  const char* percent = std::getenv("STELA_TEST_SCALE");
  const uint64_t scale = percent == nullptr ? 100 : std::strtoull(percent, nullptr, 10);
  return std::max<uint64_t>(1, count * scale / 100);
}

class StringWriter final : public FileWriter {
 public:
  Status append(ByteSpan bytes) override {
    text.append(as_text(bytes));
    return {};
  }
  Status fill_head(ByteSpan bytes) override {
    text.replace(0, bytes.size(), as_text(bytes));
    return {};
  }
  uint64_t size() const override { return text.size(); }
  std::string text;
};

class StringReader final : public FileReader {
 public:
  explicit StringReader(std::string bytes) : text(std::move(bytes)) {}
  Status read(std::span<const ReadRange> ranges) override {
    for (const ReadRange& range : ranges) {
      if (range.offset > text.size() || range.into.size() > text.size() - range.offset) {
        return damaged("read past the end");
      }
      std::memcpy(range.into.data(), text.data() + range.offset, range.into.size());
      ++reads;
    }
    return {};
  }
  uint64_t size() const override { return text.size(); }
  std::string text;
  uint64_t reads = 0;
};

inline Entry make_entry(std::string key, uint64_t birth, uint64_t install, std::string value, bool erased = false) {
  return {std::move(key), Sequence{birth}, Sequence{install}, erased, std::move(value)};
}

// Order of tables and runs.
struct EntryLess {
  bool operator()(const Entry& a, const Entry& b) const {
    return std::tuple(std::string_view(a.key), b.birth, b.install) <
           std::tuple(std::string_view(b.key), a.birth, a.install);
  }
};

inline constexpr uint64_t kTestStore = 77;

inline std::string write_run(std::vector<Entry> entries, FileId id, uint32_t block_bytes, RunInfo* info = nullptr) {
  std::sort(entries.begin(), entries.end(), EntryLess{});
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  StringWriter file;
  RunWriter writer(file, id, {.block_bytes = block_bytes, .store_id = kTestStore});
  for (const Entry& entry : entries) {
    if (!writer.add(entry).ok()) return {};
  }
  Result<RunInfo> done = writer.finish();
  if (!done.ok()) return {};
  if (info != nullptr) *info = *done;
  return file.text;
}

inline Result<std::shared_ptr<const RunReader>> open_run(std::string bytes, FileId id,
                                                         std::shared_ptr<BlockCache> cache = nullptr) {
  return RunReader::open(std::make_shared<StringReader>(std::move(bytes)), id, kTestStore, std::move(cache));
}

// The visibility rule, spelled out over all entries ever made.
class Oracle {
 public:
  void add(const Entry& entry) { keys_[entry.key][entry.birth.value][entry.install.value] = &entry; }

  // Null when nothing is visible.
  const Entry* visible(const std::string& key, Stamp stamp) const {
    auto found = keys_.find(key);
    return found == keys_.end() ? nullptr : visible(found->second, stamp);
  }
  std::vector<const Entry*> scan(const std::string& from, const std::string& to, Stamp stamp) const {
    std::vector<const Entry*> out;
    for (const auto& [key, births] : keys_) {
      if (key < from || (!to.empty() && key >= to)) continue;
      if (const Entry* entry = visible(births, stamp)) out.push_back(entry);
    }
    return out;
  }
  bool born_after(const std::string& key, uint64_t after) const {
    const Entry* entry = visible(key, Stamp{});
    return entry != nullptr && entry->birth.value > after;
  }

 private:
  using Installs = std::map<uint64_t, const Entry*>;
  using Births = std::map<uint64_t, Installs>;

  static const Entry* visible(const Births& births, Stamp stamp) {
    for (auto birth = births.rbegin(); birth != births.rend(); ++birth) {
      if (birth->first > stamp.s.value) continue;
      const Entry* newest = nullptr;
      for (const auto& [install, entry] : birth->second) {
        if (install <= stamp.q.value) newest = entry;
      }
      if (newest != nullptr && !newest->erased) return newest;
    }
    return nullptr;
  }

  std::map<std::string, Births> keys_;
};

}  // namespace stela::catalog
