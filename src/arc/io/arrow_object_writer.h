// Objects on their way to a store behind one of Arrow's file systems.
#pragma once

#include <memory>
#include <string>

#include "arc/base/result.h"
#include "arc/io/object_store.h"

namespace arrow::fs {
class FileSystem;
}

namespace arc {

// Where one object goes.
struct ArrowObjectTarget {
  std::shared_ptr<arrow::fs::FileSystem> files;
  std::string path;
  std::string key;  // for messages
};

// kAlreadyExists when an object is there.
Status CheckAbsent(const ArrowObjectTarget& target);
// The whole object at once, in place of what is there.
Status PutObject(const ArrowObjectTarget& target, std::string_view bytes);

// Large objects go up in parts while they are written; the parts become an object in Commit.
Result<std::unique_ptr<ObjectWriter>> MakeStreamingWriter(ArrowObjectTarget target);
// The object waits in `spill_folder` and goes up in Commit, for stores that show what is not whole yet.
std::unique_ptr<ObjectWriter> MakeSpillingWriter(ArrowObjectTarget target, const std::string& spill_folder);

}  // namespace arc
