// BatchRelay: a sink takes one batch on a second thread while the next one is filled.
#pragma once

#include <future>
#include <utility>

#include "fsd/ingest/row_sink.h"

namespace stela::fsd {

// One thread at a time fills; the sink is never used by two at once. Memory: two batches.
class BatchRelay {
 public:
  explicit BatchRelay(RowSink& sink) : sink_(sink) {}

  // Takes empty columns with their names; both batches have them. Waits for the sink.
  void reset(const Batch& empty) {
    (void)wait();
    filling_ = leaving_ = empty;
  }
  Batch& filling() { return filling_; }
  // Hands on what was filled, when the sink has taken the batch before; filling() is empty then. An error is that of
  // the batch before.
  Status hand_on() {
    STELA_TRY(wait());
    std::swap(filling_, leaving_);
    for (ColumnData& column : filling_.columns) column.clear();
    appended_ = std::async(std::launch::async, [this] { return sink_.append(leaving_); });
    return {};
  }
  // Until the sink has nothing in its hands; before it is used otherwise.
  Status wait() { return appended_.valid() ? appended_.get() : Status(); }

 private:
  RowSink& sink_;
  Batch filling_;
  Batch leaving_;                 // in the sink's hands while appended_ is valid
  std::future<Status> appended_;  // destroyed first: waits for the sink
};

}  // namespace stela::fsd
