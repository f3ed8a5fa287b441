#include "engine/format/float_sum.h"

#include <cmath>
#include <limits>

namespace stela::format {
namespace {

constexpr int kLeastExponent = std::numeric_limits<double>::min_exponent - std::numeric_limits<double>::digits;

bool is_negative(std::string_view bytes) { return !bytes.empty() && (bytes.back() & '\x80') != 0; }

// The last byte says nothing that the one before it does not.
bool has_spare_byte(std::string_view bytes) {
  if (bytes.size() < 2) return false;
  return bytes.back() == (is_negative(bytes.substr(0, bytes.size() - 1)) ? '\xff' : '\0');
}

// Of two's complement, without the sign.
std::string magnitude_of(std::string_view bytes) {
  std::string magnitude(bytes);
  if (!is_negative(bytes)) return magnitude;
  unsigned carry = 1;
  for (char& byte : magnitude) {
    carry += static_cast<uint8_t>(~byte);
    byte = static_cast<char>(carry);
    carry >>= 8;
  }
  return magnitude;
}

}  // namespace

double ExactFloat::nearest() const {
  std::string magnitude = magnitude_of(bytes_);
  while (!magnitude.empty() && magnitude.back() == 0) magnitude.pop_back();
  if (magnitude.empty()) return 0;
  // Its 64 highest bits, and in the lowest of them whether there are further ones: that rounds as all of them would.
  const auto last = magnitude.size() - 1;
  const int unused = std::countl_zero(static_cast<uint8_t>(magnitude[last]));
  uint64_t high = 0;
  bool more = false;
  for (size_t i = 0; i < 9; ++i) {
    const uint64_t byte = i <= last ? static_cast<uint8_t>(magnitude[last - i]) : 0;
    if (i < 8) high = high << 8 | byte;
    if (i < 8) continue;
    high = high << unused | byte >> (8 - unused);
    more = (byte << unused & 0xff) != 0;
  }
  for (size_t i = 9; i <= last; ++i) more |= magnitude[last - i] != 0;
  const int exponent = static_cast<int>(8 * (place_ + last)) + 7 - unused - 63 + kLeastExponent;
  const double nearest = std::ldexp(static_cast<double>(high | (more ? 1 : 0)), exponent);
  return is_negative(bytes_) ? -nearest : nearest;
}

void ExactFloat::encode(std::string& out) const {
  put_varint(out, place_);
  put_text(out, bytes_);
}

bool ExactFloat::decode(Decoder& in) {
  std::string_view bytes;
  uint64_t place = 0;
  if (!in.varint_upto(FloatSum::kBytes, &place) || !in.text(&bytes)) return false;
  if (bytes.size() > FloatSum::kBytes - place || (bytes.empty() && place != 0)) return false;
  if (!bytes.empty() && (bytes.front() == 0 || has_spare_byte(bytes))) return false;
  place_ = place;
  bytes_ = bytes;
  return true;
}

void FloatSum::carry() {
  for (size_t i = 0; i + 1 < kDigits; ++i) {
    digits_[i + 1] += digits_[i] >> 32;
    digits_[i] &= UINT32_MAX;
  }
  added_ = 1;
}

void FloatSum::add(const ExactFloat& other) {
  if (++added_ > kAddedMax) carry();
  for (size_t i = 0; i < other.bytes_.size(); ++i) {
    const char byte = other.bytes_[i];
    const bool last = i + 1 == other.bytes_.size();
    const int64_t value = last ? int64_t{static_cast<int8_t>(byte)} : int64_t{static_cast<uint8_t>(byte)};
    const uint64_t place = other.place_ + i;
    digits_[place / 4] += value * (int64_t{1} << (8 * (place % 4)));
  }
}

void FloatSum::multiply(uint64_t count) {
  carry();
  __int128 carried = 0;
  for (int64_t& digit : digits_) {
    carried += static_cast<__int128>(digit) * static_cast<__int128>(count);
    digit = static_cast<int64_t>(static_cast<uint32_t>(carried));
    carried >>= 32;
  }
  digits_.back() = static_cast<int32_t>(digits_.back());
}

ExactFloat FloatSum::value() const {
  FloatSum sum = *this;
  sum.carry();
  std::string bytes;
  for (int64_t digit : sum.digits_) put_fixed(bytes, static_cast<uint32_t>(digit));
  while (has_spare_byte(bytes)) bytes.pop_back();
  const size_t first = bytes.find_first_not_of('\0');
  ExactFloat exact;
  if (first == std::string::npos) return exact;
  exact.place_ = first;
  exact.bytes_ = bytes.substr(first);
  return exact;
}

}  // namespace stela::format
