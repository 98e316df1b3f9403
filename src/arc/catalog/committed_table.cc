#include "arc/catalog/committed_table.h"

#include <algorithm>
#include <limits>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "arc/iceberg/load.h"
#include "arc/iceberg/schema_conversion.h"

namespace arc {
namespace {

Error Unsupported(std::string message) { return MakeError(ErrorKind::kUnsupported, std::move(message)); }

bool IsParquet(std::string format) {
  std::transform(format.begin(), format.end(), format.begin(), [](unsigned char c) { return std::toupper(c); });
  return format == "PARQUET";
}

std::string Folded(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

// DuckDB finds columns without regard to case.
Status CheckNames(const Schema& schema) {
  std::set<std::string> names;
  for (const auto& column : schema.columns) {
    if (names.insert(Folded(column.name)).second) continue;
    return Unsupported("two columns are called '" + column.name + "' but for upper and lower case");
  }
  return {};
}

// Why Arc must not add rows of its own.
std::string WhyUnwritable(const ObjectStore& store, const TableMetadata& metadata, const Schema& schema) {
  if (!store.KeyOf(metadata.location).ok()) return "its location " + metadata.location + " is outside the storage root";
  for (const auto& field : metadata.current_schema().fields) {
    const int at = schema.FindById(field.id);
    if (at < 0 || field.id <= 0) return "column '" + field.name + "' is of a type that Arc cannot write";
    if (field.required && schema.columns[static_cast<size_t>(at)].role != ColumnRole::kTime) {
      return "column '" + field.name + "' is required";
    }
  }
  return {};
}

Result<std::shared_ptr<const FileIndex>> ReadFileIndex(ObjectStore& store, const TableMetadata& metadata,
                                                       const FileIndex* known) {
  ARC_ASSIGN_OR_RETURN(auto live, ReadLiveFiles(store, metadata));
  std::unordered_map<std::string_view, const std::shared_ptr<const FileEntry>*> entries;
  if (known != nullptr) {
    for (const auto& file : known->files()) entries.emplace(file->key, &file);
  }
  std::vector<std::shared_ptr<const FileEntry>> files;
  files.reserve(live.size());
  for (const auto& file : live) {
    if (file.key.empty()) return Unsupported("the data file " + file.uri + " is outside the storage root");
    if (!IsParquet(file.format)) return Unsupported("the data file " + file.key + " is " + file.format);
    if (!file.times_known) return Unsupported("the bounds of the time column are not known of data file " + file.key);
    const auto same = entries.find(file.key);
    files.push_back(same != entries.end() ? *same->second
                                          : std::make_shared<const FileEntry>(FileEntry{file.key, file.bytes, file.rows,
                                                                                        file.min_time, file.max_time}));
  }
  if (!files.empty() && metadata.properties.contains("schema.name-mapping.default")) {
    return Unsupported("its data files may lack field ids (property schema.name-mapping.default)");
  }
  return std::make_shared<const FileIndex>(std::move(files));
}

}  // namespace

bool IsPassing(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUnavailable:
    case ErrorKind::kOverloaded:
    case ErrorKind::kTimeout:
    case ErrorKind::kCancelled:
    case ErrorKind::kDiskFull:
    case ErrorKind::kUnknownOutcome: return true;
    default: return false;
  }
}

Result<CommittedFiles> ReadCommittedFiles(ObjectStore& store, const TableMetadata& metadata, const FileIndex* known) {
  auto files = ReadFileIndex(store, metadata, known);
  if (files.ok()) return CommittedFiles{std::move(*files), {}};
  if (IsPassing(files.error().kind)) return std::move(files).error();
  return CommittedFiles{std::make_shared<const FileIndex>(), files.error().message};
}

Result<CommittedTable> ReadCommittedTable(ObjectStore& store, const TableMetadata& metadata, const FileIndex* known) {
  CommittedTable table;
  ARC_ASSIGN_OR_RETURN(table.schema, ToArcSchema(metadata));
  ARC_RETURN_IF_ERROR(CheckNames(table.schema));
  table.last_column_id = metadata.last_column_id;
  table.unwritable = WhyUnwritable(store, metadata, table.schema);
  ARC_ASSIGN_OR_RETURN(auto files, ReadCommittedFiles(store, metadata, known));
  table.files = std::move(files.files);
  table.unreadable = std::move(files.unreadable);
  return table;
}

}  // namespace arc
