#include "engine/format/column_figures.h"

#include "engine/format/statistics_figures.h"

namespace stela::format {
namespace {

// Numbers are part of the format: append only.
enum FiguresField : uint64_t { kAllRows = 1, kPageFigureList = 2, kFineFigureList = 3 };

void put_list(std::string& out, FiguresField field, const EntryTree& tree) {
  if (tree.empty()) return;
  std::string bytes;
  tree.encode(bytes);
  put_varint(out, field);
  put_text(out, bytes);
}

bool decode_field(uint64_t field, Decoder in, Statistics* statistics, ColumnFigures* figures) {
  switch (field) {
    case kAllRows: return decode_figures(in, statistics);
    case kPageFigureList: return EntryTree::decode(in, &figures->pages);
    case kFineFigureList: return EntryTree::decode(in, &figures->fine);
    default: return true;
  }
}

}  // namespace

std::string encode_column_figures(const Statistics& statistics, const ColumnFigures& figures) {
  std::string out, field;
  encode_figures(field, statistics, true);
  put_varint(out, kAllRows);
  put_text(out, field);
  put_list(out, kPageFigureList, figures.pages);
  put_list(out, kFineFigureList, figures.fine);
  return out;
}

Status decode_column_figures(std::string_view bytes, Statistics* statistics, ColumnFigures* figures) {
  Decoder in(bytes);
  uint64_t last = 0;
  while (!in.at_end()) {
    uint64_t field = 0;
    std::string_view content;
    if (!in.varint(&field) || !in.text(&content) || field <= last ||
        !decode_field(field, Decoder(content), statistics, figures)) {
      return damaged("its figures are malformed");
    }
    last = field;
  }
  return {};
}

}  // namespace stela::format
