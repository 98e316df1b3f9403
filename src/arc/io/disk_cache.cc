#include "arc/io/disk_cache.h"

// The functions themselves, not only their names.
#define XXH_INLINE_ALL
#include <arrow/vendored/xxhash.h>

#include <array>
#include <cstring>
#include <utility>

#include "arc/base/log.h"
#include "arc/io/durable_file.h"
#include "arc/io/path.h"

namespace arc {
namespace {

constexpr size_t kFolderDigits = 2;              // of a file's name are its folder, so that no folder grows large
constexpr uint64_t kMagic = 0x3165686361637261;  // "arcache1"

struct Header {
  uint64_t magic = kMagic;
  uint64_t hash = 0;  // of the lengths, the name and the bytes
  uint64_t name_length = 0;
  uint64_t length = 0;
};
static_assert(sizeof(Header) == 32);

uint64_t HashOf(const Header& header, std::string_view name_and_bytes) {
  const std::array<uint64_t, 2> lengths{header.name_length, header.length};
  const uint64_t seed = XXH3_64bits(lengths.data(), sizeof(lengths));
  return XXH3_64bits_withSeed(name_and_bytes.data(), name_and_bytes.size(), seed);
}

std::string Frame(std::string_view name, std::string_view bytes) {
  Header header;
  header.name_length = name.size();
  header.length = bytes.size();
  std::string framed(sizeof(header), '\0');
  framed.reserve(sizeof(header) + name.size() + bytes.size());
  framed.append(name).append(bytes);
  header.hash = HashOf(header, std::string_view(framed).substr(sizeof(header)));
  std::memcpy(framed.data(), &header, sizeof(header));
  return framed;
}

// The bytes of a frame that is what Frame made of `name`.
std::optional<std::string> Unframe(std::string framed, std::string_view name) {
  Header header;
  if (framed.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, framed.data(), sizeof(header));
  std::string_view rest = std::string_view(framed).substr(sizeof(header));
  if (header.magic != kMagic || header.name_length != name.size() || rest.size() < name.size() ||
      header.length != rest.size() - name.size() || !rest.starts_with(name) || HashOf(header, rest) != header.hash) {
    return std::nullopt;
  }
  framed.erase(0, sizeof(header) + name.size());
  return framed;
}

// Names of users are in the names of entries, so two that share a hash may be no accident: Unframe compares.
std::string FileOf(std::string_view name) {
  XXH128_hash_t hash = XXH3_128bits(name.data(), name.size());
  constexpr char kDigits[] = "0123456789abcdef";
  std::string file;
  for (uint64_t half : {hash.high64, hash.low64}) {
    for (int shift = 60; shift >= 0; shift -= 4) file += kDigits[half >> shift & 15];
  }
  return file.insert(kFolderDigits, "/");
}

}  // namespace

Result<std::unique_ptr<DiskCache>> DiskCache::Open(LocalDisk& disk, const std::string& folder, int64_t limit_bytes) {
  std::unique_ptr<DiskCache> cache(new DiskCache(disk, folder, limit_bytes));
  ARC_RETURN_IF_ERROR(disk.CreateDirectories(folder));
  ARC_RETURN_IF_ERROR(RemoveTemporaries(disk, folder));
  ARC_RETURN_IF_ERROR(cache->FindEntries());
  cache->MakeRoom(0);
  return cache;
}

Status DiskCache::FindEntries() {
  ARC_ASSIGN_OR_RETURN(auto folders, disk_.List(folder_));
  for (const std::string& part : folders) {
    auto names = disk_.List(JoinPath(folder_, part));
    if (!names.ok()) continue;
    for (const std::string& name : *names) {
      std::string file = JoinPath(part, name);
      auto entry = disk_.Stat(JoinPath(folder_, file));
      if (!entry.ok() || entry->is_directory) continue;
      used_.push_back({file, entry->bytes});
      by_file_[std::move(file)] = std::prev(used_.end());
      bytes_ += entry->bytes;
    }
  }
  return {};
}

std::optional<std::string> DiskCache::Read(const std::string& name) {
  const std::string file = FileOf(name);
  {
    std::lock_guard lock(mutex_);
    auto found = by_file_.find(file);
    if (found == by_file_.end()) return std::nullopt;
    used_.splice(used_.begin(), used_, found->second);
  }
  auto framed = ReadWholeFile(disk_, JoinPath(folder_, file));
  if (framed.ok()) {
    if (auto bytes = Unframe(std::move(*framed), name)) return bytes;
  }
  Forget(file);
  return std::nullopt;
}

void DiskCache::Write(const std::string& name, std::string_view bytes) {
  const std::string file = FileOf(name);
  const std::string framed = Frame(name, bytes);
  const auto length = static_cast<int64_t>(framed.size());
  if (!MakeRoom(length)) return;
  if (auto status = WriteFile(file, framed); !status.ok()) {
    Log(LogLevel::kDebug, "cache", "a blob was not kept", {{"error", status.error().message}});
    return;
  }
  std::lock_guard lock(mutex_);
  auto found = by_file_.find(file);
  if (found != by_file_.end()) {
    bytes_ += length - found->second->bytes;
    found->second->bytes = length;
    return;
  }
  used_.push_front({file, length});
  by_file_[file] = used_.begin();
  bytes_ += length;
}

Status DiskCache::WriteFile(const std::string& file, std::string_view framed) {
  const std::string path = JoinPath(folder_, file);
  const std::string folder = ParentFolder(path);
  const std::string temporary = JoinPath(folder, std::string(kTemporaryPrefix) + MakeTemporaryTag());
  auto made = disk_.Open(temporary, OpenMode::kCreateExclusive);
  if (!made.ok() && made.error().kind == ErrorKind::kNotFound) {
    ARC_RETURN_IF_ERROR(disk_.CreateDirectories(folder));
    made = disk_.Open(temporary, OpenMode::kCreateExclusive);
  }
  if (!made.ok()) return std::move(made).error();
  Status written = (*made)->WriteAt(0, {reinterpret_cast<const uint8_t*>(framed.data()), framed.size()});
  if (written.ok()) written = disk_.Rename(temporary, path);
  if (!written.ok()) (void)disk_.Remove(temporary);
  return written;
}

void DiskCache::Forget(const std::string& file) {
  {
    std::lock_guard lock(mutex_);
    auto found = by_file_.find(file);
    if (found == by_file_.end()) return;
    bytes_ -= found->second->bytes;
    used_.erase(found->second);
    by_file_.erase(found);
  }
  (void)disk_.Remove(JoinPath(folder_, file));
}

// False when the disk is wanted for something else.
bool DiskCache::MakeRoom(int64_t bytes) {
  if (bytes > limit_bytes_) return false;
  auto free = disk_.FreeBytes(folder_);
  const int64_t missing = free.ok() ? kSpareBytes + bytes - *free : 0;
  int64_t freed = 0;
  while (true) {
    std::string oldest;
    {
      std::lock_guard lock(mutex_);
      if (used_.empty() || (bytes_ + bytes <= limit_bytes_ && freed >= missing)) break;
      oldest = used_.back().file;
      freed += used_.back().bytes;
    }
    Forget(oldest);
  }
  return freed >= missing;
}

int64_t DiskCache::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

size_t DiskCache::entries() const {
  std::lock_guard lock(mutex_);
  return used_.size();
}

}  // namespace arc
