// Which encoding a page gets: each is asked what it would need, from a sample; the lowest price wins, where price is
// bytes times what reading them costs.
#pragma once

#include <span>
#include <vector>

#include "engine/format/word_vectors.h"

namespace stela::format {

// What a sample is for: to choose by, or for an encoding to learn from (symbols, exponents), which takes more.
enum class SampleUse : uint8_t { kChoice, kTraining };

// What estimates look at: the values (no nulls among them, see encoding.h), a few whole vectors of 1,024, and runs of 64
// neighbours, as many from each part of the rows, at places that depend on nothing but the number of rows; so the same
// rows always become the same bytes. To choose by, runs are one row in a hundred, at least eight runs: fewer do not tell
// how many values differ. Vectors, which tell widths, are one in 64, at least two.
class ValueSample {
 public:
  // `all` must outlive it.
  explicit ValueSample(const ColumnView& all, SampleUse use = SampleUse::kChoice);
  const ColumnView& all() const { return all_; }
  // The runs, one behind the other.
  ColumnView runs() const { return runs_.view(); }
  // Bytes of all vectors when `cost` gives those of one.
  template <typename Cost>
  uint64_t scale_vectors(Cost cost) const;
  // How many of all neighbours differ.
  uint64_t changes() const;
  // How many different values there are likely to be among all rows.
  uint64_t distinct() const;

 private:
  static constexpr uint64_t kVectorsMin = 2, kVectorsPart = 64;
  // Where one is taken within its part of the rows: a fixed hash of the part's number.
  static uint64_t scattered(uint64_t number);
  void count_distinct();
  ColumnView all_;
  ColumnData runs_;
  uint64_t pairs_ = 0;
  uint64_t differing_pairs_ = 0;
  uint64_t distinct_ = 0;
  uint64_t once_ = 0, twice_ = 0;  // distinct values seen so often
};

struct EncodingCandidate {
  const Encoding* encoding = nullptr;
  uint64_t bytes = 0;  // estimated
  double price = 0;    // bytes times the read factor
};

// Below this rank; 4 for a page, which allows every encoding.
inline constexpr unsigned kPageRank = 4;
// Those that suit the values, cheapest first; plain is always among them.
std::vector<EncodingCandidate> encoding_candidates(const ColumnView& values, unsigned below_rank, EncodingMode mode);

struct EncodedValues {
  const Encoding* encoding = nullptr;  // where it is an identity, `bytes` is empty: the values are the bytes
  Buffer bytes;
};
// Encodes by the cheapest candidate, or plain where that saves less than 1 - `share_max` of the plain bytes.
Result<EncodedValues> encode_cheapest(const ColumnView& values, unsigned below_rank, EncodingMode mode,
                                      double share_max);
// What reading a byte of an encoding costs, beside a plain one.
double read_factor(EncodingId id, EncodingMode mode);

template <typename Cost>
uint64_t ValueSample::scale_vectors(Cost cost) const {
  const uint64_t vectors = vectors_of(all_.rows);
  if (vectors == 0) return 0;
  const uint64_t asked = std::min(vectors, std::max(kVectorsMin, vectors / kVectorsPart));
  uint64_t bytes = 0, rows = 0;
  for (uint64_t i = 0; i < asked; ++i) {
    const uint64_t vector = i * (vectors / asked) + scattered(i + 1) % (vectors / asked);
    const uint32_t count = rows_of_vector(all_.rows, vector);
    bytes += cost(all_.slice(vector * kVectorRows, count));
    rows += count;
  }
  return static_cast<uint64_t>(static_cast<double>(bytes) * static_cast<double>(all_.rows) / static_cast<double>(rows));
}

}  // namespace stela::format
