// ValidityNames: what is remembered for a while of names like "x.valid.npy", whose removal does nothing and which
// may be written before or after the column they belong to.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "engine/base/ids.h"
#include "engine/io/env.h"

namespace stela::fsd {

// Processes are named by thread group. Thread-safe; bounded.
class ValidityNames {
 public:
  // tar removes what is in its way and creates it anew: whoever removed the name does not find it for a moment.
  static constexpr int64_t kHiddenNs = 5'000'000'000;
  // Who writes the nulls and then, within this time, the values, means both (cp -r over what is there).
  static constexpr int64_t kWrittenNs = 60'000'000'000;
  static constexpr size_t kNamesMax = 4096;

  explicit ValidityNames(Clock& clock) : clock_(clock) {}

  void hide(const std::string& place, uint32_t process) { note(hidden_, place, {process, {}, until(kHiddenNs)}); }
  // It was made again.
  void show(const std::string& place) {
    std::lock_guard lock(mutex_);
    hidden_.erase(place);
    new_.erase(place);
  }
  bool may_be_hidden(const std::string& place) { return find(hidden_, place).until_ns > 0; }
  bool hidden_from(const std::string& place, uint32_t process) {
    Note found = find(hidden_, place);
    return found.until_ns > 0 && found.process == process;
  }

  // A column without nulls has come; whoever copies a dataset creates its nulls next, as a new file.
  void column_written(const std::string& place, uint32_t process) {
    note(new_, place, {process, {}, until(kWrittenNs)});
  }
  bool column_was_written(const std::string& place) { return find(new_, place).until_ns > 0; }
  bool column_written_by(const std::string& place, uint32_t process) {
    Note found = find(new_, place);
    return found.until_ns > 0 && found.process == process;
  }

  // `column`: the content that has these nulls.
  void written(const std::string& place, uint32_t process, ColumnId column) {
    note(written_, place, {process, column, until(kWrittenNs)});
  }
  bool written_by(const std::string& place, uint32_t process, ColumnId column) {
    Note found = find(written_, place);
    return found.until_ns > 0 && found.process == process && found.column == column;
  }

 private:
  struct Note {
    uint32_t process = 0;
    ColumnId column;
    int64_t until_ns = 0;  // 0: there is none
  };
  using Notes = std::unordered_map<std::string, Note>;

  int64_t until(int64_t keep_ns) const { return clock_.monotonic_ns() + keep_ns; }
  void note(Notes& notes, const std::string& place, Note note) {
    std::lock_guard lock(mutex_);
    if (notes.size() >= kNamesMax) {
      std::erase_if(notes, [now = clock_.monotonic_ns()](const auto& kept) { return kept.second.until_ns < now; });
      if (notes.size() >= kNamesMax) notes.clear();
    }
    notes[place] = note;
  }
  Note find(Notes& notes, const std::string& place) {
    std::lock_guard lock(mutex_);
    auto found = notes.find(place);
    if (found == notes.end()) return {};
    if (found->second.until_ns >= clock_.monotonic_ns()) return found->second;
    notes.erase(found);
    return {};
  }

  Clock& clock_;
  std::mutex mutex_;
  Notes hidden_, new_, written_;
};

}  // namespace stela::fsd
