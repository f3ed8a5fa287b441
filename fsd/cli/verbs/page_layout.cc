#include "fsd/cli/verbs/page_layout.h"

#include <algorithm>

#include "fsd/cli/json_builder.h"
#include "fsd/cli/output.h"
#include "fsd/cli/verbs/page_choices.h"
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

}  // namespace

Result<std::string> cascade_text(const format::Encoding& encoding, const DataType& type,
                                 const format::EncodedForm& form) {
  STELA_ASSIGN(const std::string text, std::visit(FormText{type}, form.as));
  return encoding.name() + text;
}

Result<std::vector<PageLayout>> page_layouts(const Snapshot& snapshot, const ColumnInfo& column,
                                             const Snapshot::Piece& piece) {
  std::vector<PageLayout> layouts;
  for (const format::PageInfo& page : piece.pages) {
    const uint64_t first = std::max(page.first_row, piece.offset) - piece.offset;
    const uint64_t end = std::min(page.first_row + page.rows - piece.offset, piece.rows);
    PageLayout layout;
    layout.first_row = piece.first_row + first;
    layout.rows = end - first;
    layout.offset = page.offset;
    layout.stored_bytes = page.bytes;
    layout.cascade = encoding_name(page.encoding);
    // Of a page that the version has only a part of, nothing is known of that part.
    if (layout.rows == page.rows) layout.statistics = statistics_text(column.type, page.statistics);
    Result<format::EncodedPage> encoded = snapshot.stored_page(column, piece, first);
    Status status = encoded.status();
    if (status.ok()) {
      Result<std::string> text = encoded->encoding == nullptr
                                     ? Result<std::string>(std::string("all rows are null"))
                                     : cascade_text(*encoded->encoding, column.type, encoded->form);
      if (text.ok()) layout.cascade = std::move(text).value();
      status = text.status();
    }
    if (status.ok()) {
      Result<uint64_t> bytes = snapshot.stored_value_bytes(column, piece, first, layout.rows);
      if (bytes.ok()) layout.value_bytes = *bytes;
      status = bytes.status();
    }
    if (!status.ok() && status.code() != Code::kDamaged) return status;
    if (!status.ok()) layout.damage = status.message();
    layouts.push_back(std::move(layout));
  }
  return layouts;
}

std::string layouts_as_json(const std::vector<PageLayout>& pages) {
  JsonArray list;
  for (const PageLayout& page : pages) {
    JsonObject object;
    object.number("first_row", page.first_row)
        .number("rows", page.rows)
        .number("offset", page.offset)
        .number("stored_bytes", page.stored_bytes)
        .number("value_bytes", page.value_bytes)
        .text("cascade", page.cascade)
        .json("statistics", page.statistics)
        .text("checksum", page.damage.empty() ? "right" : "wrong");
    if (!page.damage.empty()) object.text("damage", page.damage);
    list.add(object.str());
  }
  return list.str();
}

std::vector<std::vector<std::string>> layouts_as_rows(const std::vector<PageLayout>& pages) {
  std::vector<std::vector<std::string>> rows;
  for (const PageLayout& page : pages) {
    rows.push_back({"    rows " + std::to_string(page.first_row) + " +" + std::to_string(page.rows), page.cascade,
                    format_bytes(page.value_bytes), "in " + format_bytes(page.stored_bytes),
                    page.damage.empty() ? "checksums are right" : page.damage});
  }
  return rows;
}

}  // namespace stela::fsd
