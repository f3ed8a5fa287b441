#include "fsd/tree/context.h"
#include "fsd/tree/control_directory.h"
#include "fsd/tree/json_text.h"
#include "fsd/tree/transactions.h"

namespace stela::fsd {
namespace {

constexpr const char* kReadme = R"(This is a Stela mount: datasets as directories, columns as files.

  NAME/fare.npy             a column, as NumPy saves it; .arrow, .csv and .txt by name too
  NAME/.append/             copy a .csv, .jsonl, .arrow or .npz file of rows here: committed when closed
  NAME/.versions/N/         every version, read-only; latest -> newest
  NAME/.at/TIME             the newest version by then
  NAME/.tx/JOB/             mkdir it: a private copy; echo MESSAGE > .commit commits all, rmdir gives it up
  .stela/tx/JOB/            the same of all datasets together
  NAME/.tags/               ln -s ../.versions/N NAME
  NAME/.schema.json         also .stats.json, .commit.json, .table.csv

Why something was refused: getfattr -n user.stela.error FILE, or errors.ndjson here.
version, config.json, status.json and metrics (Prometheus text) say how this mount is doing.
)";

std::string readme(TreeContext&) { return kReadme; }
std::string version(TreeContext& context) { return context.options.version + "\n"; }
std::string errors(TreeContext& context) { return context.errors.ndjson(); }

std::string config(TreeContext& context) {
  std::string text = context.options.config_json ? context.options.config_json() : "{}";
  if (text.empty() || text.back() != '\n') text.push_back('\n');
  return text;
}

struct Figure {
  const char* name;
  const char* kind;  // counter or gauge
  const char* help;
  uint64_t value;
};

std::vector<Figure> figures(TreeContext& context) {
  StoreCounters c = context.store.counters();
  return {
      {"commits", "counter", "Commits since the store was opened.", c.commits},
      {"commit_groups", "counter", "Groups of commits written to the log together.", c.groups},
      {"commit_waits", "counter", "Commits held back until a flush made room.", c.commit_waits},
      {"log_bytes", "counter", "Bytes written to the log.", c.log_bytes},
      {"log_syncs", "counter", "Syncs of the log.", c.log_syncs},
      {"log_bytes_since_checkpoint", "gauge", "Bytes recovery would replay.", c.log_bytes_since_checkpoint},
      {"flushes", "counter", "Flushes of small appends into files.", c.flushes},
      {"merges", "counter", "Merges of fragments or catalogue runs.", c.merges},
      {"folds", "counter", "Columns rewritten with the cells that were changed in place.", c.folds},
      {"files_removed", "counter", "Files no version needs any more.", c.files_removed},
      {"tail_bytes", "gauge", "Bytes of rows that are in the log and in memory only.", c.tail_bytes},
      {"tail_rows", "gauge", "Rows that are in the log and in memory only.", c.tail_rows},
      {"file_read_bytes", "counter", "Bytes read from files.", c.files_read_bytes},
      {"file_reads", "counter", "Reads of files.", c.file_reads},
      {"file_written_bytes", "counter", "Bytes written to files.", c.files_written_bytes},
      {"cache_hits", "counter", "Blocks found in the cache.", c.cache_hits},
      {"cache_misses", "counter", "Blocks not found in the cache.", c.cache_misses},
      {"cache_bytes", "gauge", "Bytes the block cache holds.", c.cache_bytes},
      {"data_files", "gauge", "Files that hold rows.", c.data_files},
      {"data_bytes", "gauge", "Bytes of files that hold rows.", c.data_bytes},
      {"catalog_runs", "gauge", "Sorted runs of the catalogue.", c.catalog_runs},
      {"newest_sequence", "gauge", "Sequence of the newest commit.", c.newest_sequence},
      {"drafts", "gauge", "Files being written.", context.drafts.files()},
      {"draft_bytes", "gauge", "Bytes of files being written.", context.drafts.bytes()},
      {"scratch_files", "gauge", "Temporary files.", context.scratch.files()},
      {"scratch_bytes", "gauge", "Bytes of temporary files.", context.scratch.bytes()},
      {"transactions", "gauge", "Transactions that go on.", context.transactions->size()},
      {"nodes", "gauge", "Nodes the kernel knows.", context.nodes->size()},
      {"errors", "counter", "Requests refused or failed.", context.errors.recorded()},
  };
}

// Counts past this many nodes of the store stop; the status says so.
constexpr size_t kNodesMax = 10'000;

struct StoreTotals {
  uint64_t datasets = 0, rows = 0, versions = 0;
  bool complete = true;
};

StoreTotals count_datasets(TreeContext& context) {
  StoreTotals totals;
  std::vector<NodeId> folders{kRootNode};
  size_t seen = 0;
  while (!folders.empty() && totals.complete) {
    NodeId folder = folders.back();
    folders.pop_back();
    std::string after;
    for (;;) {
      auto page = context.store.children(folder, after, 512);
      if (!page.ok() || page->empty()) break;
      for (const NodeInfo& node : *page) {
        if (node.kind == NodeKind::kFolder) folders.push_back(node.id);
        if (node.kind != NodeKind::kDataset) continue;
        auto table = context.store.table(node.id);
        auto head = table.ok() ? table->head() : Result<Snapshot>(table.status());
        totals.datasets++;
        totals.rows += head.ok() ? head->rows() : 0;
        totals.versions += head.ok() ? head->version().number.value : 0;
      }
      after = page->back().name;
      seen += page->size();
      totals.complete = seen < kNodesMax;
      if (page->size() < 512 || !totals.complete) break;
    }
  }
  return totals;
}

std::string status(TreeContext& context) {
  StoreTotals totals = count_datasets(context);
  int64_t now = context.now_ns();
  std::optional<std::string> read_only = context.store.read_only_reason();
  std::string out = "{\n";
  out += "  \"version\": " + json_quote(context.options.version) + ",\n";
  out += "  \"started\": " + json_quote(utc_text(context.started_ns)) + ",\n";
  out += "  \"uptime_seconds\": " + std::to_string((now - context.started_ns) / 1'000'000'000) + ",\n";
  out += "  \"read_only\": " + (read_only ? json_quote(*read_only) : std::string("null")) + ",\n";
  out += "  \"datasets\": " + std::to_string(totals.datasets) + ",\n";
  out += "  \"rows\": " + std::to_string(totals.rows) + ",\n";
  out += "  \"versions\": " + std::to_string(totals.versions) + ",\n";
  out += std::string("  \"counted_all\": ") + (totals.complete ? "true" : "false");
  for (const Figure& figure : figures(context)) {
    out += ",\n  " + json_quote(figure.name) + ": " + std::to_string(figure.value);
  }
  return out + "\n}\n";
}

std::string metrics(TreeContext& context) {
  std::string out;
  for (const Figure& figure : figures(context)) {
    std::string name = std::string("stela_") + figure.name;
    if (std::string_view(figure.kind) == "counter") name += "_total";
    out += "# HELP " + name + " " + figure.help + "\n# TYPE " + name + " " + figure.kind + "\n";
    out += name + " " + std::to_string(figure.value) + "\n";
  }
  out += "# HELP stela_read_only 1 when the store takes no writes any more.\n# TYPE stela_read_only gauge\n";
  out += std::string("stela_read_only ") + (context.store.read_only_reason() ? "1" : "0") + "\n";
  return out;
}

}  // namespace

std::span<const ControlFile> control_files() {
  static constexpr ControlFile kFiles[] = {
      {"README", readme},   {"config.json", config}, {"errors.ndjson", errors},
      {"metrics", metrics}, {"status.json", status}, {"version", version},
  };
  return kFiles;
}

}  // namespace stela::fsd
