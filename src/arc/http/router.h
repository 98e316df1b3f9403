// From method and path to a handler.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "arc/http/exchange.h"

namespace arc {

enum class Permission : uint8_t { kPublic, kAnyToken, kRead, kWrite, kAdmin };

using Handler = Task<Response> (*)(Exchange&);

// One line of the table; all texts are static.
struct Route {
  Method method = Method::kGet;
  std::string_view pattern;  // "/auth/tokens/{id}"; a {name} matches one non-empty segment
  Handler handler = nullptr;
  Permission permission = Permission::kRead;
  std::string_view summary;
  bool rate_limited = false;  // per address
};

// Every endpoint of the server (routes.cc).
std::span<const Route> AllRoutes();

// Immutable once built; thread-safe.
class Router {
 public:
  explicit Router(std::span<const Route> routes);

  struct Match {
    const Route* route = nullptr;
    std::vector<std::string> params;  // percent-decoded
    // Set when the path exists with other methods only: "GET, POST".
    std::string allow;
  };
  // Literal paths win over patterns; HEAD is answered by GET routes; one trailing slash is ignored.
  Match Find(Method method, std::string_view path) const;

 private:
  static bool MatchPattern(std::string_view pattern, std::string_view path, std::vector<std::string>* params);

  std::unordered_map<std::string_view, std::vector<const Route*>> literal_;
  std::vector<const Route*> patterns_;
};

}  // namespace arc
