#include "arc/backup/manifest.h"

#include <nlohmann/json.hpp>

#include "arc/backup/sha256.h"

namespace arc {
namespace {

using Json = nlohmann::json;

constexpr int kFormatVersion = 1;
constexpr size_t kHashDigits = 64;
constexpr size_t kLakeDigits = 16;

Json JsonOf(const std::vector<BackupObject>& objects) {
  Json list = Json::array();
  for (const auto& object : objects) list.push_back({object.key, object.bytes, object.sha256});
  return list;
}

std::vector<BackupObject> ObjectsOf(const Json& list) {
  std::vector<BackupObject> objects;
  objects.reserve(list.size());
  for (const auto& entry : list) {
    objects.push_back({entry.at(0).get<std::string>(), entry.at(1).get<int64_t>(), entry.at(2).get<std::string>()});
  }
  return objects;
}

Json JsonOf(const PointerStoreContent& catalog) {
  Json namespaces = Json::array();
  for (const auto& [name, properties] : catalog.namespaces) {
    namespaces.push_back({{"name", name}, {"properties", properties}});
  }
  Json tables = Json::array();
  for (const auto& [database, table, location] : catalog.tables) {
    tables.push_back({{"database", database}, {"table", table}, {"metadata_location", location}});
  }
  return {{"namespaces", namespaces}, {"tables", tables}, {"dropped", catalog.dropped}};
}

PointerStoreContent CatalogOf(const Json& json) {
  PointerStoreContent catalog;
  for (const auto& entry : json.at("namespaces")) {
    catalog.namespaces.push_back(
        {entry.at("name").get<std::string>(), entry.at("properties").get<std::map<std::string, std::string>>()});
  }
  for (const auto& entry : json.at("tables")) {
    catalog.tables.push_back({entry.at("database").get<std::string>(), entry.at("table").get<std::string>(),
                              entry.at("metadata_location").get<std::string>()});
  }
  catalog.dropped = json.at("dropped").get<std::vector<std::string>>();
  return catalog;
}

BackupManifest FromJson(const Json& json) {
  BackupManifest manifest;
  manifest.id = json.at("id").get<std::string>();
  manifest.created_ms = json.at("created_ms").get<int64_t>();
  manifest.lsn = json.at("lsn").get<uint64_t>();
  manifest.exact = json.at("exact").get<bool>();
  manifest.lineage = json.at("lineage").get<std::string>();
  manifest.arc_version = json.at("arc_version").get<std::string>();
  manifest.root = json.at("root").get<std::string>();
  manifest.cold_root = json.value("cold_root", "");
  manifest.catalog = CatalogOf(json.at("catalog"));
  manifest.objects = ObjectsOf(json.at("objects"));
  manifest.files = ObjectsOf(json.at("files"));
  manifest.problems = json.at("problems").get<std::vector<std::string>>();
  return manifest;
}

}  // namespace

int64_t BackupManifest::bytes() const {
  int64_t sum = 0;
  for (const auto* list : {&objects, &files}) {
    for (const auto& object : *list) sum += object.bytes;
  }
  return sum;
}

std::string BackupManifestText(const BackupManifest& manifest) {
  Json json = {{"format", kFormatVersion},
               {"id", manifest.id},
               {"created_ms", manifest.created_ms},
               {"lsn", manifest.lsn},
               {"exact", manifest.exact},
               {"lineage", manifest.lineage},
               {"arc_version", manifest.arc_version},
               {"root", manifest.root},
               {"catalog", JsonOf(manifest.catalog)},
               {"objects", JsonOf(manifest.objects)},
               {"files", JsonOf(manifest.files)},
               {"problems", manifest.problems}};
  if (!manifest.cold_root.empty()) json["cold_root"] = manifest.cold_root;
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  return Sha256Of(text) + "\n" + text;
}

Result<BackupManifest> ParseBackupManifest(std::string_view text) {
  if (text.size() <= kHashDigits || text[kHashDigits] != '\n' ||
      Sha256Of(text.substr(kHashDigits + 1)) != text.substr(0, kHashDigits)) {
    return Corruption("the backup's manifest is not what was written");
  }
  try {
    const Json json = Json::parse(text.substr(kHashDigits + 1));
    if (json.at("format").get<int>() != kFormatVersion) {
      return MakeError(ErrorKind::kUnsupported, "the backup was made by a newer Arc");
    }
    return FromJson(json);
  } catch (const Json::exception& problem) {
    return Corruption(std::string("the backup's manifest: ") + problem.what());
  }
}

std::string LakeFolder(std::string_view root) { return Sha256Of(root).substr(0, kLakeDigits); }

std::string ManifestKey(std::string_view id) { return kManifestFolder + std::string(id) + kManifestSuffix; }

std::string ObjectKeyOf(const BackupManifest& manifest, const BackupObject& object) {
  return kObjectFolder + LakeFolder(manifest.root) + "/" + object.key;
}

std::string FileKeyOf(const BackupManifest& manifest, const BackupObject& file) {
  return kFileFolder + manifest.id + "/" + file.key;
}

}  // namespace arc
