// A store on disk whose columns have every encoding, and damage of every kind to its files: what the mount's tree then
// gives of them is the right bytes or EIO. Used by the suite and by the torture program.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/io/manual_clock.h"
#include "engine/store/store.h"
#include "fsd/tree/tree.h"

namespace stela::fsd {

enum class DamageKind : uint8_t { kFlip, kSwap, kCut, kStale };
inline constexpr const char* kDamageNames[] = {"bit flips", "swapped pages", "truncations", "stale pages"};

// Where such stores are best made: in memory, if the machine has a folder there.
std::string damage_folder();

// One thread. The folder is the caller's, empty at first.
class DamagedStore {
 public:
  struct Counts {
    uint64_t damages = 0;
    uint64_t noticed = 0;              // a read gave EIO
    uint64_t passthrough_refused = 0;  // plain files that the kernel would have read were they whole
  };

  // What went wrong, or "".
  std::string make(const std::string& folder, uint64_t seed);
  // One more damage, what files of the dataset then give, and the repair. What went wrong, or "".
  std::string damage_once();

  const Counts& counts(DamageKind kind) const { return counts_[static_cast<size_t>(kind)]; }
  const std::set<format::EncodingId>& encodings() const { return encodings_; }
  uint64_t plain_files() const { return plain_files_; }

 private:
  struct Range {
    std::string file;
    uint64_t offset = 0, bytes = 0;
  };
  struct Dataset {
    std::string path;
    std::map<std::string, std::string> views;  // by path within the tree
    std::set<std::string> passthrough;         // of them, those that the kernel reads
    std::vector<std::string> files;            // of the store
    std::vector<Range> pages;
  };
  struct Look {
    uint64_t errors = 0;
    uint64_t refused = 0;  // plain files that the kernel may not read
  };

  Status write_datasets(const std::string& folder, uint64_t seed);
  Status write_large_pages(Store& store, std::mt19937_64& random);
  Status learn(Dataset& dataset);
  Status look(const Dataset& dataset, bool all, Look* seen, std::string* wrong);
  std::string look_at_view(Tree& tree, const Dataset& dataset, const std::string& path, const std::string& expected,
                           Look* seen);
  std::string look_at_passthrough(const OpenReply& open, const std::string& path, const std::string& expected);
  // What was done, in words; "" when there was nothing to change.
  std::string apply(const Dataset& dataset, DamageKind kind);
  std::string flip(const Dataset& dataset);
  std::string swap(const Dataset& dataset);
  std::string cut(const Dataset& dataset);
  std::string put_stale(const Dataset& dataset);
  void change(const std::string& file, uint64_t offset, std::string bytes);
  void repair();

  std::string folder_;
  std::unique_ptr<SeededRandom> random_;
  std::vector<Dataset> datasets_;
  std::map<std::string, std::string> whole_;    // files of the store
  std::map<std::string, std::string> earlier_;  // files of those names in another store
  std::set<std::string> changed_;
  std::set<format::EncodingId> encodings_;
  uint64_t plain_files_ = 0, done_ = 0;
  Counts counts_[4];
};

}  // namespace stela::fsd
