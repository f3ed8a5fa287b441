#include "engine/catalog/catalog.h"

namespace stela::catalog {
namespace {

// Entries stepped over before a seek is cheaper.
constexpr unsigned kStepsMax = 8;

// Keeps in `best` the entry that comes first in the order: greatest birth, then newest install.
bool improves(const FoundEntry& found, const FoundEntry& best) {
  if (found.birth != best.birth) return found.birth > best.birth;
  return found.install > best.install;
}

// Finds the entry of `key` that a reader at `stamp` sees, if its birth is `oldest` or later.
class PointLookup {
 public:
  PointLookup(const CatalogState& state, std::string_view key, Stamp stamp, Sequence oldest)
      : state_(state), key_(key), stamp_(stamp), oldest_(oldest) {}

  Result<bool> find(FoundEntry* visible) {
    for (;;) {
      STELA_ASSIGN(bool any, first_in_order(visible));
      if (!any || visible->birth < oldest_) return false;
      if (!visible->erased) return true;
      if (visible->birth == oldest_) return false;
      stamp_.s = Sequence{visible->birth.value - 1};
    }
  }

 private:
  Result<bool> first_in_order(FoundEntry* best) const {
    bool any = false;
    FoundEntry found;
    for (const auto& table : state_.tables) {
      if (table->find(key_, stamp_, &found) && (!any || improves(found, *best))) {
        *best = found;
        any = true;
      }
    }
    for (const auto& run : state_.runs) {
      const RunInfo& info = run->info();
      if (info.birth_max < oldest_ || info.birth_min > stamp_.s) continue;
      if (any && info.birth_max < best->birth) continue;
      if (any && info.birth_max == best->birth && info.install_max <= best->install) continue;
      STELA_ASSIGN(bool here, run->find(key_, stamp_, &found));
      if (here && (!any || improves(found, *best))) {
        *best = std::move(found);
        any = true;
      }
    }
    return any;
  }

  const CatalogState& state_;
  std::string_view key_;
  Stamp stamp_;
  Sequence oldest_;
};

// Walks an iterator from key to key.
class VisibleScan {
 public:
  VisibleScan(EntryIterator& entries, Stamp stamp) : entries_(entries), stamp_(stamp) {}

  // The iterator stands at the first entry of a key: moves it to the one that is visible. False when
  // there is none; then it may stand anywhere up to the next key.
  bool to_visible() {
    key_.assign(entries_.key());
    steps_ = 0;
    while (same_key()) {
      if (entries_.birth() > stamp_.s) {
        skip_to(stamp_.s, kSequenceMax);
      } else if (entries_.install() > stamp_.q) {
        skip_to(entries_.birth(), stamp_.q);
      } else if (!entries_.erased()) {
        return true;
      } else if (!to_older_birth()) {
        return false;
      }
    }
    return false;
  }

  void to_next_key() {
    for (unsigned steps = 0; same_key(); ++steps) {
      if (steps < kStepsMax) {
        entries_.next();
      } else {
        key_.push_back('\0');
        entries_.seek(key_);
        return;
      }
    }
  }

 private:
  bool same_key() const { return entries_.valid() && entries_.key() == key_; }

  // One step towards (birth, install) of this key, or a jump there after several.
  void skip_to(Sequence birth, Sequence install) {
    if (++steps_ <= kStepsMax) {
      entries_.next();
    } else {
      entries_.seek_to(key_, birth, install);
    }
  }

  bool to_older_birth() {
    const Sequence birth = entries_.birth();
    if (birth.value == 0) return false;
    while (same_key() && entries_.birth() == birth) skip_to(Sequence{birth.value - 1}, kSequenceMax);
    return true;
  }

  EntryIterator& entries_;
  const Stamp stamp_;
  std::string key_;
  unsigned steps_ = 0;
};

}  // namespace

Status CatalogState::get(std::string_view key, Stamp stamp, std::string* value, Sequence* birth) const {
  FoundEntry found;
  STELA_ASSIGN(bool visible, PointLookup(*this, key, stamp, Sequence{0}).find(&found));
  if (!visible) return not_found("there is no such entry in the catalogue");
  if (value != nullptr) value->assign(found.value);
  if (birth != nullptr) *birth = found.birth;
  return {};
}

Status CatalogState::scan(
    std::string_view from, std::string_view to, Stamp stamp,
    const std::function<bool(std::string_view key, std::string_view value, Sequence birth)>& visit) const {
  auto entries = iterator(Sequence{0}, stamp.s);
  VisibleScan visible(*entries, stamp);
  entries->seek(from);
  while (entries->valid() && (to.empty() || entries->key() < to)) {
    if (visible.to_visible() && !visit(entries->key(), entries->value(), entries->birth())) return {};
    visible.to_next_key();
  }
  return entries->status();
}

Result<bool> CatalogState::born_after(std::string_view key, Sequence after) const {
  if (after == kSequenceMax) return false;
  FoundEntry found;
  return PointLookup(*this, key, Stamp{}, Sequence{after.value + 1}).find(&found);
}

std::unique_ptr<EntryIterator> CatalogState::iterator(Sequence from, Sequence to) const {
  std::vector<std::unique_ptr<EntryIterator>> sources;
  sources.reserve(tables.size() + runs.size());
  for (const auto& table : tables) sources.push_back(table->iterator());
  for (const auto& run : runs) {
    const RunInfo& info = run->info();
    if (info.birth_min <= to && info.birth_max >= from) sources.push_back(run->iterator(from, to));
  }
  return merge_iterators(std::move(sources));
}

}  // namespace stela::catalog
