// .table.arrow: an Arrow IPC file of all columns, in record batches of 2^20 rows by position.
#include <algorithm>
#include <list>
#include <mutex>

#include "fsd/views/arrow_regions.h"
#include "fsd/views/column_form.h"
#include "fsd/views/column_slice.h"

namespace stela::fsd {
namespace {

constexpr uint64_t kBatchRows = 1 << 20;
constexpr size_t kBatchesKept = 4;

// The file is known batch by batch: where one begins follows from the lengths of the values before it, which are
// asked for as far as somebody reads (its end, which readers begin with, needs all of them). Nulls are counted when
// the head of their batch is read.
class TableArrowView final : public View {
 public:
  static Result<std::unique_ptr<View>> open(const TableSource& table) {
    STELA_ASSIGN(std::vector<ColumnInfo> infos, table.columns());
    auto view = std::unique_ptr<TableArrowView>(new TableArrowView(table.version().rows));
    for (const ColumnInfo& info : infos) {
      STELA_TRY(arrow_form().supports(info.type));
      std::shared_ptr<const ColumnSource> column = table.column(info);
      STELA_ASSIGN(ColumnTotals totals, column->totals());
      ArrowColumn plan{.info = info, .has_nulls = totals.nulls > 0, .large = false};
      if (info.type.is_variable() && totals.value_bytes >= kLargeValueBytes) {
        STELA_ASSIGN(plan.large, view->has_large_batch(*column));
      }
      view->columns_.push_back(std::move(column));
      view->plans_.push_back(std::move(plan));
    }
    view->head_ = arrow_file_head(view->plans_);
    view->begins_.push_back(view->head_.size());
    return std::unique_ptr<View>(std::move(view));
  }

  Result<uint64_t> size() override {
    std::lock_guard lock(mutex_);
    STELA_TRY(find_begins(UINT64_MAX));
    return begins_.back() + tail_.size();
  }

  Result<size_t> read(uint64_t offset, MutableByteSpan into) override {
    size_t done = 0;
    while (done < into.size()) {
      STELA_ASSIGN(size_t count, read_piece(offset + done, into.subspan(done)));
      if (count == 0) break;
      done += count;
    }
    return done;
  }

 private:
  explicit TableArrowView(uint64_t rows)
      : rows_(rows), batches_(std::max<uint64_t>(1, (rows + kBatchRows - 1) / kBatchRows)) {}

  uint64_t first_row(uint64_t batch) const { return batch * kBatchRows; }
  uint64_t rows_in(uint64_t batch) const { return std::min(kBatchRows, rows_ - first_row(batch)); }

  Result<bool> has_large_batch(const ColumnSource& column) const {
    for (uint64_t batch = 0; batch < batches_; ++batch) {
      STELA_ASSIGN(uint64_t bytes, column.value_bytes(first_row(batch), rows_in(batch)));
      if (bytes >= kLargeValueBytes) return true;
    }
    return false;
  }

  // All but the numbers of nulls.
  Result<std::vector<ColumnTotals>> totals_of(uint64_t batch) const {
    std::vector<ColumnTotals> all;
    for (const auto& column : columns_) {
      ColumnTotals totals{.rows = rows_in(batch), .nulls = 0, .value_bytes = 0};
      if (column->type().is_variable()) {
        STELA_ASSIGN(totals.value_bytes, column->value_bytes(first_row(batch), totals.rows));
      }
      all.push_back(totals);
    }
    return all;
  }

  uint64_t body_bytes(const std::vector<ColumnTotals>& totals) const {
    uint64_t bytes = 0;
    for (size_t i = 0; i < plans_.size(); ++i) {
      for (const ArrowRegion& region : arrow_regions(plans_[i], totals[i])) {
        bytes += region.bytes + region.padding_bytes;
      }
    }
    return bytes;
  }

  // As far as the batch that holds `offset`, or all and the tail; mutex_ is held.
  Status find_begins(uint64_t offset) {
    while (begins_.size() <= batches_ && begins_.back() <= offset) {
      STELA_ASSIGN(std::vector<ColumnTotals> totals, totals_of(begins_.size() - 1));
      if (batch_head_bytes_ == 0) batch_head_bytes_ = arrow_batch_head(plans_, totals).size();
      begins_.push_back(begins_.back() + batch_head_bytes_ + body_bytes(totals));
    }
    if (begins_.size() <= batches_ || !tail_.empty()) return {};
    std::vector<ArrowBlock> blocks;
    for (uint64_t batch = 0; batch < batches_; ++batch) {
      uint64_t bytes = begins_[batch + 1] - begins_[batch];
      blocks.push_back({begins_[batch], batch_head_bytes_, bytes - batch_head_bytes_});
    }
    tail_ = arrow_file_tail(plans_, blocks);
    return {};
  }

