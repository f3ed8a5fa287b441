#include "engine/base/ordered_work.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace stela {

OrderedWork::OrderedWork(unsigned threads, size_t pieces_max)
    : threads_(std::max(1u, threads)), pieces_max_(std::max<size_t>(1, pieces_max)) {}

OrderedWork::~OrderedWork() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  given_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

Status OrderedWork::add(std::function<Status()> work, std::function<Status()> land) {
  if (threads_ == 1) return add_small(work, std::move(land));
  {
    std::lock_guard lock(mutex_);
    pieces_.push_back(std::make_unique<Piece>(Piece{std::move(work), std::move(land), State::kWaiting, {}, {}}));
  }
  if (workers_.size() + 1 < std::min<size_t>(threads_, pieces_.size())) add_worker();
  given_.notify_one();
  return land_down_to(pieces_max_);
}

// Without one more the work is done by fewer.
void OrderedWork::add_worker() {
  try {
    workers_.emplace_back([this] { serve(); });
  } catch (const std::system_error&) {
  }
}

Status OrderedWork::add_small(const std::function<Status()>& work, std::function<Status()> land) {
  STELA_TRY(work());
  if (pieces_.empty()) return land();
  {
    std::lock_guard lock(mutex_);
    pieces_.push_back(std::make_unique<Piece>(Piece{nullptr, std::move(land), State::kDone, {}, {}}));
  }
  return land_down_to(pieces_max_);
}

Status OrderedWork::land_down_to(size_t pieces) {
  while (pieces_.size() > pieces) STELA_TRY(land_front());
  return {};
}

Status OrderedWork::finish() { return land_down_to(0); }

void OrderedWork::drop() {
  std::unique_lock lock(mutex_);
  std::erase_if(pieces_, [](const std::unique_ptr<Piece>& piece) { return piece->state == State::kWaiting; });
  done_.wait(lock, [&] {
    return std::ranges::all_of(pieces_, [](const auto& piece) { return piece->state == State::kDone; });
  });
  pieces_.clear();
}

// Works on others while the first is with another thread.
Status OrderedWork::land_front() {
  for (;;) {
    Piece* taken = nullptr;
    {
      std::unique_lock lock(mutex_);
      if (pieces_.front()->state == State::kDone) break;
      taken = take_waiting();
      if (taken == nullptr) done_.wait(lock, [&] { return pieces_.front()->state == State::kDone; });
    }
    if (taken != nullptr) run(*taken);
  }
  std::unique_ptr<Piece> first;
  {
    std::lock_guard lock(mutex_);
    first = std::move(pieces_.front());
    pieces_.pop_front();
  }
  if (first->thrown) std::rethrow_exception(first->thrown);
  STELA_TRY(first->status);
  return first->land();
}

// Under the mutex.
OrderedWork::Piece* OrderedWork::take_waiting() {
  for (const std::unique_ptr<Piece>& piece : pieces_) {
    if (piece->state != State::kWaiting) continue;
    piece->state = State::kRunning;
    return piece.get();
  }
  return nullptr;
}

void OrderedWork::run(Piece& piece) {
  try {
    piece.status = piece.work();
  } catch (...) {  // memory that ran out: the caller's to handle
    piece.thrown = std::current_exception();
  }
  {
    std::lock_guard lock(mutex_);
    piece.state = State::kDone;
  }
  done_.notify_one();
}

void OrderedWork::serve() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    Piece* piece = take_waiting();
    if (piece == nullptr) {
      given_.wait(lock);
      continue;
    }
    lock.unlock();
    run(*piece);
    lock.lock();
  }
}

}  // namespace stela
