// Committer: what a flush and a merge of runs change in the state.
#include "engine/store/committer.h"

namespace stela::store {

Committer::Cut Committer::cut() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !leading_; });
  Cut result;
  result.table = table_;
  result.tails = tails_;
  result.log = writer_->tail();
  result.time_ns = newest_time_ns_;
  result.next_node = next_node_;
  auto table = std::make_shared<catalog::MemTable>();
  auto tails = std::make_shared<TailSet>();
  auto state = core_.states.current();
  result.runs = state->catalog->runs;
  auto catalog = std::make_shared<catalog::CatalogState>(*state->catalog);
  catalog->tables.insert(catalog->tables.begin(), table);
  auto next = std::make_shared<State>(*state);
  next->catalog = std::move(catalog);
  next->tails.insert(next->tails.begin(), tails);
  // From here on nothing allocates: memory that ran out before has changed nothing.
  newest_ = result.sequence = Sequence{newest_.value + 1};
  table_ = std::move(table);
  tails_ = std::move(tails);
  core_.states.replace(std::move(next), newest_);
  return result;
}

void Committer::finish_cut(const Cut& cut, const std::vector<std::shared_ptr<const catalog::MemTable>>& tables,
                           const std::vector<std::shared_ptr<const TailSet>>& tails,
                           std::vector<std::shared_ptr<const catalog::RunReader>> runs) {
  std::lock_guard lock(mutex_);
  auto state = core_.states.current();
  auto catalog = std::make_shared<catalog::CatalogState>(*state->catalog);
  for (const auto& table : tables) std::erase(catalog->tables, table);
  catalog->runs.insert(catalog->runs.begin(), runs.begin(), runs.end());
  auto next = std::make_shared<State>(*state);
  next->catalog = std::move(catalog);
  for (const auto& frozen : tails) std::erase(next->tails, frozen);
  core_.states.replace(std::move(next), cut.sequence);
  log_checkpoint_ = cut.log.position;
}

void Committer::replace_runs(const std::function<std::vector<std::shared_ptr<const catalog::RunReader>>(
                                 const std::vector<std::shared_ptr<const catalog::RunReader>>&)>& change) {
  std::lock_guard lock(mutex_);
  auto state = core_.states.current();
  auto catalog = std::make_shared<catalog::CatalogState>(*state->catalog);
  catalog->runs = change(catalog->runs);
  auto next = std::make_shared<State>(*state);
  next->catalog = std::move(catalog);
  core_.states.replace(std::move(next), {});
}

}  // namespace stela::store
