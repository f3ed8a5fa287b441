#include "fsd/cli/output.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace stela::fsd {
namespace {

constexpr size_t kGatheredBytes = 64 << 10;
// What a pipe that is ready takes without blocking (PIPE_BUF).
constexpr size_t kPipeBytes = 4096;
constexpr int kWaitMs = 200;

}  // namespace

Output::Output(int fd, const ProgressFunction& progress) : fd_(fd), progress_(progress) {
  struct stat attributes;
  is_file_ = fstat(fd_, &attributes) == 0 && S_ISREG(attributes.st_mode);
}

Output& Output::text(std::string_view text) {
  pending_.append(text);
  if (pending_.size() >= kGatheredBytes) (void)flush().ok();  // flush() at the end repeats what went wrong
  return *this;
}

Status Output::bytes(ByteSpan bytes) {
  STELA_TRY(flush());
  return write_all(as_text(bytes));
}

Status Output::flush() {
  std::string gathered = std::exchange(pending_, {});
  return write_all(gathered);
}

Status Output::wait_for_room() {
  for (;;) {
    pollfd wait{fd_, POLLOUT, 0};
    int ready = poll(&wait, 1, kWaitMs);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return {};
    if (progress_ && !progress_({})) return Status(Code::kDeadline, "cancelled");
  }
}

Status Output::write_all(std::string_view text) {
  while (!text.empty() && status_.ok()) {
    if (!is_file_) {
      status_ = wait_for_room();
      if (!status_.ok()) break;
    }
    ssize_t count = write(fd_, text.data(), is_file_ ? text.size() : std::min(text.size(), kPipeBytes));
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0 && errno == EPIPE) {
      status_ = Status(Code::kIo, "");  // the reader has seen enough: nothing to be said
    } else if (count < 0) {
      status_ = status_from_errno(errno, "writing the output");
    } else {
      text.remove_prefix(static_cast<size_t>(count));
    }
  }
  return status_;
}

std::string format_table(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& numeric) {
  // Code points, not bytes, are what a terminal sets side by side.
  auto width_of = [](const std::string& text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  };
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      std::string gap(widths[i] - width_of(row[i]), ' ');
      bool right = i < numeric.size() && numeric[i];
      if (i > 0) text += "  ";
      if (right) text += gap;
      text += row[i];
      if (!right && i + 1 < row.size()) text += gap;
    }
    text += "\n";
  }
  return text;
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

std::string format_time(int64_t utc_ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  int64_t seconds = utc_ns / kSecond, rest = utc_ns % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  time_t time = seconds;
  struct tm parts = {};
  gmtime_r(&time, &parts);
  char text[64];
  size_t length = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string out(text, length);
  if (rest != 0) {
    std::snprintf(text, sizeof(text), ".%09lld", static_cast<long long>(rest));
    out += text;
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out + "Z";
}

std::string format_number(double value, const char* unit) {
  char text[48];
  std::snprintf(text, sizeof(text), "%.1f%s", value, unit);
  return text;
}

double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string format_bytes(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  size_t unit = 0;
  auto value = static_cast<double>(bytes);
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  char text[64];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

}  // namespace stela::fsd
