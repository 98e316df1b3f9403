#include <algorithm>

#include "arc/auth/token_store.h"

namespace arc {

namespace {

bool Covers(const std::vector<std::string>& databases, std::string_view database) {
  return databases.empty() || std::find(databases.begin(), databases.end(), database) != databases.end();
}

}  // namespace

bool Principal::CanRead(std::string_view database) const { return admin || (read && Covers(databases, database)); }

bool Principal::CanWrite(std::string_view database) const { return admin || (write && Covers(databases, database)); }

Principal Principal::Admin(std::string name) {
  Principal principal;
  principal.name = std::move(name);
  principal.read = true;
  principal.write = true;
  principal.admin = true;
  return principal;
}

}  // namespace arc
