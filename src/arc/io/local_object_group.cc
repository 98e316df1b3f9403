#include "arc/io/local_object_group.h"

#include <map>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "arc/io/buffered_file_stream.h"
#include "arc/io/object_key.h"

namespace arc {
namespace {

class LocalObjectGroup : public ObjectGroup {
 public:
  LocalObjectGroup(ObjectStore& store, LocalDisk& disk, LocalFolders& folders)
      : ObjectGroup(store), disk_(disk), folders_(folders) {}

  Status PutIfAbsent(const std::string& key, std::string_view bytes) override {
    ARC_ASSIGN_OR_RETURN(auto file, CreateFile(key));
    ARC_RETURN_IF_ERROR(file->file().WriteAt(0, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}));
    return Hold(key, std::move(file));
  }

  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override {
    ARC_ASSIGN_OR_RETURN(auto file, CreateFile(key));
    return std::unique_ptr<ObjectWriter>(std::make_unique<Writer>(*this, key, std::move(file)));
  }

  Result<std::string> ReadAll(const std::string& key) override {
    const auto held = held_.find(key);
    return held == held_.end() ? store_.ReadAll(key) : ReadWholeFile(disk_, held->second->temporary());
  }

  Status Delete(const std::string& key) override {
    if (held_.erase(key) > 0) folders_.RemoveEmpty(store_.UriOf(key));
    return store_.Delete(key);
  }

  Status Sync() override {
    auto objects = std::exchange(held_, {});
    auto made = std::exchange(made_, {});
    if (objects.empty()) return {};
    std::vector<std::string> temporaries;
    std::vector<std::string> paths;
    for (const auto& [key, file] : objects) {
      temporaries.push_back(file->temporary());
      paths.push_back(store_.UriOf(key));
    }
    std::vector<std::string> named;
    auto status = disk_.SyncFiles(temporaries);
    for (auto object = objects.begin(); status.ok() && object != objects.end(); ++object) {
      status = object->second->Rename(paths[named.size()], DurableFile::Replace::kNo);
      if (status.ok()) named.push_back(object->first);
    }
    if (status.ok()) status = disk_.SyncNames(paths, made);
    if (!status.ok()) {
      for (const auto& key : named) (void)store_.Delete(key);
      Error error = std::move(status).error();
      if (error.kind == ErrorKind::kUnknownOutcome) error.kind = ErrorKind::kUnavailable;
      return error;
    }
    for (const auto& path : paths) folders_.NoteDurable(path);
    return {};
  }

 private:
  class Writer : public ObjectWriter {
   public:
    Writer(LocalObjectGroup& group, std::string key, std::unique_ptr<DurableFile> file)
        : group_(group), key_(std::move(key)), file_(std::move(file)), stream_(file_->file()) {}

    arrow::io::OutputStream& stream() override { return stream_; }
    Status Commit() override {
      if (file_ == nullptr) return Internal("an object is committed once");
      auto file = std::move(file_);
      ARC_RETURN_IF_ERROR(stream_.Finish());
      return group_.Hold(key_, std::move(file));
    }
    Status CommitOverwrite() override { return MakeError(ErrorKind::kUnsupported, "a group replaces no objects"); }

   private:
    LocalObjectGroup& group_;
    const std::string key_;
    std::unique_ptr<DurableFile> file_;
    BufferedFileStream stream_;
  };

  Result<std::unique_ptr<DurableFile>> CreateFile(const std::string& key) {
    ARC_RETURN_IF_ERROR(CheckObjectKey(key));
    return folders_.CreateFile(store_.UriOf(key), &made_);
  }

  Status Hold(const std::string& key, std::unique_ptr<DurableFile> file) {
    ARC_ASSIGN_OR_RETURN(const bool taken, disk_.Exists(store_.UriOf(key)));
    if (taken || held_.contains(key)) return MakeError(ErrorKind::kAlreadyExists, key + " is there already");
    file->Close();  // hundreds may be held
    held_[key] = std::move(file);
    return {};
  }

  LocalDisk& disk_;
  LocalFolders& folders_;
  std::map<std::string, std::unique_ptr<DurableFile>> held_;  // by key
  std::unordered_set<std::string> made_;                      // folders whose names are not synced
};

}  // namespace

std::unique_ptr<ObjectGroup> NewLocalObjectGroup(ObjectStore& store, LocalDisk& disk, LocalFolders& folders) {
  return std::make_unique<LocalObjectGroup>(store, disk, folders);
}

}  // namespace arc
