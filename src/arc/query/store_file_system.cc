#include "arc/query/store_file_system.h"

#include <algorithm>
#include <span>

namespace arc {
namespace {

struct ObjectHandle : duckdb::FileHandle {
  ObjectHandle(duckdb::FileSystem& file_system, const duckdb::string& path, duckdb::FileOpenFlags flags,
               std::shared_ptr<ObjectReader> reader)
      : FileHandle(file_system, path, flags), reader(std::move(reader)) {}
  void Close() override { reader.reset(); }
  std::shared_ptr<ObjectReader> reader;
  duckdb::idx_t position = 0;
};

class StoreFileSystem : public duckdb::FileSystem {
 public:
  explicit StoreFileSystem(const QuerySources& sources) : sources_(sources) {}

  std::string GetName() const override { return "ArcStore"; }
  bool CanHandleFile(const duckdb::string& path) override { return path.starts_with(kStoreScheme); }
  bool SupportsOpenFileExtended() const override { return true; }

  duckdb::unique_ptr<duckdb::FileHandle> OpenFile(const duckdb::string&, duckdb::FileOpenFlags,
                                                  duckdb::optional_ptr<duckdb::FileOpener>) override {
    Refuse();
  }

  duckdb::unique_ptr<duckdb::FileHandle> OpenFileExtended(const duckdb::OpenFileInfo& info, duckdb::FileOpenFlags flags,
                                                          duckdb::optional_ptr<duckdb::FileOpener>) override {
    if (!info.extended_info) Refuse();
    const auto& options = info.extended_info->options;
    auto capability = options.find(kCapabilityOption);
    if (capability == options.end() || capability->second.ToString() != sources_.capability) Refuse();
    if (flags.OpenForWriting()) Refuse();
    auto size = options.find("file_size");
    std::string key = info.path.substr(kStoreScheme.size());
    auto reader = size == options.end()
                      ? sources_.store.Open(key)
                      : sources_.store.OpenKnown(key, static_cast<int64_t>(size->second.GetValue<uint64_t>()));
    if (!reader.ok()) Throw(reader.error());
    return duckdb::make_uniq<ObjectHandle>(*this, info.path, flags, std::move(*reader));
  }

  void Read(duckdb::FileHandle& handle, void* buffer, int64_t bytes, duckdb::idx_t offset) override {
    auto& object = handle.Cast<ObjectHandle>();
    Result<size_t> read = object.reader->ReadAt(static_cast<int64_t>(offset),
                                                std::span(static_cast<uint8_t*>(buffer), static_cast<size_t>(bytes)));
    if (!read.ok()) Throw(read.error());
    if (*read != static_cast<size_t>(bytes)) Throw(Corruption(handle.path + " is shorter than its metadata says"));
  }

  int64_t Read(duckdb::FileHandle& handle, void* buffer, int64_t bytes) override {
    auto& object = handle.Cast<ObjectHandle>();
    int64_t left = object.reader->bytes() - static_cast<int64_t>(object.position);
    int64_t count = std::clamp<int64_t>(left, 0, bytes);
    if (count > 0) Read(handle, buffer, count, object.position);
    object.position += static_cast<duckdb::idx_t>(count);
    return count;
  }

  int64_t GetFileSize(duckdb::FileHandle& handle) override { return handle.Cast<ObjectHandle>().reader->bytes(); }
  duckdb::timestamp_t GetLastModifiedTime(duckdb::FileHandle&) override { return duckdb::timestamp_t(0); }
  duckdb::string GetVersionTag(duckdb::FileHandle&) override { return ""; }
  duckdb::FileType GetFileType(duckdb::FileHandle&) override { return duckdb::FileType::FILE_TYPE_REGULAR; }
  void Seek(duckdb::FileHandle& handle, duckdb::idx_t position) override {
    handle.Cast<ObjectHandle>().position = position;
  }
  duckdb::idx_t SeekPosition(duckdb::FileHandle& handle) override { return handle.Cast<ObjectHandle>().position; }
  bool CanSeek() override { return true; }
  // Decides whether DuckDB joins its reads into few large ones and keeps what it read.
  bool OnDiskFile(duckdb::FileHandle& handle) override { return !handle.Cast<ObjectHandle>().reader->is_remote(); }
  bool FileExists(const duckdb::string&, duckdb::optional_ptr<duckdb::FileOpener>) override { return false; }
  duckdb::vector<duckdb::OpenFileInfo> Glob(const duckdb::string&, duckdb::FileOpener*) override { Refuse(); }

 private:
  // A damaged file is no passing trouble, and none of the query's.
  [[noreturn]] static void Throw(const Error& error) {
    if (error.kind == ErrorKind::kCorruption) throw duckdb::SerializationException("%s", error.message);
    throw duckdb::IOException("%s", error.message);
  }
  [[noreturn]] static void Refuse() {
    throw duckdb::PermissionException("Files of the store cannot be opened from SQL; name the table instead");
  }

  const QuerySources& sources_;
};

}  // namespace

duckdb::unique_ptr<duckdb::FileSystem> MakeStoreFileSystem(const QuerySources& sources) {
  return duckdb::make_uniq<StoreFileSystem>(sources);
}

}  // namespace arc
