// Plain local paths as text: no file system is asked.
#pragma once

#include <string>
#include <string_view>

namespace arc {

// The folder that holds `path`: "/a" for "/a/b" and "/a/b/", "/" for "/a", "." for "a".
std::string ParentFolder(std::string_view path);
// `folder`/`name`, with one slash between.
std::string JoinPath(std::string_view folder, std::string_view name);
// Absolute (against the process's working directory), without ".", "..", doubled or trailing slashes.
std::string AbsolutePath(const std::string& path);

}  // namespace arc
