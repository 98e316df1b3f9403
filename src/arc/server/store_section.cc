#include "arc/server/store_section.h"

namespace arc {
namespace {

bool IsPlace(std::string_view name) {
  return name == "backend" || name == "local_path" || name == "prefix" || name.ends_with(".bucket") ||
         name.ends_with(".container");
}

}  // namespace

const ConfigValue& StoreSection::Value(std::string_view name) const {
  const ConfigValue& value = config_.Value(Key(name));
  if (section_ == "storage" || IsPlace(name) || value.source != "default") return value;
  return config_.Value("storage." + std::string(name));
}

}  // namespace arc
