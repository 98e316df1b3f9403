// Bodies that clients of the Iceberg REST catalog send, as values. What only the table's metadata can judge stays JSON
// text. https://iceberg.apache.org/rest-catalog-spec/
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"

namespace arc {

// A namespace has one level here: it is a database.
struct IcebergTableName {
  std::string database;
  std::string table;
};

struct CreateNamespaceRequest {
  std::string database;
  std::map<std::string, std::string> properties;
};

struct NamespacePropertiesRequest {
  std::vector<std::string> removals;
  std::map<std::string, std::string> updates;  // none of them is in `removals`
};

struct CreateTableRequest {
  std::string table;
  std::string location;  // empty: the catalog's choice
  std::map<std::string, std::string> properties;
  std::string schema;          // JSON
  std::string partition_spec;  // JSON; empty: unpartitioned
  std::string write_order;     // JSON; empty: unsorted
  bool stage = false;          // only say what the table would be
};

// A commit to one table: all updates, if all requirements hold.
struct TableChange {
  IcebergTableName table;  // empty where the body names none
  std::string requirements = "[]";
  std::string updates = "[]";
};

struct RegisterTableRequest {
  std::string table;
  std::string metadata_location;
  bool overwrite = false;
};

struct RenameTableRequest {
  IcebergTableName source;
  IcebergTableName destination;
};

// Each: kInvalidArgument naming what is missing or of the wrong kind.
Result<CreateNamespaceRequest> ParseCreateNamespace(std::string_view body);
Result<NamespacePropertiesRequest> ParseNamespaceProperties(std::string_view body);
Result<CreateTableRequest> ParseCreateTable(std::string_view body);
Result<TableChange> ParseTableChange(std::string_view body);
Result<std::vector<TableChange>> ParseTransaction(std::string_view body);
Result<RegisterTableRequest> ParseRegisterTable(std::string_view body);
Result<RenameTableRequest> ParseRenameTable(std::string_view body);

}  // namespace arc
