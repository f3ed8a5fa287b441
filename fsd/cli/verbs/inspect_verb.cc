#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "fsd/cli/client_context.h"
#include "fsd/cli/json_builder.h"
#include "fsd/cli/output.h"
#include "fsd/cli/verbs/dataset_path.h"
#include "fsd/cli/verbs/layout_svg.h"
#include "fsd/cli/verbs/page_choices.h"
#include "fsd/cli/verbs/page_layout.h"
#include "fsd/cli/verbs/stretch_statistics.h"
#include "fsd/cli/verbs/verbs.h"
#include "fsd/views/statistics_json.h"

namespace stela::fsd {
namespace {

struct Wanted {
  bool why = false, pages = false, stretches = false;
};

struct Layout {
  ColumnInfo column;
  ColumnTotals totals;
  uint64_t stored_bytes = 0;
  std::optional<format::Statistics> statistics;  // nothing where they are damaged
  std::vector<Snapshot::Piece> pieces;
  // Of each piece, where wanted; none of a tail.
  std::vector<std::vector<PageChoice>> choices;
  std::vector<std::vector<PageLayout>> pages;
  std::vector<Stretches> stretches;
};

Result<Layout> layout_of(const Snapshot& snapshot, const ColumnInfo& column, const Wanted& wanted) {
  Layout layout{column, {}, 0, {}, {}, {}, {}, {}};
  STELA_ASSIGN(layout.totals, snapshot.totals(column));
  STELA_ASSIGN(layout.stored_bytes, snapshot.stored_bytes(column));
  Result<format::Statistics> statistics = snapshot.statistics(column);
  if (statistics.ok()) {
    layout.statistics = *std::move(statistics);
  } else if (statistics.status().code() != Code::kDamaged) {
    return statistics.status();
  }
  STELA_ASSIGN(layout.pieces, snapshot.pieces(column));
  for (const Snapshot::Piece& piece : layout.pieces) {
    if (wanted.why) {
      STELA_ASSIGN(layout.choices.emplace_back(), page_choices(snapshot, column, piece));
    }
    if (wanted.pages) {
      STELA_ASSIGN(layout.pages.emplace_back(), page_layouts(snapshot, column, piece));
    }
    if (wanted.stretches) {
      STELA_ASSIGN(layout.stretches.emplace_back(), stretches_of(snapshot, column, piece));
    }
  }
  return layout;
}

std::string as_json(const Layout& layout) {
  JsonArray pieces;
  for (size_t i = 0; i < layout.pieces.size(); ++i) {
    const Snapshot::Piece& piece = layout.pieces[i];
    JsonObject object;
    object.number("first_row", piece.first_row)
        .number("rows", piece.rows)
        .text("where", piece.where)
        .number("pages", piece.pages.size());
    if (!layout.pages.empty()) object.json("layout", layouts_as_json(layout.column.type, layout.pages[i]));
    if (!layout.choices.empty()) object.json("choices", choices_as_json(layout.choices[i]));
    if (!layout.stretches.empty()) {
      object.json("stretches", stretches_as_json(layout.column.type, layout.stretches[i]));
    }
    pieces.add(object.str());
  }
  return JsonObject()
      .text("name", layout.column.name)
      .text("type", layout.column.type.name())
      .number("id", layout.column.id.value)
      .number("group", layout.column.group.value)
      .number("change", layout.column.change.value)
      .number("nulls", layout.totals.nulls)
      .number("value_bytes", layout.totals.value_bytes)
      .number("stored_bytes", layout.stored_bytes)
      .json("statistics", layout.statistics ? statistics_text(layout.column.type, *layout.statistics) : "null")
      .json("pieces", pieces.str())
      .str();
}

void print_text(const Layout& layout, Output& output) {
  output.line(printable(layout.column.name) + "  " + layout.column.type.name() + "  column " +
              std::to_string(layout.column.id.value) + ", group " + std::to_string(layout.column.group.value) + ", " +
              std::to_string(layout.totals.nulls) + " nulls, " + format_bytes(layout.totals.value_bytes) +
              " of values, " + format_bytes(layout.stored_bytes) + " stored");
  if (layout.statistics) output.line("  " + statistics_line(layout.column.type, *layout.statistics));
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < layout.pieces.size(); ++i) {
    const Snapshot::Piece& piece = layout.pieces[i];
    rows.push_back({"  rows " + std::to_string(piece.first_row) + " +" + std::to_string(piece.rows), piece.where,
                    std::to_string(piece.pages.size()) + " pages"});
    if (layout.choices.empty() && layout.pages.empty() && layout.stretches.empty()) continue;
    output.text(format_table(rows, {false, false, true}));
    rows.clear();
    if (!layout.pages.empty()) {
      output.text(format_table(layouts_as_rows(layout.pages[i]), {false, false, true, true, false}));
    }
    if (!layout.choices.empty()) {
      output.text(format_table(choices_as_rows(layout.choices[i]), {false, false, true, false}));
    }
    if (!layout.stretches.empty()) {
      output.text(format_table(stretches_as_rows(layout.column.type, layout.stretches[i]), {false, true, false}));
    }
  }
  output.text(format_table(rows, {false, false, true}));
}

Wanted wanted_by(const VerbRequest& request, bool is_named) {
  Wanted wanted{request.has("why"), request.has("pages"), request.has("statistics")};
  if (!is_named || wanted.why) return wanted;
  wanted.pages |= !wanted.stretches || request.has("json");
  wanted.stretches |= request.has("json");
  return wanted;
}

VerbOutcome run(const VerbContext& context) {
  Result<DatasetPath> found = find_dataset(context, context.request.args[0]);
  if (!found.ok()) return VerbOutcome::from(found.status());
  if (!found->snapshot) return {1, found->dataset + " has no version yet"};
  Result<std::vector<ColumnInfo>> columns = columns_of(*found);
  if (!columns.ok()) return VerbOutcome::from(columns.status());
  Output output(context);
  JsonArray list;
  std::vector<ColumnPicture> pictures;
  const bool json = context.request.has("json"), svg = context.request.has("svg");
  const Wanted wanted = svg ? Wanted() : wanted_by(context.request, !found->rest.empty());
  for (const ColumnInfo& column : *columns) {
    Result<Layout> layout = layout_of(found->snapshot, column, wanted);
    if (!layout.ok()) return VerbOutcome::from(layout.status());
    if (svg) {
      pictures.push_back({column, layout->totals.value_bytes, layout->stored_bytes, std::move(layout->pieces)});
    } else if (json) {
      list.add(as_json(*layout));
    } else {
      print_text(*layout, output);
    }
  }
  if (svg) {
    const VersionInfo& version = found->snapshot.version();
    output.text(layout_svg(found->dataset + ", version " + std::to_string(version.number.value) + ", " +
                               std::to_string(version.rows) + " rows",
                           pictures));
  } else if (json) {
    output.line(JsonObject()
                    .text("dataset", found->dataset)
                    .number("version", found->snapshot.version().number.value)
                    .number("rows", found->snapshot.rows())
                    .json("columns", list.str())
                    .str());
  }
  return VerbOutcome::from(output.flush());
}

// A picture goes to its file, everything else to the caller's output.
VerbOutcome client(ClientContext& context) {
  const VerbRequest& request = context.request();
  if (!request.has("svg")) return context.call(request, STDOUT_FILENO, {}, true);
  const std::string file = request.value("svg");
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return VerbOutcome::from(status_from_errno(errno, file));
  VerbOutcome outcome = context.call(request, fd, {}, true);
  if (close(fd) != 0 && outcome.exit_code == 0) outcome = VerbOutcome::from(status_from_errno(errno, file));
  return outcome;
}

}  // namespace