  static size_t copy_from(const std::string& text, uint64_t at, MutableByteSpan into) {
    size_t count = std::min<size_t>(into.size(), text.size() - std::min<size_t>(at, text.size()));
    if (count > 0) std::memcpy(into.data(), text.data() + at, count);
    return count;
  }

  // From one part of the file: head, batch or tail.
  Result<size_t> read_piece(uint64_t offset, MutableByteSpan into) {
    if (offset < head_.size()) return copy_from(head_, offset, into);
    uint64_t batch = 0, begin = 0;
    {
      std::lock_guard lock(mutex_);
      STELA_TRY(find_begins(offset));
      if (begins_.size() > batches_ && offset >= begins_.back()) {
        return copy_from(tail_, offset - begins_.back(), into);
      }
      batch = static_cast<uint64_t>(std::upper_bound(begins_.begin(), begins_.end(), offset) - begins_.begin()) - 1;
      begin = begins_[batch];
    }
    STELA_ASSIGN(std::shared_ptr<RegionView> view, batch_view(batch));
    return view->read(offset - begin, into);
  }

  Result<std::shared_ptr<RegionView>> batch_view(uint64_t batch) {
    {
      std::lock_guard lock(mutex_);
      for (auto kept = kept_.begin(); kept != kept_.end(); ++kept) {
        if (kept->first != batch) continue;
        kept_.splice(kept_.begin(), kept_, kept);
        return kept->second;
      }
    }
    STELA_ASSIGN(std::shared_ptr<RegionView> view, make_batch(batch));
    std::lock_guard lock(mutex_);
    kept_.emplace_front(batch, view);
    if (kept_.size() > kBatchesKept) kept_.pop_back();
    return view;
  }

  Result<std::shared_ptr<RegionView>> make_batch(uint64_t batch) const {
    STELA_ASSIGN(std::vector<ColumnTotals> totals, totals_of(batch));
    auto view = std::make_shared<RegionView>();
    std::vector<std::shared_ptr<const ColumnSource>> slices;
    for (const auto& column : columns_) {
      slices.push_back(std::make_shared<ColumnSlice>(column, first_row(batch), rows_in(batch)));
    }
    view->add(batch_head_bytes_, head_fill(slices));
    for (size_t i = 0; i < slices.size(); ++i) {
      add_arrow_regions(*view, slices[i], totals[i].value_bytes, plans_[i].large, arrow_regions(plans_[i], totals[i]));
    }
    return view;
  }

  // Made at its first reading, once.
  FillRegion head_fill(std::vector<std::shared_ptr<const ColumnSource>> slices) const {
    struct Head {
      std::mutex mutex;
      std::string text;
    };
    auto head = std::make_shared<Head>();
    return [this, head, slices = std::move(slices)](uint64_t offset, MutableByteSpan into) -> Status {
      std::lock_guard lock(head->mutex);
      if (head->text.empty()) {
        std::vector<ColumnTotals> totals;
        for (const auto& slice : slices) {
          STELA_ASSIGN(ColumnTotals counted, slice->totals());
          totals.push_back(counted);
        }
        head->text = arrow_batch_head(plans_, totals);
      }
      copy_from(head->text, offset, into);
      return {};
    };
  }

  const uint64_t rows_, batches_;
  std::vector<std::shared_ptr<const ColumnSource>> columns_;
  std::vector<ArrowColumn> plans_;
  std::string head_;
  std::mutex mutex_;              // guards what follows
  std::vector<uint64_t> begins_;  // of batches, and of the tail
  uint64_t batch_head_bytes_ = 0;
  std::string tail_;
  std::list<std::pair<uint64_t, std::shared_ptr<RegionView>>> kept_;  // newest first
};

class TableArrowForm final : public TableSourceForm {
 public:
  const char* name() const override { return ".table.arrow"; }
  bool size_is_cheap() const override { return false; }
  Result<std::unique_ptr<View>> open_source(std::shared_ptr<const TableSource> table,
                                            std::optional<uint64_t>) const override {
    return TableArrowView::open(*table);
  }
};

}  // namespace

const TableSourceForm& table_arrow_form() {
  static const TableArrowForm form;
  return form;
}

}  // namespace stela::fsd
