// TreeContext: what all nodes of one tree share.
//
// Locks: each member has its own and is never called with another held, except that a draft holds its own
// while its rows are committed. No lock here is held while the store is called.
#pragma once

#include <memory>
#include <string>

#include "fsd/tree/draft.h"
#include "fsd/tree/dropped_types.h"
#include "fsd/tree/error_log.h"
#include "fsd/tree/fresh_names.h"
#include "fsd/tree/kernel_notices.h"
#include "fsd/tree/node_table.h"
#include "fsd/tree/processes.h"
#include "fsd/tree/receipts.h"
#include "fsd/tree/recent_views.h"
#include "fsd/tree/rejected_rows.h"
#include "fsd/tree/side_files.h"
#include "fsd/tree/validity_names.h"
#include "fsd/tree/view_memory.h"

namespace stela::fsd {

class TransactionTree;
class Transactions;

// Bytes of files that are being written, of the whole mount.
struct DraftBudgets {
  explicit DraftBudgets(const TreeOptions& options);
  DraftBudget drafts;   // of columns and rows
  DraftBudget scratch;  // names that never commit
};

// The mount's, or the inside of a transaction: with the branch as its store, and nothing shared but processes, budgets,
// the table of nodes and the lines of errors.ndjson. Nobody may keep a name or attribute of a transaction.
struct TreeContext {
  TreeContext(Store& the_store, TreeOptions the_options, std::shared_ptr<Processes> the_processes);
  TreeContext(TreeContext& outer, Store& branch, TransactionTree& the_transaction, std::string the_scope);
  ~TreeContext();

  Store& store;
  const TreeOptions options;
  TransactionTree* const transaction = nullptr;  // that this is the inside of
  const std::string scope;                       // before the keys of its nodes; of the mount: none
  const std::shared_ptr<Processes> processes;
  const int64_t started_ns;
  ErrorLog errors;
  FreshNames fresh;
  ValidityNames validity;
  DroppedTypes dropped_types;
  ViewMemory views;
  RecentViews recent;
  ContentTimes times;
  ChangeVersions changes;
  const std::shared_ptr<DraftBudgets> budgets;
  DraftBudget& drafts = budgets->drafts;
  DraftBudget& scratch = budgets->scratch;
  Receipts receipts;
  RejectedLogs rejected;                 // after the budget its logs draw on
  SideFiles side;                        // after the budgets its files draw on
  std::unique_ptr<NodeTable> own_nodes;  // the mount's; set once, before anything else runs
  NodeTable* nodes = nullptr;
  const std::unique_ptr<Transactions> transactions;  // null in a transaction
  KernelNotices notices;                             // last: its thread uses the others

  int64_t now_ns() const { return store.env().clock().utc_ns(); }
  // As a person would name it, also within a transaction.
  std::string path_of(NodeId node) const;
  // Why nothing can be looked up any more: the transaction has ended.
  Status usable() const;
  // Somebody does something here: a transaction is not idle.
  void used() const;
  // kReadOnly when nothing may be written.
  Status writable() const;
  CommitInfo commit_info(const Caller& caller, std::string operation = {}) const;
  // After a commit to that dataset: names and attributes the kernel may hold are announced.
  void head_moved(NodeId dataset);
  // For what has no caller any more: a line in errors.ndjson, and the sentence at `place` (of
  // place_of()) and its directory.
  void note(const std::string& path, const Status& status, const std::string& place = {});
};

}  // namespace stela::fsd
