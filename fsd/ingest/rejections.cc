#include "fsd/ingest/rejections.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace stela::fsd {

Status Rejections::add(uint64_t line, const std::string& reason, std::string_view text) {
  nlohmann::ordered_json one;
  one["file"] = file_name_;
  one["line"] = line;
  one["reason"] = reason;
  one["text"] = std::string(text);
  // Rejected text may be any bytes.
  rows_.push_back({line, reason, one.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"});
  bytes_ += rows_.back().json.size();
  if (bytes_ <= kBytesMax) return {};
  return {Code::kLimit, file_name_ + ":" + std::to_string(line) + ": with this one " + std::to_string(count()) +
                            " rows would be rejected, more than " + std::to_string(kBytesMax) +
                            " bytes of them; the first: " + first()};
}

std::string Rejections::first() const {
  if (rows_.empty()) return {};
  const Row& row =
      *std::min_element(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.line < b.line; });
  return file_name_ + ":" + std::to_string(row.line) + ": " + row.reason;
}

void Rejections::clear() {
  rows_.clear();
  bytes_ = 0;
}

Status Rejections::reserve() {
  if (rows_.empty()) return {};
  STELA_TRY(to_->reserve(bytes_));
  reserved_ = bytes_;
  return {};
}

void Rejections::committed() {
  if (reserved_ > 0) {
    std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.line < b.line; });
    std::string lines;
    for (const Row& row : rows_) lines += row.json;
    to_->add(lines);
  }
  reserved_ = 0;
  clear();
}

void Rejections::failed() {
  if (reserved_ > 0) to_->give_back(reserved_);
  reserved_ = 0;
  clear();
}

}  // namespace stela::fsd
