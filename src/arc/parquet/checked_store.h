// A store whose data files are checked as they are read, for readers that do not look at the checksums of pages.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "arc/io/forwarding_store.h"

namespace arc {

class PageChecks;

// Thread-safe. What is read of the pages of a Parquet file (by its name) has fitted their checksums at least once in
// this object's life: a column chunk is checked when it is first touched, as a whole. Reads of a damaged one fail with
// kCorruption, naming the file. Not noticed: damage of pages that have no checksum (other writers'), of the footer and
// of page headers, as far as the file still makes sense; and what happens to a file after it was checked.
class CheckedStore : public ForwardingStore {
 public:
  // Of the files read last so many column chunks are remembered as checked, some 40 bytes each.
  static constexpr size_t kRememberedChunks = 1 << 19;

  // `store` outlives this; readers may outlive it, and then outlive `store` as its own may.
  explicit CheckedStore(ObjectStore& store);
  ~CheckedStore() override;

  Result<std::shared_ptr<ObjectReader>> Open(const std::string& key) override;
  Result<std::shared_ptr<ObjectReader>> OpenKnown(const std::string& key, int64_t bytes) override;

 private:
  const std::shared_ptr<PageChecks> checks_;
};

}  // namespace arc
