// Keys of objects that live in the second, cold store (tiered_store.h).
#pragma once

#include <string>
#include <string_view>

namespace arc {

// The reserved first element of their keys. No database's folder is called so: encoded names never begin with a dot.
inline constexpr std::string_view kColdFolder = ".cold/";

inline bool IsColdKey(std::string_view key) { return key.starts_with(kColdFolder); }
// Of the object that the cold store itself has under `key`.
inline std::string ColdKey(std::string_view key) { return std::string(kColdFolder).append(key); }
// What the cold store itself calls it. `cold_key` is one.
inline std::string KeyInCold(std::string_view cold_key) { return std::string(cold_key.substr(kColdFolder.size())); }

}  // namespace arc
