// Where a verb prints: a descriptor that may be a file, a pipe or a terminal of a caller in another process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/base/status.h"
#include "fsd/daemon/verb.h"
#include "fsd/views/utf8_text.h"

namespace stela::fsd {

// One thread. Text is gathered and written in larger pieces; flush() at the end says whether all went out.
// A pipe nobody empties does not hold the writer for ever: it ends when progress says it is not wanted.
class Output {
 public:
  explicit Output(const VerbContext& context) : Output(context.output, context.progress) {}
  Output(int fd, const ProgressFunction& progress);
  Output& text(std::string_view text);
  Output& line(std::string_view text) { return this->text(text).text("\n"); }
  Status bytes(ByteSpan bytes);
  Status flush();

 private:
  Status write_all(std::string_view text);
  Status wait_for_room();
  const int fd_;
  const ProgressFunction& progress_;
  bool is_file_ = false;
  std::string pending_;
  Status status_;
};

// Rows of cells in aligned columns, two spaces apart; `numeric[i]` columns are set to the right.
std::string format_table(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& numeric);
// Control bytes as '?', so that a name cannot drive a terminal.
std::string printable(std::string_view text);
// "2026-11-22T10:00:00.5Z": nine digits at most, without trailing zeros.
std::string format_time(int64_t utc_ns);
// "1.5 GB/s": one decimal.
std::string format_number(double value, const char* unit);
// Of a clock that only grows.
double monotonic_seconds();
// "1.5 MiB".
std::string format_bytes(uint64_t bytes);

}  // namespace stela::fsd
