// Status and Result<T>: how every fallible function of Stela reports.
//
// A Status is a kind (one row of the table in docs/errors.md, hence one errno) and a sentence for the
// person who has to act on it: what failed, where (file, line, column, value) and what to do.
// Programmer errors are not Status: they abort through STELA_CHECK with the values involved.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace stela {

enum class Code : uint8_t {
  kOk = 0,
  kNotFound,      // ENOENT
  kInvalid,       // EINVAL: bad input, bad argument
  kReadOnly,      // EROFS: inside a version, or a store that stopped writing
  kConflict,      // ESTALE (EBUSY from a path operation): the first committer won
  kDamaged,       // EIO: a checksum or a structure on disk is wrong
  kIo,            // EIO: the operating system failed a read, a write or a sync
  kNoSpace,       // ENOSPC
  kQuota,         // EDQUOT
  kLimit,         // EFBIG: over a documented limit
  kDeadline,      // ETIMEDOUT
  kNotPermitted,  // EPERM: never allowed
  kAccess,        // EACCES: not allowed to this user
  kCrossDataset,  // EXDEV
  kNotEmpty,      // ENOTEMPTY
  kUnsupported,   // ENOTSUP
  kExists,        // EEXIST
  kNameTooLong,   // ENAMETOOLONG
  kNotDirectory,  // ENOTDIR
  kIsDirectory,   // EISDIR
  kBadHandle,     // EBADF
  kBusy,          // EBUSY: held by someone else
  kTooManyFiles,  // EMFILE
  kNoMemory,      // ENOMEM
};

// The errno that users see for a code; the only place that makes one. `path_operation` turns a lost race
// into EBUSY, because the kernel silently repeats rename, unlink and mkdir after ESTALE.
int errno_of(Code code, bool path_operation = false);
// "ENOENT", "EINVAL", ... for an errno; "E<number>" for one without a name here.
std::string errno_name(int error);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) {
    if (code != Code::kOk) rep_ = std::make_unique<Rep>(Rep{code, std::move(message)});
  }
  Status(const Status& other) : rep_(other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr) {}
  Status& operator=(const Status& other) {
    if (this != &other) rep_ = other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr;
    return *this;
  }
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  static Status ok_status() { return {}; }
  bool ok() const { return rep_ == nullptr; }
  Code code() const { return rep_ ? rep_->code : Code::kOk; }
  const std::string& message() const;
  // The same status with `context` and ": " before its sentence; ok stays ok.
  Status with_context(std::string_view context) const;

 private:
  struct Rep {
    Code code;
    std::string message;
  };
  std::unique_ptr<Rep> rep_;
};

inline Status not_found(std::string m) { return {Code::kNotFound, std::move(m)}; }
inline Status invalid(std::string m) { return {Code::kInvalid, std::move(m)}; }
inline Status damaged(std::string m) { return {Code::kDamaged, std::move(m)}; }
// The disk or the quota.
inline bool is_full(const Status& status) { return status.code() == Code::kNoSpace || status.code() == Code::kQuota; }
inline Status unsupported(std::string m) { return {Code::kUnsupported, std::move(m)}; }

// A Status made from the operating system's errno: "<what>: <strerror>".
Status status_from_errno(int error, std::string_view what);

// Prints the place and aborts: for states that only a mistake in this program can reach.
[[noreturn]] void check_failed(const char* file, int line, const char* expression, const std::string& values);

// Either a value or a Status that is not ok.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : has_value_(true) { new (&value_) T(std::move(value)); }  // NOLINT: implicit by design
  Result(Status status) : status_(std::move(status)), has_value_(false) {    // NOLINT: implicit by design
    if (status_.ok()) check_failed(__FILE__, __LINE__, "Result from an ok Status", "");
  }
  Result(Result&& other) noexcept : status_(std::move(other.status_)), has_value_(other.has_value_) {
    if (has_value_) new (&value_) T(std::move(other.value_));
  }
  Result(const Result& other) : status_(other.status_), has_value_(other.has_value_) {
    if (has_value_) new (&value_) T(other.value_);
  }
  Result& operator=(Result other) noexcept {
    reset();
    status_ = std::move(other.status_);
    has_value_ = other.has_value_;
    if (has_value_) new (&value_) T(std::move(other.value_));
    return *this;
  }
  ~Result() { reset(); }

  bool ok() const { return has_value_; }
  const Status& status() const { return status_; }
  T& value() & { return require(); }
  const T& value() const& { return const_cast<Result*>(this)->require(); }
  T&& value() && { return std::move(require()); }
  T& operator*() & { return require(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &require(); }
  const T* operator->() const { return &value(); }

 private:
  T& require() {
    if (!has_value_) check_failed(__FILE__, __LINE__, "Result::value() of an error", status_.message());
    return value_;
  }
  void reset() {
    if (has_value_) value_.~T();
    has_value_ = false;
  }
  Status status_;
  bool has_value_;
  union {
    T value_;
  };
};

}  // namespace stela

#define STELA_CONCAT_INNER(a, b) a##b
#define STELA_CONCAT(a, b) STELA_CONCAT_INNER(a, b)
#define STELA_TRY_IMPL(status, expression) \
  do {                                     \
    ::stela::Status status = (expression); \
    if (!status.ok()) [[unlikely]]         \
      return status;                       \
  } while (false)
// Returns the error of `expression`, or goes on. Names are numbered, so that uses may nest in lambdas.
#define STELA_TRY(expression) STELA_TRY_IMPL(STELA_CONCAT(stela_status_, __COUNTER__), expression)
#define STELA_ASSIGN_IMPL(result, target, expression) \
  auto result = (expression);                         \
  if (!result.ok()) [[unlikely]]                      \
    return result.status();                           \
  target = std::move(result).value()
// STELA_ASSIGN(auto x, function()) returns the error of function(), or goes on with its value in x.
#define STELA_ASSIGN(target, expression) STELA_ASSIGN_IMPL(STELA_CONCAT(stela_result_, __COUNTER__), target, expression)
#define STELA_CHECK(condition, values) \
  ((condition) ? (void)0 : ::stela::check_failed(__FILE__, __LINE__, #condition, values))
