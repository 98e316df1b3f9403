// System calls as Results: retried when a signal interrupts them, errno turned into an Error once.
#pragma once

#include <cerrno>
#include <string_view>

#include "arc/base/result.h"

namespace arc {

// The Error for errno value `code`; the message reads "cannot <action> <path>: <reason>".
Error ErrorFromErrno(int code, std::string_view action, std::string_view path);

// Calls until it is not interrupted.
template <typename Call>
auto RetryInterrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

}  // namespace arc
