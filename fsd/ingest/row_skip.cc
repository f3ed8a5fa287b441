#include "fsd/ingest/row_skip.h"

#include <algorithm>

namespace stela::fsd {
namespace {

constexpr size_t kRowsAfterMisfit = 16;

CsvRecords rows_of(const CsvRecords& block, size_t first, size_t count) {
  CsvRecords out;
  out.data = block.data;
  out.rows = count;
  out.columns = block.columns;
  auto fields = block.fields.begin() + static_cast<ptrdiff_t>(first * block.columns);
  out.fields.assign(fields, fields + static_cast<ptrdiff_t>(count * block.columns));
  return out;
}

}  // namespace

Status take_fitting_rows(CsvPass& pass, const CsvRecords& block, uint64_t bytes,
                         const std::function<Status(const CsvMisfit& misfit)>& reject) {
  size_t first = 0, step = block.rows;
  while (first < block.rows) {
    size_t count = std::min(step, block.rows - first);
    CsvRecords rows = rows_of(block, first, count);
    STELA_ASSIGN(std::optional<CsvMisfit> misfit, pass.try_take(rows, bytes * count / block.rows));
    if (!misfit) {
      first += count;
      step = count * 2;
    } else if (misfit->row > 0) {
      step = misfit->row;  // these fit
    } else {
      STELA_TRY(reject({first, misfit->target}));
      ++first;
      step = kRowsAfterMisfit;
    }
  }
  return {};
}

}  // namespace stela::fsd
