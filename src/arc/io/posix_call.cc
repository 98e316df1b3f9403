#include "arc/io/posix_call.h"

#include <string>
#include <system_error>

namespace arc {
namespace {

ErrorKind KindOf(int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR: return ErrorKind::kNotFound;
    case EEXIST: return ErrorKind::kAlreadyExists;
    case ENOTEMPTY: return ErrorKind::kConflict;
    case ENOSPC:
    case EDQUOT: return ErrorKind::kDiskFull;
    case ENAMETOOLONG:
    case EISDIR:
    case EINVAL: return ErrorKind::kInvalidArgument;
    default: return ErrorKind::kUnavailable;
  }
}

}  // namespace

Error ErrorFromErrno(int code, std::string_view action, std::string_view path) {
  std::string message = "cannot ";
  message.append(action).append(" ").append(path).append(": ").append(std::generic_category().message(code));
  return MakeError(KindOf(code), std::move(message));
}

}  // namespace arc
