// The catalog as other engines see and change it, by the names and rules of the Iceberg REST protocol.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/iceberg/metadata_change.h"
#include "arc/iceberg/rest_requests.h"

namespace arc {

// How messages of kNotFound begin, by what is not there; the protocol tells them apart.
inline constexpr std::string_view kNoNamespace = "Namespace does not exist: ";
inline constexpr std::string_view kNoTable = "Table does not exist: ";
// Of a table whose metadata file is gone.
inline constexpr std::string_view kNoMetadataFile = "Failed to open input stream for file: ";
// How kConflict ends when a namespace still holds tables.
inline constexpr std::string_view kNotEmpty = " is not empty";

struct NamespaceChange {
  std::vector<std::string> updated;
  std::vector<std::string> removed;
  std::vector<std::string> missing;
};

// Thread-safe. Names are exact here, unlike in SQL. Every change is durable when the call returns and is in the very
// next query of Arc. Tables that Arc cannot represent are served like any other. Errors besides those named: of the
// store and of the pointer file; kUnknownOutcome when a change may have happened.
class IcebergCatalog {
 public:
  virtual ~IcebergCatalog() = default;

  virtual Result<std::vector<std::string>> Namespaces() = 0;  // sorted
  virtual Result<std::map<std::string, std::string>> LoadNamespace(const std::string& database) = 0;
  virtual Status CreateNamespace(const CreateNamespaceRequest& request) = 0;  // kAlreadyExists
  virtual Result<NamespaceChange> ChangeNamespace(const std::string& database,
                                                  const NamespacePropertiesRequest& request) = 0;
  virtual Status DropNamespace(const std::string& database) = 0;  // kConflict while it holds tables

  // Sorted; tables whose rows are all hot too: Flush makes them loadable.
  virtual Result<std::vector<std::string>> TableNames(const std::string& database) = 0;
  virtual Result<MetadataFile> LoadTable(const IcebergTableName& name) = 0;
  // With `stage` nothing is made: the result has no location.
  virtual Result<MetadataFile> CreateTable(const std::string& database, const CreateTableRequest& request) = 0;
  // kConflict when a requirement does not hold. kInvalidArgument too when Arc, which writes the table, could not go on.
  virtual Result<MetadataFile> CommitTable(const TableChange& change) = 0;
  // All changes or none.
  virtual Status CommitTransaction(const std::vector<TableChange>& changes) = 0;
  // Hot rows go with it. `purge` deletes the files too, as far as they lie in the storage root.
  virtual Status DropTable(const IcebergTableName& name, bool purge) = 0;
  virtual Status RenameTable(const RenameTableRequest& request) = 0;  // kAlreadyExists
  virtual Result<MetadataFile> RegisterTable(const std::string& database, const RegisterTableRequest& request) = 0;
};

}  // namespace arc
