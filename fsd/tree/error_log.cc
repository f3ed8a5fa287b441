#include "fsd/tree/error_log.h"

#include <algorithm>

#include "fsd/tree/json_text.h"

namespace stela::fsd {

ErrorLog::ErrorLog(Clock& clock, int64_t keep_ns, const std::string& daemon_log, std::string_view earlier)
    : clock_(clock), keep_ns_(keep_ns) {
  for (size_t at = 0, end = 0; at < earlier.size(); at = end + 1) {
    end = std::min(earlier.find('\n', at), earlier.size());
    add_line_locked(std::string(earlier.substr(at, end - at)));
  }
  if (daemon_log == "none") return;
  if (!daemon_log.empty()) log_ = std::fopen(daemon_log.c_str(), "ae");
  owns_log_ = log_ != nullptr;
  if (log_ == nullptr) log_ = stderr;
}

ErrorLog::~ErrorLog() {
  if (owns_log_) std::fclose(log_);
}

void ErrorLog::record(const std::string& path, const Status& status, int error,
                      std::initializer_list<std::string> places) {
  std::string time = utc_text(clock_.utc_ns()), errno_text = errno_name(error), quoted = json_quote(path);
  if (log_ != nullptr) {
    std::fprintf(log_, "%s %s %s: %s\n", time.c_str(), errno_text.c_str(), quoted.c_str(), status.message().c_str());
    std::fflush(log_);
  }
  if (whole_ != nullptr) whole_->record(path, status, error, {});
  std::lock_guard lock(mutex_);
  recorded_++;
  if (whole_ == nullptr) {
    add_line_locked("{\"time\":" + json_quote(time) + ",\"path\":" + quoted +
                    ",\"errno\":" + json_quote(errno_text) + ",\"message\":" + json_quote(status.message()) + "}");
  }
  for (const std::string& place : places) {
    if (!place.empty()) keep_locked(place, status.message());
  }
}

void ErrorLog::add_line_locked(std::string line) {
  ring_.push_back(std::move(line));
  if (ring_.size() > kRingMax) ring_.pop_front();
}

void ErrorLog::keep_locked(const std::string& place, const std::string& sentence) {
  auto found = places_.find(place);
  if (found != places_.end()) {
    order_.erase(found->second.order);
    places_.erase(found);
  }
  order_.push_back(place);
  places_[place] = Kept{sentence, clock_.monotonic_ns() + keep_ns_, std::prev(order_.end())};
  while (places_.size() > kPlacesMax) {
    places_.erase(order_.front());
    order_.pop_front();
  }
}

std::optional<std::string> ErrorLog::find(const std::string& place) {
  std::lock_guard lock(mutex_);
  auto found = places_.find(place);
  if (found == places_.end() || found->second.until_ns < clock_.monotonic_ns()) return std::nullopt;
  return found->second.sentence;
}

void ErrorLog::clear(const std::string& place) {
  std::lock_guard lock(mutex_);
  auto found = places_.find(place);
  if (found == places_.end()) return;
  order_.erase(found->second.order);
  places_.erase(found);
}

std::string ErrorLog::ndjson() const {
  std::lock_guard lock(mutex_);
  std::string out;
  for (const std::string& line : ring_) out += line + "\n";
  return out;
}

uint64_t ErrorLog::recorded() const {
  std::lock_guard lock(mutex_);
  return recorded_;
}

}  // namespace stela::fsd
