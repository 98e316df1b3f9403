#include "arc/iceberg/rest_requests.h"

#include <algorithm>

#include "arc/iceberg/request_json.h"

namespace arc {
namespace {

Result<Json> ParseBody(std::string_view body) {
  ARC_ASSIGN_OR_RETURN(Json json, ParseRequestJson(body, "the request body"));
  if (!json.is_object()) return InvalidArgument("the request body is no JSON object");
  return json;
}

Result<std::vector<std::string>> Texts(const Json& array, const char* what) {
  std::vector<std::string> texts;
  for (const auto& item : array) {
    if (!item.is_string()) return InvalidArgument(std::string(what) + " holds something that is no string");
    texts.push_back(item.get_ref<const std::string&>());
  }
  return texts;
}

Result<std::string> Database(const RequestFields& fields) {
  ARC_ASSIGN_OR_RETURN(const Json* levels, fields.Array("namespace"));
  ARC_ASSIGN_OR_RETURN(auto names, Texts(*levels, "namespace"));
  if (names.size() != 1 || names[0].empty()) {
    return InvalidArgument("a namespace has exactly one level here: it is a database");
  }
  return std::move(names[0]);
}

Result<IcebergTableName> TableName(const Json& object, const char* what) {
  RequestFields fields(object, what);
  IcebergTableName name;
  ARC_ASSIGN_OR_RETURN(name.database, Database(fields));
  ARC_ASSIGN_OR_RETURN(name.table, fields.Text("name"));
  return name;
}

Result<TableChange> Change(const Json& object, bool named) {
  RequestFields fields(object, "the commit");
  TableChange change;
  if (named || fields.Find("identifier") != nullptr) {
    ARC_ASSIGN_OR_RETURN(const Json* identifier, fields.Object("identifier"));
    ARC_ASSIGN_OR_RETURN(change.table, TableName(*identifier, "identifier"));
  }
  if (fields.Find("requirements") != nullptr) {
    ARC_ASSIGN_OR_RETURN(const Json* requirements, fields.Array("requirements"));
    change.requirements = PrintJson(*requirements);
  }
  ARC_ASSIGN_OR_RETURN(const Json* updates, fields.Array("updates"));
  change.updates = PrintJson(*updates);
  return change;
}

}  // namespace

Result<CreateNamespaceRequest> ParseCreateNamespace(std::string_view body) {
  ARC_ASSIGN_OR_RETURN(const Json json, ParseBody(body));
  RequestFields fields(json, "the request");
  CreateNamespaceRequest request;
  ARC_ASSIGN_OR_RETURN(request.database, Database(fields));
  ARC_ASSIGN_OR_RETURN(request.properties, fields.TextMap("properties"));
  return request;
}

Result<NamespacePropertiesRequest> ParseNamespaceProperties(std::string_view body) {
  ARC_ASSIGN_OR_RETURN(const Json json, ParseBody(body));
  RequestFields fields(json, "the request");
  NamespacePropertiesRequest request;
  if (fields.Find("removals") != nullptr) {
    ARC_ASSIGN_OR_RETURN(const Json* removals, fields.Array("removals"));
    ARC_ASSIGN_OR_RETURN(request.removals, Texts(*removals, "removals"));
    std::sort(request.removals.begin(), request.removals.end());
    request.removals.erase(std::unique(request.removals.begin(), request.removals.end()), request.removals.end());
  }
  ARC_ASSIGN_OR_RETURN(request.updates, fields.TextMap("updates"));
  return request;
}

Result<CreateTableRequest> ParseCreateTable(std::string_view body) {
  ARC_ASSIGN_OR_RETURN(const Json json, ParseBody(body));
  RequestFields fields(json, "the request");
  CreateTableRequest request;
  ARC_ASSIGN_OR_RETURN(request.table, fields.Text("name"));
  ARC_ASSIGN_OR_RETURN(request.location, fields.OptionalText("location"));
  ARC_ASSIGN_OR_RETURN(request.properties, fields.TextMap("properties"));
  ARC_ASSIGN_OR_RETURN(const Json* schema, fields.Object("schema"));
  request.schema = PrintJson(*schema);
  if (const Json* spec = fields.Find("partition-spec")) request.partition_spec = PrintJson(*spec);
  if (const Json* order = fields.Find("write-order")) request.write_order = PrintJson(*order);
  ARC_ASSIGN_OR_RETURN(request.stage, fields.OptionalBool("stage-create"));
  return request;
}

Result<TableChange> ParseTableChange(std::string_view body) {
  ARC_ASSIGN_OR_RETURN(const Json json, ParseBody(body));
  return Change(json, false);
}

Result<std::vector<TableChange>> ParseTransaction(std::string_view body) {
  ARC_ASSIGN_OR_RETURN(const Json json, ParseBody(body));
  RequestFields fields(json, "the request");
  ARC_ASSIGN_OR_RETURN(const Json* items, fields.Array("table-changes"));
  std::vector<TableChange> changes;
  for (const auto& item : *items) {
    ARC_ASSIGN_OR_RETURN(auto change, Change(item, true));
    for (const auto& other : changes) {
      if (other.table.database == change.table.database && other.table.table == change.table.table) {
        return InvalidArgument("table " + change.table.database + "." + change.table.table + " is named twice");
      }
    }
    changes.push_back(std::move(change));
  }
  if (changes.empty()) return InvalidArgument("the transaction changes no table");
  return changes;
}

Result<RegisterTableRequest> ParseRegisterTable(std::string_view body) {
  ARC_ASSIGN_OR_RETURN(const Json json, ParseBody(body));
  RequestFields fields(json, "the request");
  RegisterTableRequest request;
  ARC_ASSIGN_OR_RETURN(request.table, fields.Text("name"));
  ARC_ASSIGN_OR_RETURN(request.metadata_location, fields.Text("metadata-location"));
  ARC_ASSIGN_OR_RETURN(request.overwrite, fields.OptionalBool("overwrite"));
  return request;
}

Result<RenameTableRequest> ParseRenameTable(std::string_view body) {
  ARC_ASSIGN_OR_RETURN(const Json json, ParseBody(body));
  RequestFields fields(json, "the request");
  RenameTableRequest request;
  ARC_ASSIGN_OR_RETURN(const Json* source, fields.Object("source"));
  ARC_ASSIGN_OR_RETURN(request.source, TableName(*source, "source"));
  ARC_ASSIGN_OR_RETURN(const Json* destination, fields.Object("destination"));
  ARC_ASSIGN_OR_RETURN(request.destination, TableName(*destination, "destination"));
  return request;
}

}  // namespace arc
