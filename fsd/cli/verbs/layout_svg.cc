#include "fsd/cli/verbs/layout_svg.h"

#include <algorithm>
#include <map>

#include "fsd/cli/output.h"

namespace stela::fsd {
namespace {

constexpr double kLeft = 220, kBarWidth = 900, kRowHeight = 22, kTop = 60, kBarHeight = 14;
constexpr size_t kPartsMax = 20'000;  // of the whole picture
constexpr const char* kColours[] = {"#9e9e9e", "#4caf50", "#2196f3", "#00bcd4", "#8bc34a", "#ff9800", "#795548",
                                    "#9c27b0", "#f44336", "#3f51b5", "#e91e63", "#ffc107", "#607d8b"};

struct Part {
  std::string encoding;
  uint64_t first_row = 0, rows = 0, bytes = 0;
};

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : printable(text)) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out.push_back(c);
    }
  }
  return out;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f", value);
  return text;
}

std::string encoding_of(const format::PageInfo& page) {
  const format::Encoding* encoding = format::find_encoding(page.encoding);
  return encoding == nullptr ? "encoding " + std::to_string(static_cast<unsigned>(page.encoding)) : encoding->name();
}

// A plain file and rows of the log are one part each.
std::vector<Part> parts_of(const ColumnPicture& picture) {
  std::vector<Part> parts;
  for (const Snapshot::Piece& piece : picture.pieces) {
    const bool paged = !piece.is_plain_file() && !piece.pages.empty();
    for (const format::PageInfo& page : piece.pages) {
      if (paged && page.first_row < piece.rows) {
        parts.push_back({encoding_of(page), piece.first_row + page.first_row, page.rows, page.bytes});
      }
    }
    if (paged) continue;
    const uint64_t bytes = picture.column.type.is_variable() ? 0 : piece.rows * picture.column.type.value_width();
    parts.push_back({piece.is_plain_file() ? "plain file" : piece.where, piece.first_row, piece.rows,
                     piece.where == "null" ? 0 : bytes});
  }
  return parts;
}

// At most `limit` parts, and one for each change of the encoding where these are fewer.
std::vector<Part> fewer(std::vector<Part> parts, size_t limit) {
  const size_t together = (parts.size() + limit - 1) / limit;
  std::vector<Part> result;
  for (size_t i = 0; i < parts.size(); ++i) {
    const bool joins = i % std::max<size_t>(together, 1) != 0;
    if (!joins) {
      result.push_back(parts[i]);
      continue;
    }
    if (result.back().encoding != parts[i].encoding) result.back().encoding = "several";
    result.back().rows += parts[i].rows;
    result.back().bytes += parts[i].bytes;
  }
  return result;
}

std::string rectangle(double x, double y, double width, const char* colour, const std::string& title) {
  return "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(width) + "\" height=\"" +
         number(kBarHeight) + "\" fill=\"" + colour + "\"><title>" + escaped(title) + "</title></rect>\n";
}

std::string label(double x, double y, const std::string& text) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\">" + escaped(text) + "</text>\n";
}

// Gives each encoding a colour when it is first met.
class Palette {
 public:
  const char* colour(const std::string& encoding) {
    return colours_.try_emplace(encoding, kColours[colours_.size() % std::size(kColours)]).first->second;
  }
  std::string legend() const {
    std::string svg;
    double x = kLeft;
    for (const auto& [encoding, colour] : colours_) {
      svg += rectangle(x, kTop - 30, kBarHeight, colour, encoding) + label(x + kBarHeight + 4, kTop - 18, encoding);
      x += kBarHeight + 24 + 7 * static_cast<double>(encoding.size());
    }
    return svg;
  }

 private:
  std::map<std::string, const char*> colours_;
};

}  // namespace

std::string layout_svg(const std::string& title, const std::vector<ColumnPicture>& columns) {
  uint64_t longest = 1;
  for (const ColumnPicture& picture : columns) {
    longest = std::max({longest, picture.value_bytes, picture.stored_bytes});
  }
  const double scale = kBarWidth / static_cast<double>(longest);
  const size_t limit = std::max<size_t>(1, kPartsMax / std::max<size_t>(1, columns.size()));
  Palette palette;
  std::string bars;
  double y = kTop;
  for (const ColumnPicture& picture : columns) {
    const std::string sizes = format_bytes(picture.stored_bytes) + " of " + format_bytes(picture.value_bytes);
    bars += label(8, y + kBarHeight - 2, picture.column.name);
    bars += rectangle(kLeft, y, static_cast<double>(picture.value_bytes) * scale, "#eeeeee", "values: " + sizes);
    double x = kLeft;
    for (const Part& part : fewer(parts_of(picture), limit)) {
      const double width = static_cast<double>(part.bytes) * scale;
      bars += rectangle(x, y, width, palette.colour(part.encoding),
                        part.encoding + ", rows " + std::to_string(part.first_row) + " +" + std::to_string(part.rows) +
                            ", " + format_bytes(part.bytes));
      x += width;
    }
    bars += label(kLeft + kBarWidth + 8, y + kBarHeight - 2, sizes);
    y += kRowHeight;
  }
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(kLeft + kBarWidth + 200) + "\" height=\"" +
         number(y + 10) + "\" font-family=\"sans-serif\" font-size=\"12\">\n" + label(8, 20, title) + palette.legend() +
         bars + "</svg>\n";
}

}  // namespace stela::fsd
