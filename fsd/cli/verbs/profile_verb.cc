#include "fsd/cli/json_builder.h"
#include "fsd/cli/output.h"
#include "fsd/cli/verbs/column_profile.h"
#include "fsd/cli/verbs/dataset_path.h"
#include "fsd/cli/verbs/verbs.h"

namespace stela::fsd {
namespace {

double plain_of_stored(const EncodingProfile& profile) {
  const auto stored = static_cast<double>(profile.stored_bytes);
  return stored == 0 ? 0 : static_cast<double>(profile.plain_bytes) / stored;
}

double gigabytes_a_second(const EncodingProfile& profile) {
  return profile.decode_seconds <= 0 ? 0 : static_cast<double>(profile.decoded_bytes) / 1e9 / profile.decode_seconds;
}

std::string figure(double value) {
  char text[48];
  std::snprintf(text, sizeof(text), "%.3f", value);
  return text;
}

// What is the same for an encoding, a column and a dataset; a figure that cannot be had is null.
JsonObject& put(JsonObject& object, const EncodingProfile& profile) {
  const double ratio = plain_of_stored(profile), speed = gigabytes_a_second(profile);
  return object.number("rows", profile.rows)
      .number("pages", profile.pages)
      .number("plain_bytes", profile.plain_bytes)
      .number("stored_bytes", profile.stored_bytes)
      .json("ratio", ratio == 0 ? "null" : figure(ratio))
      .number("decoded_bytes", profile.decoded_bytes)
      .json("decode_gb_per_second", speed == 0 ? "null" : figure(speed));
}

std::string profile_as_json(const ColumnProfile& profile) {
  JsonArray encodings;
  for (const EncodingProfile& part : profile.encodings) {
    JsonObject object;
    object.text("encoding", part.encoding);
    encodings.add(put(object, part).str());
  }
  JsonObject object;
  object.text("name", profile.column.name).text("type", profile.column.type.name()).number("nulls", profile.nulls);
  return put(object, profile.total()).json("encodings", encodings.str()).str();
}

std::vector<std::string> table_row(std::string name, std::string type, const EncodingProfile& part) {
  const double ratio = plain_of_stored(part), speed = gigabytes_a_second(part);
  return {std::move(name),
          std::move(type),
          part.encoding,
          std::to_string(part.pages),
          std::to_string(part.rows),
          format_bytes(part.plain_bytes),
          format_bytes(part.stored_bytes),
          ratio == 0 ? "-" : format_number(ratio, "x"),
          speed == 0 ? "-" : format_number(speed, " GB/s")};
}

Status print_profile(const VerbContext& context) {
  STELA_ASSIGN(const DatasetPath found, find_dataset(context, context.request.args[0]));
  if (!found.snapshot) return not_found(found.dataset + " has no version yet");
  STELA_ASSIGN(const std::vector<ColumnInfo> columns, columns_of(found));
  JsonArray list;
  std::vector<std::vector<std::string>> rows{
      {"column", "type", "encoding", "pages", "rows", "plain", "stored", "ratio", "decode"}};
  EncodingProfile all;
  uint64_t done = 0;
  for (const ColumnInfo& column : columns) {
    const ProgressFunction progress = [&](const VerbProgress&) {
      return !context.progress || context.progress({.what = "measuring", .done = done, .total = columns.size()});
    };
    STELA_ASSIGN(const ColumnProfile profile, profile_column(found.snapshot, column, progress));
    all.add(profile.total());
    list.add(profile_as_json(profile));
    for (const EncodingProfile& part : profile.encodings) {
      const bool first = &part == &profile.encodings.front();
      rows.push_back(table_row(first ? printable(column.name) : "", first ? column.type.name() : "", part));
    }
    ++done;
  }
  all.rows = found.snapshot.rows();
  rows.push_back(table_row("all columns", "", all));
  Output output(context);
  if (context.request.has("json")) {
    JsonObject object;
    object.text("dataset", found.dataset).number("version", found.snapshot.version().number.value);
    output.line(put(object, all).json("columns", list.str()).str());
  } else {
    output.text(format_table(rows, {false, false, false, true, true, true, true, true, true}));
  }
  return output.flush();
}

VerbOutcome run(const VerbContext& context) { return VerbOutcome::from(print_profile(context)); }

}  // namespace

const VerbSpec& profile_verb() {
  static const VerbSpec spec = {
      .name = "profile",
      .usage = "STORE /DATASET[/.versions/N][/COLUMN]",
      .summary = "measure columns as they are stored: bytes, ratio, speed",
      .description =
          "Prints for each column and each encoding that its pages have: pages, rows, the bytes of the values\n"
          "as plain arrays (four more for the length of a text), the bytes stored, how many times smaller that\n"
          "is, and gigabytes of plain values a second that one core reads: it takes pages from the page cache,\n"
          "checks their sums and decodes them. Up to 256 MiB of each encoding of a column are read, twice, of\n"
          "which the faster time counts. \"plain file\" is a column that programs map as it is, \"tail\" rows that\n"
          "are not in a file of their own yet, \"null\" rows from before the column. What was changed in place\n"
          "and not written anew yet is left out.",
      .options = {{"json", 0, OptionSpec::Kind::kSwitch, "", "print JSON"}},
      .args_min = 1,
      .args_max = 1,
      .run = run};
  return spec;
}

}  // namespace stela::fsd
