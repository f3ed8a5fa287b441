#include "fsd/cli/progress_line.h"

#include <signal.h>

#include <chrono>
#include <cstdio>

#include "fsd/cli/output.h"

namespace stela::fsd {
namespace {

constexpr int64_t kRedrawNs = 100'000'000;
volatile sig_atomic_t interrupted = 0;

int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string format_clock(double seconds) {
  auto whole = static_cast<int64_t>(seconds + 0.5);
  char text[32];
  if (whole >= 3600) {
    std::snprintf(text, sizeof(text), "%lld:%02lld:%02lld", static_cast<long long>(whole / 3600),
                  static_cast<long long>(whole / 60 % 60), static_cast<long long>(whole % 60));
  } else {
    std::snprintf(text, sizeof(text), "%lld:%02lld", static_cast<long long>(whole / 60),
                  static_cast<long long>(whole % 60));
  }
  return text;
}

}  // namespace

std::string format_progress(const VerbProgress& progress, int64_t elapsed_ns) {
  double seconds = static_cast<double>(elapsed_ns) / 1e9;
  double rate = seconds > 0 ? static_cast<double>(progress.done) / seconds : 0;
  std::string text = printable(progress.what);
  if (progress.total > 0) {
    uint64_t done = std::min(progress.done, progress.total);
    text += "  " +
            std::to_string(static_cast<int>(static_cast<double>(done) * 100 / static_cast<double>(progress.total))) +
            "%";
  } else {
    text += "  " + format_bytes(progress.done);
  }
  if (rate <= 0) return text;
  text += "  " + format_bytes(static_cast<uint64_t>(rate)) + "/s";
  if (progress.total > progress.done) {
    text += "  " + format_clock(static_cast<double>(progress.total - progress.done) / rate) + " left";
  }
  return text;
}

bool ProgressLine::show(const VerbProgress& progress) {
  if (interrupted != 0) return false;
  if (!wanted_ || progress.what.empty()) return true;
  int64_t now = monotonic_ns();
  if (started_ns_ == 0) started_ns_ = now;
  if (visible_ && now - drawn_ns_ < kRedrawNs) return true;
  drawn_ns_ = now;
  visible_ = true;
  std::fprintf(stderr, "\r%s\x1b[K", format_progress(progress, now - started_ns_).c_str());
  std::fflush(stderr);
  return true;
}

ProgressLine::~ProgressLine() {
  if (visible_) std::fputs("\r\x1b[K", stderr);
}

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = SA_RESETHAND;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool is_interrupted() { return interrupted != 0; }

}  // namespace stela::fsd
