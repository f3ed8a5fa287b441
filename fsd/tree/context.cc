#include "fsd/tree/context.h"

#include "fsd/tree/content_identity.h"
#include "fsd/tree/transactions.h"

namespace stela::fsd {

DraftBudgets::DraftBudgets(const TreeOptions& options)
    : drafts("open drafts", "drafts_bytes", options.drafts_bytes_max, options.drafts_max),
      scratch("temporary files", "scratch_bytes", options.scratch_bytes_max, options.drafts_max) {}

namespace {
TreeOptions inside_options(TreeOptions options) {
  options.head_timeout_ns = 0;
  return options;
}
}  // namespace

TreeContext::TreeContext(Store& the_store, TreeOptions the_options, std::shared_ptr<Processes> the_processes)
    : store(the_store),
      options(std::move(the_options)),
      processes(std::move(the_processes)),
      started_ns(the_store.env().clock().utc_ns()),
      errors(the_store.env().clock(), options.error_keep_ns, options.daemon_log, options.earlier_errors),
      fresh(the_store.env().clock()),
      validity(the_store.env().clock()),
      dropped_types(the_store.env().clock()),
      times(the_store),
      budgets(std::make_shared<DraftBudgets>(options)),
      receipts(the_store, options.receipts_max),
      rejected(the_store.env().files(), scratch),
      side(the_store.env().clock(), size_t{options.receipts_max} + 1024),
      transactions(std::make_unique<Transactions>(*this)),
      notices(the_store.env().clock(), options.head_timeout_ns, [this] {
        transactions->end_idle();
        if (!writable().ok()) return;
        Status saved = times.persist();
        if (saved.ok()) saved = receipts.persist();
        if (!saved.ok()) note("/", saved.with_context("times and receipts could not be saved"));
      }) {}

TreeContext::TreeContext(TreeContext& outer, Store& branch, TransactionTree& the_transaction, std::string the_scope)
    : store(branch),
      options(inside_options(outer.options)),
      transaction(&the_transaction),
      scope(std::move(the_scope)),
      processes(outer.processes),
      started_ns(branch.env().clock().utc_ns()),
      errors(branch.env().clock(), options.error_keep_ns, outer.errors),
      fresh(branch.env().clock()),
      validity(branch.env().clock()),
      dropped_types(branch.env().clock()),
      times(branch),
      budgets(outer.budgets),
      receipts(branch, options.receipts_max),
      rejected(branch.env().files(), scratch),
      side(branch.env().clock(), size_t{options.receipts_max} + 1024),
      nodes(outer.nodes),
      notices(branch.env().clock(), 0, nullptr) {}

TreeContext::~TreeContext() = default;

std::string TreeContext::path_of(NodeId node) const {
  return transaction == nullptr ? store.path_of(node) : transaction->path_of(node);
}

Status TreeContext::usable() const { return transaction == nullptr ? Status() : transaction->ended(); }

void TreeContext::used() const {
  if (transaction != nullptr) transaction->used(store.env().clock().monotonic_ns());
}

Status TreeContext::writable() const {
  STELA_TRY(usable());
  if (options.read_only) return {Code::kReadOnly, "the store is mounted read-only: mount it without -o ro to write"};
  std::optional<std::string> reason = store.read_only_reason();
  if (reason.has_value()) return {Code::kReadOnly, *reason};
  return {};
}

CommitInfo TreeContext::commit_info(const Caller& caller, std::string operation) const {
  return {processes->user_name(caller.uid), std::move(operation), {}};
}

void TreeContext::head_moved(NodeId dataset) {
  notices.head_moved(dataset);
  notices.attributes_changed(nodes->number_of(scope + node_identity(dataset)));
}

void TreeContext::note(const std::string& path, const Status& status, const std::string& place) {
  errors.record(path, status, errno_of(status.code()), {place, place.substr(0, place.empty() ? 0 : place.rfind('\0'))});
}

}  // namespace stela::fsd
