// The settings of one of the two stores that the configuration may name: that of the tables, and the cold one.
#pragma once

#include <string>
#include <string_view>

#include "arc/server/config.h"

namespace arc {

// A view of a configuration, which outlives it. Names are those of [storage] without the section: "minio.endpoint". In
// [tiering], what is not set is as in [storage], so that a second bucket of the same store needs no second address and
// credentials; but for the place itself (backend, folder, prefix, bucket, container), which is its own.
class StoreSection {
 public:
  static StoreSection OfTables(const Config& config) { return {config, "storage"}; }
  static StoreSection OfCold(const Config& config) { return {config, "tiering"}; }

  std::string Key(std::string_view name) const { return std::string(section_).append(".").append(name); }
  const std::string& Text(std::string_view name) const { return Value(name).text; }
  bool Bool(std::string_view name) const { return Value(name).boolean; }
  const std::string& backend() const { return Text("backend"); }

 private:
  StoreSection(const Config& config, std::string_view section) : config_(config), section_(section) {}
  const ConfigValue& Value(std::string_view name) const;

  const Config& config_;
  const std::string_view section_;
};

}  // namespace arc
