#include "arc/query/duck_error.h"

#include <exception>
#include <new>

#include "duckdb/common/exception.hpp"
#include "duckdb/common/exception/binder_exception.hpp"

namespace arc {
namespace {

using duckdb::ExceptionType;

ErrorKind KindOf(ExceptionType type) {
  switch (type) {
    case ExceptionType::PERMISSION: return ErrorKind::kPermissionDenied;
    case ExceptionType::NOT_IMPLEMENTED: return ErrorKind::kUnsupported;
    case ExceptionType::INTERRUPT: return ErrorKind::kCancelled;
    case ExceptionType::OUT_OF_MEMORY: return ErrorKind::kOverloaded;
    case ExceptionType::IO:
    case ExceptionType::HTTP:
    case ExceptionType::NETWORK:
    case ExceptionType::CONNECTION: return ErrorKind::kUnavailable;
    case ExceptionType::INTERNAL:
    case ExceptionType::FATAL:
    case ExceptionType::NULL_POINTER:
    case ExceptionType::SERIALIZATION:
    case ExceptionType::UNKNOWN_TYPE:
    case ExceptionType::INVALID: return ErrorKind::kInternal;
    default: return ErrorKind::kInvalidArgument;
  }
}

// What helps a user: not the stack trace, nor advice about settings that no user may change.
std::string Cleaned(const duckdb::ErrorData& error) {
  std::string message = error.Message();
  for (const char* noise : {"\n\nStack Trace", "\nStack Trace", "\n\nThis error signals an assertion failure",
                            "\nThis error signals an assertion failure", "\n\nPossible solutions:"}) {
    message = message.substr(0, message.find(noise));
  }
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  return message;
}

}  // namespace

Error FromDuckError(duckdb::ErrorData error, const std::string& sql) {
  // An error that DuckDB returned in a result shows its line already.
  if (!sql.empty() && error.Message().find("\nLINE ") == std::string::npos) error.AddErrorLocation(sql);
  return {KindOf(error.Type()), Cleaned(error)};
}

Error FromCurrentException(const std::string& sql) {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return {ErrorKind::kOverloaded, "out of memory"};
  } catch (const std::exception& exception) {
    return FromDuckError(duckdb::ErrorData(exception), sql);
  } catch (...) {
    return Internal("unknown exception in the query engine");
  }
}

void ThrowDuckError(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kInvalidArgument:
    case ErrorKind::kNotFound: throw duckdb::BinderException("%s", error.message);
    case ErrorKind::kUnsupported: throw duckdb::NotImplementedException("%s", error.message);
    // Not an internal error of DuckDB's: that one would take the whole instance down.
    default: throw duckdb::IOException("%s", error.message);
  }
}

}  // namespace arc
