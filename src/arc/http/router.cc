#include "arc/http/router.h"

#include <algorithm>

namespace arc {
namespace {

bool Serves(const Route& route, Method method) {
  return route.method == method || (method == Method::kHead && route.method == Method::kGet);
}

void AddAllowed(const Route& route, std::string* allow) {
  for (std::string_view name :
       {MethodName(route.method), std::string_view(route.method == Method::kGet ? "HEAD" : "")}) {
    if (name.empty() || allow->find(name) != std::string::npos) continue;
    if (!allow->empty()) *allow += ", ";
    *allow += name;
  }
}

std::string_view TakeSegment(std::string_view* path) {
  path->remove_prefix(1);  // '/'
  auto segment = path->substr(0, path->find('/'));
  path->remove_prefix(segment.size());
  return segment;
}

}  // namespace

Router::Router(std::span<const Route> routes) {
  for (const Route& route : routes) {
    if (route.pattern.find('{') == std::string_view::npos) {
      literal_[route.pattern].push_back(&route);
    } else {
      patterns_.push_back(&route);
    }
  }
}

bool Router::MatchPattern(std::string_view pattern, std::string_view path, std::vector<std::string>* params) {
  params->clear();
  while (!pattern.empty() && !path.empty()) {
    if (path.front() != '/') return false;
    auto want = TakeSegment(&pattern);
    auto have = TakeSegment(&path);
    if (want.starts_with('{')) {
      if (have.empty()) return false;
      params->push_back(PercentDecode(have, false));
    } else if (want != have) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

Router::Match Router::Find(Method method, std::string_view path) const {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  Match match;
  if (auto found = literal_.find(path); found != literal_.end()) {
    for (const Route* route : found->second) {
      if (Serves(*route, method)) {
        match.route = route;
        return match;
      }
      AddAllowed(*route, &match.allow);
    }
  }
  for (const Route* route : patterns_) {
    if (!MatchPattern(route->pattern, path, &match.params)) continue;
    if (Serves(*route, method)) {
      match.route = route;
      return match;
    }
    AddAllowed(*route, &match.allow);
  }
  match.params.clear();
  return match;
}

}  // namespace arc
