#include "arc/http/iceberg_rest_request.h"

#include <algorithm>
#include <charconv>

namespace arc {
namespace {

constexpr char kLevelSeparator = '\x1f';
constexpr size_t kNamespaceSegment = 3;  // of /iceberg/v1/namespaces/{namespace}/tables/{table}
constexpr size_t kTableSegment = 5;
constexpr size_t kMaxPage = 10'000;

// Clients encode names as in forms, a blank as '+'; the router's own parameters would keep that.
std::string Segment(std::string_view path, size_t index) {
  path.remove_prefix(std::min<size_t>(path.size(), 1));
  for (; index > 0; --index) path.remove_prefix(std::min(path.size(), path.find('/') + 1));
  return PercentDecode(path.substr(0, path.find('/')), true);
}

std::string Dotted(std::string levels) {
  std::replace(levels.begin(), levels.end(), kLevelSeparator, '.');
  return levels;
}

Status Denied(std::string_view permission, const std::string& database) {
  return MakeError(ErrorKind::kPermissionDenied,
                   "this token may not " + std::string(permission) + " namespace \"" + database + "\"");
}

}  // namespace

Result<std::string> NamespaceInPath(const Exchange& exchange) {
  std::string name = Segment(exchange.head.path(), kNamespaceSegment);
  if (name.find(kLevelSeparator) == std::string::npos) return name;
  return NotFound(std::string(kNoNamespace) + Dotted(std::move(name)));
}

Result<IcebergTableName> TableInPath(const Exchange& exchange) {
  IcebergTableName name{Segment(exchange.head.path(), kNamespaceSegment), Segment(exchange.head.path(), kTableSegment)};
  if (name.database.find(kLevelSeparator) == std::string::npos) return name;
  return NotFound(std::string(kNoTable) + Dotted(name.database) + "." + name.table);
}

Status MayRead(const Exchange& exchange, const std::string& database) {
  if (exchange.principal.CanRead(database)) return {};
  return Denied("read", database);
}

Status MayWrite(const Exchange& exchange, const std::string& database) {
  if (exchange.principal.CanWrite(database)) return {};
  return Denied("write to", database);
}

Result<NamePage> PageOf(const QueryString& query, std::vector<std::string> names) {
  NamePage page;
  const auto token = query.Find("pageToken");
  if (!token) {
    page.names = std::move(names);
    return page;
  }
  size_t size = kMaxPage;
  if (const auto text = query.Find("pageSize"); text && !text->empty()) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), size);
    if (error != std::errc() || end != text->data() + text->size() || size == 0) {
      return InvalidArgument("pageSize must be a number above 0");
    }
  }
  // The token is the last name of the page before: names that come and go meanwhile shift nothing.
  auto from = token->empty() ? names.begin() : std::upper_bound(names.begin(), names.end(), *token);
  const auto left = static_cast<size_t>(names.end() - from);
  const auto to = from + static_cast<std::ptrdiff_t>(std::min({size, kMaxPage, left}));
  page.names.assign(from, to);
  if (to != names.end()) page.next_token = page.names.back();
  return page;
}

}  // namespace arc
