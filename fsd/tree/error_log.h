// ErrorLog: the sentences behind every errno the tree gave: a bounded ring (errors.ndjson) that begins with those of
// the daemon before, the newest one for each place for a while (user.stela.error), and the daemon's log as text.
#pragma once

#include <cstdint>
#include <cstdio>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/base/status.h"
#include "engine/io/env.h"

namespace stela::fsd {

// A name within a directory, as a key: the directory's node key and the name.
inline std::string place_of(std::string_view directory_key, std::string_view name) {
  std::string place(directory_key);
  place.push_back('\0');
  place.append(name);
  return place;
}

// Thread-safe. record() may write a line to the daemon's log; everything else is memory.
class ErrorLog {
 public:
  static constexpr size_t kRingMax = 1000;
  static constexpr size_t kPlacesMax = 1024;

  // `daemon_log` "": standard error; "none": nowhere.
  // `earlier`: what ndjson() gave before.
  ErrorLog(Clock& clock, int64_t keep_ns, const std::string& daemon_log, std::string_view earlier = {});
  // Of a part of the tree: places of its own; lines are the whole's, which outlives it.
  ErrorLog(Clock& clock, int64_t keep_ns, ErrorLog& whole) : clock_(clock), keep_ns_(keep_ns), whole_(&whole) {}
  ~ErrorLog();
  ErrorLog(const ErrorLog&) = delete;
  ErrorLog& operator=(const ErrorLog&) = delete;

  // `path` is for people. The sentence is kept at each of `places` that is not empty.
  void record(const std::string& path, const Status& status, int error, std::initializer_list<std::string> places);
  std::optional<std::string> find(const std::string& place);
  void clear(const std::string& place);
  // One JSON object a line, oldest first: time, path, errno, message.
  std::string ndjson() const;
  uint64_t recorded() const;

 private:
  struct Kept {
    std::string sentence;
    int64_t until_ns = 0;
    std::list<std::string>::iterator order;
  };
  void keep_locked(const std::string& place, const std::string& sentence);
  void add_line_locked(std::string line);

  Clock& clock_;
  const int64_t keep_ns_;
  ErrorLog* const whole_ = nullptr;
  std::FILE* log_ = nullptr;
  bool owns_log_ = false;
  mutable std::mutex mutex_;
  std::deque<std::string> ring_;
  std::list<std::string> order_;  // places, oldest first
  std::unordered_map<std::string, Kept> places_;
  uint64_t recorded_ = 0;
};

}  // namespace stela::fsd
