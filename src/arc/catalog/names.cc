#include "arc/catalog/names.h"

#include <fmt/format.h>

#include "arc/io/object_store.h"

namespace arc {
namespace {

constexpr size_t kMaxNameBytes = 255;

}  // namespace

Status CheckName(std::string_view what, const std::string& name) {
  if (name.empty()) return InvalidArgument(fmt::format("the {} name is empty", what));
  if (name.find('\0') != std::string::npos) return InvalidArgument(fmt::format("the {} name holds a NUL", what));
  std::string start = name.substr(0, 32);
  if (name.size() > kMaxNameBytes) {
    return InvalidArgument(
        fmt::format("the {} name \"{}…\" has {} bytes; {} are allowed", what, start, name.size(), kMaxNameBytes));
  }
  if (EncodePathElement(name).size() > kMaxNameBytes) {
    return InvalidArgument(fmt::format(
        "the {} name \"{}…\" is longer than {} bytes once percent-encoded for its folder", what, start, kMaxNameBytes));
  }
  return {};
}

}  // namespace arc
