// The one way a function of Arc reports failure. Foreign exceptions and statuses are turned into an Error at the door
// of the room that owns the library.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "arc/base/check.h"

namespace arc {

// What went wrong, as far as a caller can act on it. `http` maps each kind to one status code.
enum class ErrorKind {
  kInvalidArgument,   // the client's bytes or values are wrong; the message names the place
  kNotFound,          // a database, table, file or token that is not there
  kAlreadyExists,     //
  kUnauthenticated,   // no or unknown credentials
  kPermissionDenied,  // known, but not allowed
  kConflict,          // somebody else changed it first; retrying from a fresh read may work
  kTooLarge,          // over a configured size limit
  kOverloaded,        // a bounded queue or budget is full; retry later
  kUnavailable,       // store, log or disk cannot take it now; may heal by itself
  kDiskFull,          // ENOSPC or EDQUOT
  kCancelled,         // the caller went away or asked to stop
  kTimeout,           //
  kCorruption,        // bytes on disk are not what was written
  kUnknownOutcome,    // it may or may not have taken effect (failed sync, lost reply)
  kUnsupported,       // legal, but Arc does not do it
  kInternal,          // a bug
};

std::string_view ErrorKindName(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;  // a full sentence fragment for the user, without the kind
};

// Either a T or an Error. Result<void> carries only success or the Error.
template <typename T>
class [[nodiscard]] Result {
 public:
  using ValueType = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design
  template <typename U>
    requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error> && !std::is_same_v<std::remove_cvref_t<U>, Result<T>>)
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT: implicit by design

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    ARC_CHECK(ok());
    return std::get<0>(state_);
  }
  const T& value() const& {
    ARC_CHECK(ok());
    return std::get<0>(state_);
  }
  // By value, so that nothing of a temporary Result can dangle (`for (x : *F())`).
  T value() && {
    ARC_CHECK(ok());
    return std::get<0>(std::move(state_));
  }
  const Error& error() const& {
    ARC_CHECK(!ok());
    return std::get<1>(state_);
  }
  Error error() && {
    ARC_CHECK(!ok());
    return std::get<1>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using ValueType = void;
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit by design

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& {
    ARC_CHECK(!ok());
    return *error_;
  }
  Error error() && {
    ARC_CHECK(!ok());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

inline Error MakeError(ErrorKind kind, std::string message) { return Error{kind, std::move(message)}; }
inline Error InvalidArgument(std::string message) { return {ErrorKind::kInvalidArgument, std::move(message)}; }
inline Error NotFound(std::string message) { return {ErrorKind::kNotFound, std::move(message)}; }
inline Error Unavailable(std::string message) { return {ErrorKind::kUnavailable, std::move(message)}; }
inline Error Corruption(std::string message) { return {ErrorKind::kCorruption, std::move(message)}; }
inline Error Internal(std::string message) { return {ErrorKind::kInternal, std::move(message)}; }

// The same error with `context: ` put before its message.
Error WithContext(Error error, std::string_view context);

}  // namespace arc

#define ARC_RESULT_CONCAT_INNER(a, b) a##b
#define ARC_RESULT_CONCAT(a, b) ARC_RESULT_CONCAT_INNER(a, b)

// Returns the error of `expression` from the enclosing function, if it has one.
#define ARC_RETURN_IF_ERROR(expression)                         \
  do {                                                          \
    auto arc_status = (expression);                             \
    if (!arc_status.ok()) return std::move(arc_status).error(); \
  } while (false)

#define ARC_ASSIGN_OR_RETURN_IMPL(result, target, expression) \
  auto result = (expression);                                 \
  if (!result.ok()) return std::move(result).error();         \
  target = std::move(result).value()

// `target = value of expression`, or returns its error from the enclosing function.
#define ARC_ASSIGN_OR_RETURN(target, expression) \
  ARC_ASSIGN_OR_RETURN_IMPL(ARC_RESULT_CONCAT(arc_result_, __LINE__), target, expression)
