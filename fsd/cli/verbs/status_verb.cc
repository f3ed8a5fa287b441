#include <nlohmann/json.hpp>

#include "fsd/cli/output.h"
#include "fsd/cli/verbs/verbs.h"

namespace stela::fsd {
namespace {

using Json = nlohmann::ordered_json;

Json counters_json(const StoreCounters& counters) {
  return {{"commits", counters.commits},
          {"groups", counters.groups},
          {"newest_sequence", counters.newest_sequence},
          {"log_bytes", counters.log_bytes},
          {"log_syncs", counters.log_syncs},
          {"log_bytes_since_checkpoint", counters.log_bytes_since_checkpoint},
          {"flushes", counters.flushes},
          {"merges", counters.merges},
          {"tail_rows", counters.tail_rows},
          {"tail_bytes", counters.tail_bytes},
          {"data_files", counters.data_files},
          {"data_bytes", counters.data_bytes},
          {"catalog_runs", counters.catalog_runs},
          {"files_removed", counters.files_removed},
          {"files_read_bytes", counters.files_read_bytes},
          {"files_written_bytes", counters.files_written_bytes},
          {"cache_hits", counters.cache_hits},
          {"cache_misses", counters.cache_misses},
          {"cache_bytes", counters.cache_bytes},
          {"commit_waits", counters.commit_waits}};
}

Json describe(const VerbContext& context) {
  Json document;
  if (context.service != nullptr) {
    document["daemon"] = {{"pid", context.service->pid},
                          {"mount_point", valid_utf8(context.service->mount_point)},
                          {"started", format_time(context.service->started_ns)},
                          {"passthrough", context.service->passthrough},
                          {"read_only", context.service->read_only}};
  } else {
    document["daemon"] = nullptr;
  }
  document["read_only_reason"] = nullptr;
  if (auto reason = context.store.read_only_reason()) document["read_only_reason"] = valid_utf8(*reason);
  char id[32];
  std::snprintf(id, sizeof(id), "%016llx", static_cast<unsigned long long>(context.store.store_id()));
  document["store_id"] = id;
  document["counters"] = counters_json(context.store.counters());
  return document;
}

std::string as_text(const Json& document) {
  std::vector<std::vector<std::string>> rows;
  auto show = [](const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); };
  if (document["daemon"].is_null()) {
    rows.push_back({"daemon", "none: the store is not mounted"});
  } else {
    for (const auto& [name, value] : document["daemon"].items()) rows.push_back({name, printable(show(value))});
  }
  if (!document["read_only_reason"].is_null())
    rows.push_back({"writing stopped", printable(show(document["read_only_reason"]))});
  rows.push_back({"store_id", show(document["store_id"])});
  for (const auto& [name, value] : document["counters"].items()) rows.push_back({name, show(value)});
  return format_table(rows, {});
}

VerbOutcome run(const VerbContext& context) {
  Json document = describe(context);
  Output output(context);
  output.text(context.request.has("json") ? document.dump(2) + "\n" : as_text(document));
  return VerbOutcome::from(output.flush());
}

}  // namespace

const VerbSpec& status_verb() {
  static const VerbSpec spec = {
      .name = "status",
      .usage = "STORE|MNT",
      .summary = "show who serves a store, and its counters",
      .description = "Shows the daemon that serves the store, if there is one, and the store's counters.",
      .options = {{"json", 0, OptionSpec::Kind::kSwitch, "", "print JSON"}},
      .run = run};
  return spec;
}

}  // namespace stela::fsd