const VerbSpec& inspect_verb() {
  static const VerbSpec spec = {
      .name = "inspect",
      .usage = "STORE /DATASET[/.versions/N][/COLUMN]",
      .summary = "show where columns lie: files, pages; and their statistics",
      .description =
          "Shows for each column what is known of its values, as .stats.json does, and in which files of the store "
          "its rows lie, in how many pages and bytes. Of a column that is named, and with --pages of all, each page is "
          "shown: its rows, its encoding with those inside of it, the bytes of its values, the bytes stored, whether "
          "its checksums are right, and with --json what is known of its values; a plain file is one page. This reads "
          "every page and file. With --statistics, and of a column that is named with --json, what is known of each "
          "8,192 rows of a file, as they are stored there: before cells of them were changed in place. With --why, "
          "for each page the encoding it has and the bytes that each encoding was estimated to need, the cheapest "
          "first; this reads every value in pages. A damaged page is shown with what is wrong, and those after it too.",
      .options = {{"pages", 0, OptionSpec::Kind::kSwitch, "", "show each page"},
                  {"why", 0, OptionSpec::Kind::kSwitch, "", "show each page and why it has its encoding"},
                  {"statistics", 0, OptionSpec::Kind::kSwitch, "", "show what is known of each 8,192 rows"},
                  {"svg", 0, OptionSpec::Kind::kValue, "FILE", "draw where the bytes are, page by page, into FILE"},
                  {"json", 0, OptionSpec::Kind::kSwitch, "", "print JSON"}},
      .args_min = 1,
      .args_max = 1,
      .run = run,
      .client = client};
  return spec;
}

}  // namespace stela::fsd
