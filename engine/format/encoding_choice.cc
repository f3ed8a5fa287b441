#include "engine/format/encoding_choice.h"

#include <bit>
#include <cmath>

#include "engine/format/decode_speeds.h"

namespace stela::format {
namespace {

constexpr uint64_t kSampleRunRows = 64, kChoiceRunsMin = 8, kChoicePart = 100, kTrainingRuns = 16;
// Fewer plain bytes than this are not worth the time to look for less: a commit of a row in each of 100,000 columns has
// as many pages.
constexpr uint64_t kEncodedBytesMin = 256;
// What the time to decode weighs beside bytes: a page that decodes at 1 GB/s counts for as many more bytes as this
// says.
constexpr double kLightReadWeight = 0.9, kColdReadWeight = 0.005;
// What of its estimate an encoding may turn out to take: one that would still be dearer than what was encoded is not
// tried. In a light page, an estimate that was too low does not win over the next one; cold ones do not know how much
// columns inside of a page shrink.
double least_share(const Encoding& encoding, EncodingMode mode) {
  if (mode == EncodingMode::kLight) return 1.1;
  return encoding.rank() <= 1 ? 0.8 : 0.5;
}

}  // namespace

// The finaliser of MurmurHash3.
uint64_t ValueSample::scattered(uint64_t number) {
  number = (number ^ (number >> 33)) * 0xff51afd7ed558ccd;
  number = (number ^ (number >> 33)) * 0xc4ceb9fe1a85ec53;
  return number ^ (number >> 33);
}

ValueSample::ValueSample(const ColumnView& all, SampleUse use) : all_(all), runs_(*all.type) {
  const uint64_t runs = use == SampleUse::kTraining
                            ? kTrainingRuns
                            : std::max(kChoiceRunsMin, all.rows / kChoicePart / kSampleRunRows);
  const uint64_t part = all.rows / runs;
  auto add = [&](uint64_t first, uint64_t count) {
    runs_.append(all.slice(first, count));
    for (uint64_t row = first + 1; row < first + count; ++row) {
      ++pairs_;
      if (as_text(all.value(row)) != as_text(all.value(row - 1))) ++differing_pairs_;
    }
  };
  if (part < kSampleRunRows) {
    add(0, std::min(all.rows, runs * kSampleRunRows));
  } else {
    for (uint64_t i = 0; i < runs; ++i) {
      add(i * part + scattered(i + 1) % (part - kSampleRunRows + 1), kSampleRunRows);
    }
  }
  count_distinct();
}

void ValueSample::count_distinct() {
  const ColumnView runs = runs_.view();
  std::vector<uint64_t> hashes(runs.rows);
  for (uint64_t row = 0; row < runs.rows; ++row) hashes[row] = hash64(as_text(runs.value(row)));
  std::sort(hashes.begin(), hashes.end());
  for (uint64_t i = 0; i < runs.rows;) {
    uint64_t next = i + 1;
    while (next < runs.rows && hashes[next] == hashes[i]) ++next;
    ++distinct_;
    if (next == i + 1) ++once_;
    if (next == i + 2) ++twice_;
    i = next;
  }
}

uint64_t ValueSample::changes() const {
  if (pairs_ == 0) return all_.rows;
  return static_cast<uint64_t>(static_cast<double>(differing_pairs_) * static_cast<double>(all_.rows) /
                               static_cast<double>(pairs_));
}

// The larger of two: by the guaranteed-error estimator (Charikar et al., PODS 2000) values seen once stand for
// sqrt(rows / sample) others; by Chao's (Scandinavian Journal of Statistics, 1984), which is a lower bound, for as many as
// those seen twice are rare.
uint64_t ValueSample::distinct() const {
  if (runs_.rows() == 0) return 0;
  const double scale = static_cast<double>(all_.rows) / static_cast<double>(runs_.rows());
  const auto once = static_cast<double>(once_);
  const double seen_again = static_cast<double>(distinct_ - once_) + std::sqrt(scale) * once;
  const double not_seen = static_cast<double>(distinct_) + once * (once - 1) / (2 * (static_cast<double>(twice_) + 1));
  return std::min(all_.rows, static_cast<uint64_t>(std::max(seen_again, not_seen)));
}

double read_factor(EncodingId id, EncodingMode mode) {
  const double weight = mode == EncodingMode::kLight ? kLightReadWeight : kColdReadWeight;
  return 1 + weight / decode_speed(id);
}

std::vector<EncodingCandidate> encoding_candidates(const ColumnView& values, unsigned below_rank, EncodingMode mode) {
  std::vector<EncodingCandidate> candidates;
  const ValueSample sample(values);
  for (const Encoding* encoding : all_encodings()) {
    if (encoding->rank() >= below_rank || !encoding->supports(*values.type)) continue;
    std::optional<uint64_t> bytes = encoding->estimate(sample, mode);
    if (!bytes) continue;
    const double price = static_cast<double>(*bytes) * read_factor(encoding->id(), mode);
    candidates.push_back({encoding, *bytes, price});
    if (encoding->id() == EncodingId::kConstant) break;  // nothing is smaller
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const EncodingCandidate& a, const EncodingCandidate& b) { return a.price < b.price; });
  return candidates;
}

Result<EncodedValues> encode_cheapest(const ColumnView& values, unsigned below_rank, EncodingMode mode,
                                      double share_max) {
  const Encoding* plain = find_encoding(EncodingId::kPlain);
  std::vector<EncodingCandidate> candidates;
  if (values.value_bytes() >= kEncodedBytesMin) candidates = encoding_candidates(values, below_rank, mode);
  uint64_t plain_bytes = 0;
  for (const EncodingCandidate& candidate : candidates) {
    if (candidate.encoding == plain) plain_bytes = candidate.bytes;
  }
  const auto bytes_max = static_cast<uint64_t>(static_cast<double>(plain_bytes) * share_max);
  EncodedValues best;
  double best_price = 0;
  for (const EncodingCandidate& candidate : candidates) {
    if (candidate.encoding == plain) break;
    if (candidate.bytes > bytes_max) continue;
    if (best.encoding != nullptr && best_price <= candidate.price * least_share(*candidate.encoding, mode)) continue;
    EncodedValues encoded{candidate.encoding, {}};
    Status status = candidate.encoding->encode(values, mode, encoded.bytes);
    if (status.code() == Code::kUnsupported) continue;
    STELA_TRY(status);
    if (encoded.bytes.size() > bytes_max) continue;
    const double price = static_cast<double>(encoded.bytes.size()) * read_factor(candidate.encoding->id(), mode);
    if (best.encoding == nullptr || price < best_price) {
      best = std::move(encoded);
      best_price = price;
    }
  }
  if (best.encoding != nullptr && best_price < static_cast<double>(plain_bytes)) return best;
  best = {plain, {}};
  if (!plain->is_identity(*values.type)) STELA_TRY(plain->encode(values, mode, best.bytes));
  return best;
}

}  // namespace stela::format
