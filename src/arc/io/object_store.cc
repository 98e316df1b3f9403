#include "arc/io/object_store.h"

#include "arc/io/object_group.h"

namespace arc {

Result<std::shared_ptr<ObjectReader>> ObjectStore::OpenKnown(const std::string& key, int64_t) { return Open(key); }

std::unique_ptr<ObjectGroup> ObjectStore::NewGroup() { return std::make_unique<ObjectGroup>(*this); }

}  // namespace arc
