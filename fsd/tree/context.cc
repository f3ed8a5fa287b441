#include "fsd/tree/context.h"

#include "fsd/tree/content_identity.h"

namespace stela::fsd {

TreeContext::TreeContext(Store& the_store, TreeOptions the_options, std::unique_ptr<Processes> the_processes)
    : store(the_store),
      options(std::move(the_options)),
      processes(std::move(the_processes)),
      started_ns(the_store.env().clock().utc_ns()),
      errors(the_store.env().clock(), options.error_keep_ns, options.daemon_log),
      fresh(the_store.env().clock()),
      validity(the_store.env().clock()),
      times(the_store),
      drafts("open drafts", "drafts_bytes", options.drafts_bytes_max, options.drafts_max),
      scratch("temporary files", "scratch_bytes", options.scratch_bytes_max, options.drafts_max),
      receipts(the_store, options.receipts_max),
      rejected(the_store.env().files(), scratch),
      side(the_store.env().clock(), size_t{options.receipts_max} + 1024),
      notices(the_store.env().clock(), options.head_timeout_ns, [this] {
        if (!writable().ok()) return;
        Status saved = times.persist();
        if (saved.ok()) saved = receipts.persist();
        if (!saved.ok()) note("/", saved.with_context("times and receipts could not be saved"));
      }) {}

Status TreeContext::writable() const {
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
  notices.attributes_changed(nodes->number_of(node_identity(dataset)));
}

void TreeContext::note(const std::string& path, const Status& status, const std::string& place) {
  errors.record(path, status, errno_of(status.code()), {place, place.substr(0, place.empty() ? 0 : place.rfind('\0'))});
}

}  // namespace stela::fsd
