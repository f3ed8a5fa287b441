// TextView: lines made from rows, readable at any offset without holding or remaking the whole.
//
// A line's place is known only when the lines before it were formatted. So the view cuts the text into
// segments of about 256 KiB and remembers where each begins, found by formatting on from the last one as
// far as somebody asks: size() goes to the end once, a read at the start hardly anywhere. A later read
// remakes the segment it falls in; the last few are kept. There are at most 65,536 segments; they grow
// where the whole passes 16 GiB.
//
// Lines are made by several threads: size() and whoever reads on find the next parts under way. So many parts are in
// memory at most, each as large as one step of the LineSource.
#pragma once

#include <deque>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "fsd/views/view.h"

namespace stela::fsd {

// Where the lines come from. Immutable, thread-safe, gives the same bytes each time.
class LineSource {
 public:
  virtual ~LineSource() = default;
  // What comes before the first row's line.
  virtual std::string header() const = 0;
  virtual uint64_t rows() const = 0;
  // How many rows from `first` < last on, and before `last`, one call of append_lines may take so that its memory is
  // bounded, but for a single larger line: at least one.
  virtual Result<uint64_t> rows_at_once(uint64_t first, uint64_t last) const = 0;
  // Appends the lines of `count` rows from `first` on. Called by several threads at once.
  virtual Status append_lines(uint64_t first, uint64_t count, std::string& out) const = 0;
};

struct TextViewOptions {
  uint64_t segment_bytes = 256 << 10;
  size_t segments_max = 65536;
  uint64_t cache_bytes_max = 4 << 20;  // one segment is kept whatever its size
  size_t threads = 0;                  // that make lines; 0: as many as there are processors, at most 4
};

class TextView final : public View {
 public:
  TextView(std::unique_ptr<LineSource> lines, std::optional<uint64_t> remembered_size, TextViewOptions options = {});

  Result<uint64_t> size() override;
  Result<size_t> read(uint64_t offset, MutableByteSpan into) override;

 private:
  struct Boundary {
    uint64_t row;
    uint64_t offset;
  };
  struct Segment {
    Boundary begin;
    Boundary end;
  };
  struct SegmentText {
    uint64_t offset;
    std::shared_ptr<const std::string> text;
    bool holds(uint64_t at) const { return at >= offset && at - offset < text->size(); }
  };

  // Lines of rows after all that is known, on their way.
  struct Part {
    uint64_t first;
    uint64_t rows;
    std::future<Result<std::string>> text;
  };
  using Making = std::shared_future<Result<SegmentText>>;

  Status extend(size_t parts);
  Status plan(size_t parts);
  void seal();
  void keep(SegmentText segment);
  // What is known of the text at `offset` after one step towards it.
  struct Search {
    std::optional<SegmentText> found;
    std::optional<Making> making;  // known but made again
    uint64_t offset = 0;           //   and where it begins
    bool past_end = false;
  };
  Result<Search> search(uint64_t offset);
  Result<std::optional<SegmentText>> text_at(uint64_t offset);
  Result<SegmentText> make(const Segment& segment) const;
  Making start(size_t segment, std::launch how);
  void start_next(size_t segment);

  const std::unique_ptr<LineSource> lines_;
  const std::optional<uint64_t> remembered_size_;
  const TextViewOptions options_;
  const size_t threads_;

  // Guards all below; held while the text grows by one step, not while a segment is remade.
  std::mutex mutex_;
  uint64_t segment_bytes_;
  std::vector<Boundary> boundaries_;   // segment i lies between boundaries i and i + 1
  bool complete_ = false;              // the last boundary is the end
  bool begun_ = false;                 // the header is in
  std::string growing_;                // text after the last boundary,
  uint64_t growing_row_ = 0;           //   of the rows below this one
  std::deque<Part> parts_;             // of the rows after it, in their order,
  uint64_t planned_row_ = 0;           //   below this one
  uint64_t steps_ = 0;                 // parts taken so far
  std::map<uint64_t, Making> making_;  // segments that are made again, by offset
  size_t last_segment_ = 0;            // the last one that was asked for
  std::list<SegmentText> cache_;       // newest first
  uint64_t cache_bytes_ = 0;
};

}  // namespace stela::fsd
