// Where tables live: objects named by slash-separated keys under one root, on local disk or in a bucket of S3, Google
// Cloud Storage or Azure (object_store_s3.h, object_store_gcs.h, object_store_azure.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"

namespace arrow::io {
class OutputStream;
}

namespace arc {

class LocalDisk;
class ObjectGroup;

struct ObjectInfo {
  std::string key;
  int64_t bytes = 0;
  int64_t modified_micros = 0;  // wall clock of the store; 0: it does not say
};

// Reads of an immutable object. Thread-safe.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  virtual Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) = 0;  // fewer only at the end
  virtual int64_t bytes() const = 0;
  // Whether a read costs a round trip, so that few large reads beat many small ones.
  virtual bool is_remote() const { return false; }
};

// An object being written. Nothing is visible under the key before Commit(); destroyed without it, nothing remains.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual arrow::io::OutputStream& stream() = 0;
  // Makes the object durable under its key. kAlreadyExists if the key is taken.
  virtual Status Commit() = 0;
  // Commit, in place of what the key may hold.
  virtual Status CommitOverwrite() = 0;
};

// Thread-safe. An object is durable, name and all, when the call that makes it returns success; so is one met as
// kAlreadyExists. kUnknownOutcome: the object may or may not be there, but is whole if it is. Keys are elements joined
// by single slashes, none empty, "." or ".." or beginning with ".arc-tmp-"; any other is kInvalidArgument. Names that
// users chose go through EncodePathElement first. Streams of writers are for one thread.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  // Whether the store can be used now, in words for whoever set it up: kNotFound (no such bucket), kUnauthenticated,
  // kPermissionDenied, or kUnavailable when nobody answers. One request.
  virtual Status Check() { return {}; }
  virtual Status PutIfAbsent(const std::string& key, std::string_view bytes) = 0;  // kAlreadyExists
  virtual Status PutOverwrite(const std::string& key, std::string_view bytes) = 0;
  // The same for what a power cut may take back or leave torn: readers see the old or the new object, whole, but
  // nothing waits for the disk.
  virtual Status PutOverwriteUnsynced(const std::string& key, std::string_view bytes) {
    return PutOverwrite(key, bytes);
  }
  virtual Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) = 0;
  virtual Result<std::shared_ptr<ObjectReader>> Open(const std::string& key) = 0;  // kNotFound
  // Open without asking for what the caller knows: an immutable object of that many bytes. Where the store is remote, a
  // missing object may show in the first read only.
  virtual Result<std::shared_ptr<ObjectReader>> OpenKnown(const std::string& key, int64_t bytes);
  // A hint that OpenKnown and a read near the object's end will follow.
  virtual void Prefetch(const std::string& /*key*/, int64_t /*bytes*/) {}
  virtual Result<std::string> ReadAll(const std::string& key) = 0;
  virtual Status Delete(const std::string& key) = 0;  // success when already gone
  // For objects that become durable together (object_group.h). The store must outlive the group.
  virtual std::unique_ptr<ObjectGroup> NewGroup();
  // Every object whose key starts with `prefix` (any string; empty: all), in byte order of the keys.
  virtual Result<std::vector<ObjectInfo>> List(const std::string& prefix) = 0;
  // The address other engines use: an absolute path without scheme on local disk ("/data/arc/db/m/…"), or
  // s3://…, gs://…, abfss://….
  virtual std::string UriOf(const std::string& key) const = 0;
  // The key of an address made by UriOf; also takes the file: scheme. kInvalidArgument when outside the root.
  virtual Result<std::string> KeyOf(std::string_view uri) const = 0;
  // Removes what interrupted writes left behind, except writes of this very store; returns how many. For start-up.
  virtual Result<int> CleanTemporaries() { return 0; }
};

// Objects are files under `root` (made absolute; made if absent), each written by DurablePut's protocol. Folders come
// and go with the objects in them. `disk` must outlive the store.
Result<std::unique_ptr<ObjectStore>> OpenLocalObjectStore(LocalDisk& disk, const std::string& root);

// One path element made safe: everything but [A-Za-z0-9_-.] becomes % and two upper-case hexadecimal digits, also a
// leading dot; the empty name becomes a lone "%". So the result is never empty, "." or "..". Reversible, and grows
// names up to three times: file systems take 255 bytes.
std::string EncodePathElement(std::string_view name);
// kInvalidArgument for what EncodePathElement never yields, so that two elements never mean one name.
Result<std::string> DecodePathElement(std::string_view element);

}  // namespace arc
