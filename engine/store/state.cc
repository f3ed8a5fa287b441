#include "engine/store/state.h"

#include <algorithm>
#include <utility>

namespace stela::store {

ReadView& ReadView::operator=(ReadView&& other) noexcept {
  std::swap(holder_, other.holder_);
  std::swap(state_, other.state_);
  std::swap(q_, other.q_);
  return *this;
}

ReadView::~ReadView() {
  if (holder_ != nullptr) holder_->unpin(q_);
}

ReadView StateHolder::view() {
  std::lock_guard lock(mutex_);
  pinned_.insert(newest_);
  ReadView view;
  view.holder_ = this;
  view.state_ = state_;
  view.q_ = newest_;
  return view;
}

Sequence StateHolder::newest() const {
  std::lock_guard lock(mutex_);
  return newest_;
}

std::shared_ptr<const State> StateHolder::current() const {
  std::lock_guard lock(mutex_);
  return state_;
}

void StateHolder::publish(Sequence newest) {
  std::lock_guard lock(mutex_);
  newest_ = std::max(newest_, newest);
}

void StateHolder::replace(std::shared_ptr<const State> state, Sequence newest) {
  std::lock_guard lock(mutex_);
  state_.swap(state);
  newest_ = std::max(newest_, newest);
}

Sequence StateHolder::oldest_pinned() const {
  std::lock_guard lock(mutex_);
  return pinned_.empty() ? newest_ : *pinned_.begin();
}

size_t StateHolder::pins() const {
  std::lock_guard lock(mutex_);
  return pinned_.size();
}

void StateHolder::unpin(Sequence q) {
  std::lock_guard lock(mutex_);
  pinned_.erase(pinned_.find(q));
}

}  // namespace stela::store
