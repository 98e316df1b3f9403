// For the tests of this room: an object store in memory, and appends with few words.
#pragma once

#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "arc/base/check.h"
#include "arc/iceberg/append.h"
#include "arc/iceberg/load.h"
#include "arc/iceberg/replace.h"
#include "arc/io/object_store.h"

namespace arc {

// Not safe for threads. Every mutating call may be made to fail.
class MemoryStore : public ObjectStore {
 public:
  Status PutIfAbsent(const std::string& key, std::string_view bytes) override {
    ARC_RETURN_IF_ERROR(MayFail());
    if (objects.contains(key)) return MakeError(ErrorKind::kAlreadyExists, key);
    objects[key] = bytes;
    return {};
  }
  Status PutOverwrite(const std::string& key, std::string_view bytes) override {
    ARC_RETURN_IF_ERROR(MayFail());
    objects[key] = bytes;
    return {};
  }
  Result<std::unique_ptr<ObjectWriter>> Create(const std::string&) override { return Internal("not in this store"); }
  Result<std::shared_ptr<ObjectReader>> Open(const std::string&) override { return Internal("not in this store"); }
  Result<std::string> ReadAll(const std::string& key) override {
    ++reads;
    const auto found = objects.find(key);
    if (found == objects.end()) return NotFound("no object " + key);
    return found->second;
  }
  Status Delete(const std::string& key) override {
    objects.erase(key);
    return {};
  }
  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override {
    std::vector<ObjectInfo> infos;
    for (const auto& [key, bytes] : objects) {
      if (key.starts_with(prefix)) infos.push_back({key, static_cast<int64_t>(bytes.size()), 0});
    }
    return infos;
  }
  std::string UriOf(const std::string& key) const override { return "/lake/" + key; }
  Result<std::string> KeyOf(std::string_view uri) const override {
    if (uri.starts_with("file:")) uri.remove_prefix(5);
    if (!uri.starts_with("/lake/")) return InvalidArgument(std::string(uri) + " is not below /lake");
    return std::string(uri.substr(6));
  }

  std::map<std::string, std::string> objects;
  int reads = 0;
  int puts_until_failure = -1;  // -1: never

 private:
  Status MayFail() {
    if (puts_until_failure < 0 || puts_until_failure-- > 0) return {};
    puts_until_failure = 0;
    return Unavailable("the store is down");
  }
};

inline Schema TestSchema() {
  Schema schema;
  schema.columns = {{"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, false},
                    {"host", ColumnType::kString, ColumnRole::kTag, 2, false},
                    {"value", ColumnType::kDouble, ColumnRole::kField, 3, false}};
  return schema;
}

inline std::string LittleEndian(int64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
  return bytes;
}

inline AppendFile TestFile(const std::string& key, int64_t bucket, int64_t rows = 10,
                           PartitionKind kind = PartitionKind::kHour) {
  const int64_t start = bucket * PartitionMicros(kind);
  AppendFile append;
  append.kind = kind;
  append.value = bucket;
  append.file.key = key;
  append.file.bytes = 1000 + rows;
  append.file.rows = rows;
  append.file.min_time = start + 5;
  append.file.max_time = start + 1'000'000;
  append.file.metrics[1] = {80, rows, 0, {}, LittleEndian(start + 5), LittleEndian(start + 1'000'000)};
  append.file.metrics[2] = {40, rows, 1, {}, "a", "b"};
  append.file.metrics[3] = {80, rows, 0, 2, {}, {}};
  append.file.split_offsets = {4, 700};
  return append;
}

// A table with its pointer, as the catalog would keep it.
struct TestTable {
  explicit TestTable(MemoryStore* memory, uint64_t seed = 1) : store(memory), random(seed) {
    ref.id = Uuid::Random(random);
    ref.database = "db";
    ref.name = "cpu";
  }

  AppendRequest Request(std::vector<AppendFile> files) {
    AppendRequest request;
    request.table = ref;
    request.schema = schema;
    request.files = std::move(files);
    request.now_ms = now_ms;
    return request;
  }
  Result<PreparedCommit> Prepare(const AppendRequest& request) {
    return PrepareAppend(*store, location, location.empty() ? nullptr : &metadata, request, random);
  }
  // Of files that TestFile made, by key and bucket.
  ReplaceRequest Replacement(const std::vector<AppendFile>& removed, std::vector<AppendFile> added) {
    ReplaceRequest request;
    request.table = ref;
    for (const auto& [file, kind, value] : removed) {
      request.removed.push_back({file.key, file.min_time, file.max_time});
    }
    request.added = std::move(added);
    request.now_ms = now_ms;
    return request;
  }
  Result<PreparedCommit> Prepare(const ReplaceRequest& request) {
    return PrepareReplace(*store, location, metadata, request, random);
  }
  void Win(PreparedCommit commit) {
    location = commit.metadata_location;
    metadata = std::move(commit.metadata);
    for (const auto& key : commit.obsolete_keys) store->objects.erase(key);
  }
  Status Append(const AppendRequest& request) {
    ARC_ASSIGN_OR_RETURN(PreparedCommit commit, Prepare(request));
    Win(std::move(commit));
    return {};
  }
  Status Replace(const ReplaceRequest& request) {
    ARC_ASSIGN_OR_RETURN(PreparedCommit commit, Prepare(request));
    Win(std::move(commit));
    return {};
  }

  MemoryStore* store;
  SeededRandom random;
  TableRef ref;
  Schema schema = TestSchema();
  int64_t now_ms = 1'700'000'000'000;
  std::string location;
  TableMetadata metadata;
};

// A file beside the tests, written by another Iceberg library. Tests run in the repository's root.
inline std::string ReadTestData(const std::string& name) {
  std::ifstream file("src/arc/iceberg/testdata/" + name, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  ARC_CHECK(!bytes.str().empty());
  return bytes.str();
}

}  // namespace arc
