#include "fsd/cli/verbs/page_layout.h"

#include <algorithm>

#include "fsd/cli/output.h"
#include "fsd/views/statistics_json.h"

namespace stela::fsd {
namespace {

std::string counted(uint64_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string from_to(uint64_t least, uint64_t most, const char* what) {
  return least == most ? counted(most, what) : std::to_string(least) + "-" + counted(most, what);
}

// Widths of vectors, and values that are wider.
Result<std::string> packed_text(const format::PackedForm& form, const DataType& type) {
  return format::visit_word(type.value_width(), [&]<typename T>(T) -> Result<std::string> {
    STELA_ASSIGN(auto reader, form.reader<T>());
    uint64_t least = 8 * sizeof(T), most = 0, patches = 0;
    for (uint64_t i = 0; i < reader.vectors(); ++i) {
      const format::PackedVector<T> vector = reader.encoded(i);
      least = std::min<uint64_t>(least, vector.bits);
      most = std::max<uint64_t>(most, vector.bits);
      patches += vector.patches;
    }
    return from_to(std::min(least, most), most, "bit") + (patches == 0 ? "" : ", " + counted(patches, "outlier"));
  });
}

Result<std::string> inner_text(const format::InnerColumn& column) {
  STELA_ASSIGN(const format::EncodedForm form, column.form());
  return cascade_text(column.encoding(), column.type(), form);
}

Result<std::string> two_inner_texts(const format::InnerColumn& first, const format::InnerColumn& second) {
  STELA_ASSIGN(const std::string of_first, inner_text(first));
  STELA_ASSIGN(const std::string of_second, inner_text(second));
  return "(" + of_first + ", " + of_second + ")";
}

struct FormText {
  const DataType& type;
  Result<std::string> operator()(const std::monostate&) const { return std::string(); }
  Result<std::string> operator()(const format::ConstantForm&) const { return std::string(); }
  Result<std::string> operator()(const format::CodesForm& form) const {
    STELA_ASSIGN(const std::string inner, two_inner_texts(form.codes, form.values));
    return " of " + std::to_string(form.values.rows()) + " " + inner;
  }
  Result<std::string> operator()(const format::RunsForm& form) const {
    STELA_ASSIGN(const std::string inner, two_inner_texts(form.lengths, form.values));
    return ": " + std::to_string(form.runs()) + " " + inner;
  }
  Result<std::string> operator()(const format::PackedForm& form) const {
    STELA_ASSIGN(const std::string text, packed_text(form, type));
    return " " + text;
  }
  Result<std::string> operator()(const format::SymbolsForm& form) const {
    STELA_ASSIGN(const std::string lengths, inner_text(form.lengths));
    return " " + counted(form.symbols.count(), "symbol") + " (lengths " + lengths + ")";
  }
  // Neighbours that say the same together.
  Result<std::string> operator()(const format::PartsForm& form) const {
    std::string text, last;
    uint64_t times = 0;
    auto add_last = [&] {
      if (times > 0) text += (text.empty() ? " (" : ", ") + (times > 1 ? std::to_string(times) + " x " : "") + last;
    };
    for (const format::InnerColumn& part : form.parts) {
      STELA_ASSIGN(std::string inner, inner_text(part));
      if (times == 0 || inner != last) {
        add_last();
        last = std::move(inner);
        times = 0;
      }
      ++times;
    }
    add_last();
    return text + ")";
  }
};

Status look_at_page(const Snapshot& snapshot, const ColumnInfo& column, const Snapshot::Piece& piece,
                    PageLayout& layout) {
  STELA_ASSIGN(const format::EncodedPage encoded, snapshot.stored_page(column, piece, layout.first));
  if (encoded.encoding == nullptr) {
    layout.cascade = "all rows are null";
  } else {
    STELA_ASSIGN(layout.cascade, cascade_text(*encoded.encoding, column.type, encoded.form));
  }
  STELA_ASSIGN(layout.value_bytes, snapshot.stored_value_bytes(column, piece, layout.first, layout.rows));
  return {};
}

// The first damage among the rows of the piece, and how many more there are.
Status look_at_plain_file(const Snapshot& snapshot, const ColumnInfo& column, const Snapshot::Piece& piece,
                          PageLayout& layout) {
  layout.value_bytes = layout.rows * column.type.value_width();
  uint64_t damages = 0;
  STELA_TRY(snapshot.check_stored(column, piece, [&](const format::Damage& damage) {
    const uint64_t end = damage.first_row + damage.rows;
    if (damage.first_row >= layout.first_row + layout.rows || end <= layout.first_row) return;
    if (++damages > 1) return;
    layout.damage = "rows " + std::to_string(damage.first_row) + " to " + std::to_string(end - 1) + ": ";
    layout.damage += damage.reason;
  }));
  if (damages > 1) layout.damage += "; and " + counted(damages - 1, "more damage");
  return {};
}

}  // namespace

Result<std::string> cascade_text(const format::Encoding& encoding, const DataType& type,
                                 const format::EncodedForm& form) {
  STELA_ASSIGN(const std::string text, std::visit(FormText{type}, form.as));
  return encoding.name() + text;
}

Result<std::vector<PageLayout>> page_layouts(const Snapshot& snapshot, const ColumnInfo& column,
                                             const Snapshot::Piece& piece) {
  std::vector<PageLayout> layouts;
  for (PlacedPage& page : placed_pages(piece)) {
    std::string name = encoding_name(page.page.encoding);
    PageLayout layout{std::move(page), 0, std::move(name)};
    const auto look_at = piece.is_plain_file() ? look_at_plain_file : look_at_page;
    STELA_TRY(keep_damage(look_at(snapshot, column, piece, layout), &layout.damage));
    layouts.push_back(std::move(layout));
  }
  return layouts;
}

std::string layouts_as_json(const DataType& type, const std::vector<PageLayout>& pages) {
  JsonArray list;
  for (const PageLayout& page : pages) {
    JsonObject object = page_json(page);
    object.number("offset", page.page.offset).number("value_bytes", page.value_bytes).text("cascade", page.cascade);
    add_known(type, page.page.statistics, page.whole, object);
    list.add(object.text("checksum", page.damage.empty() ? "right" : "wrong").str());
  }
  return list.str();
}

std::vector<std::vector<std::string>> layouts_as_rows(const std::vector<PageLayout>& pages) {
  std::vector<std::vector<std::string>> rows;
  for (const PageLayout& page : pages) {
    rows.push_back({rows_cell(page.first_row, page.rows), page.cascade, format_bytes(page.value_bytes),
                    "in " + format_bytes(page.page.bytes), page.damage.empty() ? "checksums are right" : page.damage});
  }
  return rows;
}

}  // namespace stela::fsd
