#include "arc/iceberg/table_files.h"

#include <fmt/format.h>

#include <charconv>

namespace arc {

std::string MetadataKey(std::string_view table_key, std::string_view name) {
  return fmt::format("{}/metadata/{}", table_key, name);
}

std::string MetadataFileName(std::string_view previous_location, const Uuid& uuid) {
  int64_t version = 0;
  if (!previous_location.empty()) {
    const std::string_view name = previous_location.substr(previous_location.rfind('/') + 1);
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), version);
    const bool numbered = error == std::errc() && version >= 0 && version < INT32_MAX;
    version = numbered ? version + 1 : 0;
  }
  return fmt::format("{:05}-{}.metadata.json", version, uuid.ToString());
}

std::string ManifestFileName(const Uuid& commit, int number) {
  return fmt::format("{}-m{}.avro", commit.ToString(), number);
}

std::string ManifestListFileName(const Uuid& commit, int64_t snapshot_id) {
  return fmt::format("snap-{}-1-{}.avro", snapshot_id, commit.ToString());
}

Result<std::string> ReadObjectAt(ObjectStore& store, std::string_view uri) {
  ARC_ASSIGN_OR_RETURN(const std::string key, store.KeyOf(uri));
  auto bytes = store.ReadAll(key);
  if (!bytes.ok()) return WithContext(std::move(bytes).error(), uri);
  return bytes;
}

Result<std::vector<ManifestFile>> ReadManifestListAt(ObjectStore& store, std::string_view uri) {
  ARC_ASSIGN_OR_RETURN(const std::string bytes, ReadObjectAt(store, uri));
  auto rows = ReadManifestList(bytes);
  if (!rows.ok()) return WithContext(std::move(rows).error(), uri);
  return rows;
}

Status FillCounts(ObjectStore& store, std::vector<ManifestFile>* manifests) {
  for (auto& manifest : *manifests) {
    if (manifest.counts_known) continue;
    manifest.added_files = manifest.existing_files = manifest.deleted_files = 0;
    manifest.added_rows = manifest.existing_rows = manifest.deleted_rows = 0;
    ARC_ASSIGN_OR_RETURN(const std::string bytes, ReadObjectAt(store, manifest.path));
    ARC_RETURN_IF_ERROR(ReadManifest(bytes, manifest, {false, -1}, [&](const ManifestEntry& entry) -> Status {
      const bool added = entry.status == EntryStatus::kAdded;
      const bool existing = entry.status == EntryStatus::kExisting;
      ++(added ? manifest.added_files : existing ? manifest.existing_files : manifest.deleted_files);
      (added      ? manifest.added_rows
       : existing ? manifest.existing_rows
                  : manifest.deleted_rows) += entry.file.record_count;
      return {};
    }));
    manifest.counts_known = true;
  }
  return {};
}

}  // namespace arc
