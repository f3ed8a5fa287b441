#include "fsd/cli/json_builder.h"
#include "fsd/cli/output.h"
#include "fsd/cli/verbs/verbs.h"

namespace stela::fsd {
namespace {

std::string as_text(const DamageReport& damage) {
  std::string text = damage.dataset.empty() ? "the store itself" : printable(damage.dataset);
  if (damage.first_version.value != 0) text += ", from version " + std::to_string(damage.first_version.value);
  if (!damage.column.empty()) text += ", column " + printable(damage.column);
  if (damage.rows > 0) {
    text += ", page " + std::to_string(damage.page) + ", rows " + std::to_string(damage.first_row) + " to " +
            std::to_string(damage.first_row + damage.rows - 1);
  }
  text += ": " + printable(damage.reason);
  if (!damage.file.empty()) text += " (" + damage.file + ")";
  return text;
}

std::string as_json(const DamageReport& damage) {
  return JsonObject()
      .text("dataset", damage.dataset)
      .number("version", damage.first_version.value)
      .text("column", damage.column)
      .number("page", damage.page)
      .number("first_row", damage.first_row)
      .number("rows", damage.rows)
      .text("file", damage.file)
      .text("reason", damage.reason)
      .str();
}

VerbOutcome run(const VerbContext& context) {
  Output output(context);
  JsonArray list;
  uint64_t found = 0, checked = 0;
  bool json = context.request.has("json");
  Status status = context.store.check(
      [&](const DamageReport& damage) {
        ++found;
        if (json) {
          list.add(as_json(damage));
        } else {
          output.line(as_text(damage));
        }
      },
      [&](uint64_t done, uint64_t total) {
        checked = done;
        if (context.progress) (void)context.progress({.what = "checking", .done = done, .total = total});
      });
  if (!status.ok()) return VerbOutcome::from(status);
  if (json) {
    output.line(JsonObject().json("damages", list.str()).number("bytes_checked", checked).str());
  } else if (found == 0) {
    output.line("no damage; " + format_bytes(checked) + " checked");
  }
  Status printed = output.flush();
  if (!printed.ok()) return VerbOutcome::from(printed);
  if (found == 0) return {};
  return {1, std::to_string(found) + (found == 1 ? " damage was found" : " damages were found") +
                 "; what is not named above is whole and stays readable"};
}

}  // namespace

const VerbSpec& check_verb() {
  static const VerbSpec spec = {
      .name = "check",
      .usage = "STORE",
      .summary = "verify every checksum and name damage",
      .description =
          "Reads all catalogue blocks, pages and files and verifies their checksums. Each damage is named by\n"
          "dataset, version, column, page and rows; the exit code is 1 when there is any.",
      .options = {{"json", 0, OptionSpec::Kind::kSwitch, "", "print JSON"}},
      .run = run};
  return spec;
}

}  // namespace stela::fsd
