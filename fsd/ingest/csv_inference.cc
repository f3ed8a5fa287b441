#include "fsd/ingest/csv_inference.h"

#include "fsd/ingest/iso_time.h"
#include "fsd/ingest/text_value.h"

namespace stela::fsd {
namespace {

constexpr uint16_t kNumbers =
    kSeenInteger | kSeenNegative | kSeenBeyondInt64 | kSeenBeyond64 | kSeenInexact | kSeenFraction;
constexpr uint16_t kTimes = kSeenDate | kSeenLocalTime | kSeenZonedTime | kSeenNanoseconds | kSeenOutsideNanoseconds;

uint16_t number_evidence(std::string_view text) {
  int64_t number = 0;
  if (parse_int64(text, &number)) return integer_evidence(number);
  uint64_t magnitude = 0;
  if (parse_uint64(text, &magnitude)) return unsigned_evidence(magnitude);
  double value = 0;
  // Minus zero is a float: as an integer it would lose its sign.
  if (text == "-0" || !is_integer_text(text)) return parse_float(text, &value) ? kSeenFraction : kSeenText;
  bool leading_zero = text[text[0] == '-'] == '0';
  if (leading_zero) return kSeenText;
  return static_cast<uint16_t>(kSeenInteger | kSeenBeyond64 | (parse_float(text, &value) ? 0 : kSeenInexact));
}

uint16_t time_evidence(std::string_view text) {
  IsoTimestamp time;
  if (!parse_iso_timestamp(text, &time)) return kSeenText;
  uint16_t seen = instant_evidence(time.seconds, time.nanoseconds);
  if (time.date_only) return seen | kSeenDate;
  if (time.digits > 6) seen |= kSeenNanoseconds;
  return static_cast<uint16_t>(seen | (time.zoned ? kSeenZonedTime : kSeenLocalTime));
}

DataType number_type(uint16_t seen) {
  if ((seen & (kSeenFraction | kSeenBeyond64)) == 0) {
    if ((seen & kSeenBeyondInt64) == 0) return DataType::of(TypeKind::kInt64);
    if ((seen & kSeenNegative) == 0) return DataType::of(TypeKind::kUInt64);
  }
  return DataType::of((seen & kSeenInexact) == 0 ? TypeKind::kFloat64 : TypeKind::kUtf8);
}

DataType time_type(uint16_t seen) {
  bool zoned = (seen & kSeenZonedTime) != 0, nanoseconds = (seen & kSeenNanoseconds) != 0;
  if ((seen & (kSeenLocalTime | kSeenZonedTime)) == 0) return DataType::of(TypeKind::kDate);
  // A date and a timestamp without a zone say nothing about UTC.
  if (zoned && (seen & (kSeenLocalTime | kSeenDate)) != 0) return DataType::of(TypeKind::kUtf8);
  if (nanoseconds && (seen & kSeenOutsideNanoseconds) != 0) return DataType::of(TypeKind::kUtf8);
  return DataType::timestamp(nanoseconds ? TimeUnit::kNano : TimeUnit::kMicro, zoned ? "UTC" : "");
}

}  // namespace

uint16_t integer_evidence(int64_t value) {
  uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  uint16_t seen = kSeenInteger;
  if (value < 0) seen |= kSeenNegative;
  if (!is_exact_in_float<53>(magnitude)) seen |= kSeenInexact;
  return seen;
}

uint16_t unsigned_evidence(uint64_t value) {
  uint16_t seen = kSeenInteger;
  if (value > static_cast<uint64_t>(INT64_MAX)) seen |= kSeenBeyondInt64;
  if (!is_exact_in_float<53>(value)) seen |= kSeenInexact;
  return seen;
}

uint16_t instant_evidence(int64_t seconds, uint32_t nanoseconds) {
  int64_t ignored = 0;
  return to_unit(seconds, nanoseconds, TimeUnit::kNano, &ignored) ? 0 : kSeenOutsideNanoseconds;
}

uint16_t evidence_of(std::string_view text) {
  if (text.empty()) return kSeenText;
  char first = text[0];
  if (is_digit(first) || first == '-' || first == '.') {
    bool maybe_time = text.size() >= 10 && text[4] == '-' && text[7] == '-';
    return maybe_time ? time_evidence(text) : number_evidence(text);
  }
  bool truth = false;
  if (parse_bool(text, &truth)) return kSeenBool;
  double word = 0;
  return parse_float_word(text, &word) ? kSeenFraction : kSeenText;
}

DataType type_for_evidence(uint16_t evidence) {
  if (evidence == kSeenBool) return DataType::of(TypeKind::kBool);
  if (evidence != 0 && (evidence & ~kNumbers) == 0) return number_type(evidence);
  if (evidence != 0 && (evidence & ~kTimes) == 0) return time_type(evidence);
  return DataType::of(TypeKind::kUtf8);
}

}  // namespace stela::fsd
