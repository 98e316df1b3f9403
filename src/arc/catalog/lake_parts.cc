#include "arc/catalog/lake_parts.h"

#include "arc/base/log.h"
#include "arc/iceberg/append.h"

namespace arc {

void LakeParts::Remove(const std::vector<std::string>& keys) const {
  for (const auto& key : keys) {
    if (auto status = store.Delete(key); !status.ok()) {
      Log(LogLevel::kWarning, "catalog", "an obsolete object was not removed",
          {{"key", key}, {"error", status.error().message}});
    }
  }
}

void LakeParts::NoteVersion(const TableRef& ref, const std::string& metadata_location) const {
  if (auto hint = WriteVersionHint(store, metadata_location); !hint.ok()) {
    Log(LogLevel::kWarning, "catalog", "version-hint.text was not written",
        {{"table", ref.database + "." + ref.name}, {"error", hint.error().message}});
  }
}

}  // namespace arc
