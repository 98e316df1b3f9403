#include "arc/io/object_key.h"

#include <algorithm>
#include <string_view>

#include "arc/io/local_disk.h"

namespace arc {

Status CheckObjectKey(const std::string& key) {
  auto refuse = [&](const char* why) { return InvalidArgument("object key \"" + key + "\" " + why); };
  if (key.find('\0') != std::string::npos) return refuse("holds a NUL byte");
  for (size_t begin = 0; begin <= key.size();) {
    size_t end = std::min(key.find('/', begin), key.size());
    std::string_view element(key.data() + begin, end - begin);
    if (element.empty() || element == "." || element == "..") return refuse("has an empty, \".\" or \"..\" element");
    if (element.starts_with(kTemporaryPrefix)) return refuse("looks like a temporary file");
    begin = end + 1;
  }
  return {};
}

}  // namespace arc
