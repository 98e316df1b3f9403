#include "arc/io/path.h"

#include <filesystem>
#include <system_error>

namespace arc {

std::string ParentFolder(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  while (slash > 0 && path[slash - 1] == '/') --slash;
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string JoinPath(std::string_view folder, std::string_view name) {
  std::string path;
  path.reserve(folder.size() + 1 + name.size());
  path += folder;
  if (!path.empty() && path.back() != '/') path += '/';
  path += name;
  return path;
}

std::string AbsolutePath(const std::string& path) {
  bool is_normal = path.starts_with('/') && path.find("//") == std::string::npos &&
                   path.find("/.") == std::string::npos && (path.size() == 1 || path.back() != '/');
  if (is_normal) return path;
  std::error_code error;
  std::filesystem::path absolute = std::filesystem::absolute(path.empty() ? "." : path, error);
  if (error) absolute = std::filesystem::path("/") / path;
  std::string normal = absolute.lexically_normal().string();
  while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

}  // namespace arc
