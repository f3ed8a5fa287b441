// What readers see: one consistent set of tables, runs and tails, and the newest sequence.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "engine/base/ids.h"
#include "engine/catalog/catalog.h"
#include "engine/store/tail.h"

namespace stela::store {

// Immutable once published, but that the newest table and tail set go on growing with what is beyond any
// reader's sequence.
struct State {
  std::shared_ptr<const catalog::CatalogState> catalog;
  std::vector<std::shared_ptr<const TailSet>> tails;  // newest first
  // Of a transaction's branch: its own rows, and the sequence up to which it sees those of `tails`.
  std::shared_ptr<const TailSet> own_tails;
  Sequence base;
};

class StateHolder;

// A state and the sequence up to which it is read; while it lives, nothing that was visible at `q` is
// given back. Move-only.
class ReadView {
 public:
  ReadView() = default;
  ReadView(ReadView&& other) noexcept { *this = std::move(other); }
  ReadView& operator=(ReadView&& other) noexcept;
  ~ReadView();

  const State& state() const { return *state_; }
  const catalog::CatalogState& catalog() const { return *state_->catalog; }
  Sequence q() const { return q_; }
  catalog::Stamp stamp(Sequence s) const { return {s, q_}; }
  catalog::Stamp newest() const { return {q_, q_}; }

 private:
  friend class StateHolder;
  StateHolder* holder_ = nullptr;
  std::shared_ptr<const State> state_;
  Sequence q_;
};

// Thread-safe; its lock is held for a few loads only.
class StateHolder {
 public:
  ReadView view();
  Sequence newest() const;
  std::shared_ptr<const State> current() const;
  // Everything up to `newest` becomes visible.
  void publish(Sequence newest);
  // A changed set of tables, runs and tails; `newest` must cover what moved.
  void replace(std::shared_ptr<const State> state, Sequence newest);
  // No reader has a q below this; the newest sequence when there is none.
  Sequence oldest_pinned() const;
  size_t pins() const;

 private:
  friend class ReadView;
  void unpin(Sequence q);
  mutable std::mutex mutex_;
  std::shared_ptr<const State> state_ = std::make_shared<State>();
  Sequence newest_;
  std::multiset<Sequence> pinned_;
};

}  // namespace stela::store
