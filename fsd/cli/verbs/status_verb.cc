#include "fsd/cli/json_builder.h"
#include "fsd/cli/output.h"
#include "fsd/cli/verbs/verbs.h"

namespace stela::fsd {
namespace {

using Counter = std::pair<const char*, uint64_t>;

std::vector<Counter> list_counters(const StoreCounters& counters) {
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

std::string store_id_text(const Store& store) {
  char text[32];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(store.store_id()));
  return text;
}

std::string as_json(const VerbContext& context) {
  JsonObject document;
  if (const ServiceInfo* service = context.service) {
    document.json("daemon", JsonObject()
                                .number("pid", service->pid)
                                .text("mount_point", service->mount_point)
                                .text("started", format_time(service->started_ns))
                                .flag("passthrough", service->passthrough)
                                .flag("read_only", service->read_only)
                                .str());
  } else {
    document.null("daemon");
  }
  if (auto reason = context.store.read_only_reason()) {
    document.text("read_only_reason", *reason);
  } else {
    document.null("read_only_reason");
  }
  document.text("store_id", store_id_text(context.store));
  JsonObject counters;
  for (const auto& [name, value] : list_counters(context.store.counters())) counters.number(name, value);
  return document.json("counters", counters.str()).str() + "\n";
}

std::string as_text(const VerbContext& context) {
  std::vector<std::vector<std::string>> rows;
  if (const ServiceInfo* service = context.service) {
    rows.push_back({"daemon", "pid " + std::to_string(service->pid)});
    rows.push_back({"mount point", printable(service->mount_point) + (service->read_only ? " (read-only)" : "")});
    rows.push_back({"mounted since", format_time(service->started_ns)});
    rows.push_back({"passthrough", service->passthrough ? "on" : "off"});
  } else {
    rows.push_back({"daemon", "none: the store is not mounted"});
  }
  if (auto reason = context.store.read_only_reason()) rows.push_back({"writing stopped", printable(*reason)});
  rows.push_back({"store", store_id_text(context.store)});
  for (const auto& [name, value] : list_counters(context.store.counters()))
    rows.push_back({name, std::to_string(value)});
  return format_table(rows, {});
}

VerbOutcome run(const VerbContext& context) {
  Output output(context);
  output.text(context.request.has("json") ? as_json(context) : as_text(context));
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
