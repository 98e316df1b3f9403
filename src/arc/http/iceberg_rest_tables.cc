// Tables of the Iceberg REST catalog.
#include <string>
#include <vector>

#include "arc/http/iceberg_rest_request.h"
#include "arc/http/json_text.h"
#include "arc/http/routes.h"
#include "arc/iceberg/metadata_change.h"

namespace arc {
namespace {

// The metadata stands in the answer as it stands in the file.
Response TableResponse(const MetadataFile& metadata, bool with_config) {
  JsonText json;
  json.BeginObject();
  if (!metadata.location.empty()) json.Field("metadata-location", metadata.location);
  json.Key("metadata").Raw(metadata.json);
  if (with_config) json.Key("config").BeginObject().EndObject();
  return Response::Json(json.EndObject().Take());
}

}  // namespace

Task<Response> ListIcebergTables(Exchange& exchange) {
  auto name = NamespaceInPath(exchange);
  if (!name.ok()) co_return exchange.Fail(name.error());
  const Status may = MayRead(exchange, *name);
  if (!may.ok()) co_return exchange.Fail(may.error());
  IcebergCatalog* catalog = &exchange.server.engine.iceberg();
  auto call = [catalog, name = *name] { return catalog->TableNames(name); };
  Result<std::vector<std::string>> all = co_await CallBlocking<std::vector<std::string>>(exchange.server, call);
  if (!all.ok()) co_return exchange.Fail(all.error());
  Result<NamePage> page = PageOf(exchange.query, std::move(*all));
  if (!page.ok()) co_return exchange.Fail(page.error());
  JsonText json;
  json.BeginObject().Key("identifiers").BeginArray();
  for (const auto& table : page->names) {
    json.BeginObject().Field("namespace", std::vector<std::string>{*name}).Field("name", table).EndObject();
  }
  json.EndArray();
  if (!page->next_token.empty()) json.Field("next-page-token", page->next_token);
  co_return Response::Json(json.EndObject().Take());
}

Task<Response> LoadIcebergTable(Exchange& exchange) {
  auto name = TableInPath(exchange);
  if (!name.ok()) co_return exchange.Fail(name.error());
  const Status may = MayRead(exchange, name->database);
  if (!may.ok()) co_return exchange.Fail(may.error());
  const std::string_view snapshots = exchange.query.Get("snapshots");
  if (!snapshots.empty() && snapshots != "all" && snapshots != "refs") {
    co_return exchange.Fail(InvalidArgument("snapshots must be all or refs"));
  }
  Engine* engine = &exchange.server.engine;
  const int64_t staleness_ms = exchange.server.options.iceberg_max_staleness_ms;
  auto call = [engine, name = *name, staleness_ms, refs = snapshots == "refs"]() -> Result<MetadataFile> {
    ARC_RETURN_IF_ERROR(engine->FlushForIceberg(name, staleness_ms));
    ARC_ASSIGN_OR_RETURN(MetadataFile metadata, engine->iceberg().LoadTable(name));
    if (refs) {
      ARC_ASSIGN_OR_RETURN(metadata.json, WithoutHistory(metadata.json));
    }
    return metadata;
  };
  const bool only_exists = exchange.head.method() == Method::kHead;
  Response response = co_await Reply<MetadataFile>(exchange, call, [&](const MetadataFile& metadata) {
    return only_exists ? Response::Empty(204) : TableResponse(metadata, true);
  });
  co_return response;
}

Task<Response> CreateIcebergTable(Exchange& exchange) {
  auto name = NamespaceInPath(exchange);
  if (!name.ok()) co_return exchange.Fail(name.error());
  const Status may = MayWrite(exchange, *name);
  if (!may.ok()) co_return exchange.Fail(may.error());
  auto request = ParseCreateTable(exchange.body);
  if (!request.ok()) co_return exchange.Fail(request.error());
  IcebergCatalog* catalog = &exchange.server.engine.iceberg();
  auto call = [catalog, name = *name, request = *request] { return catalog->CreateTable(name, request); };
  Response response = co_await Reply<MetadataFile>(
      exchange, call, [](const MetadataFile& metadata) { return TableResponse(metadata, true); });
  co_return response;
}

Task<Response> CommitIcebergTable(Exchange& exchange) {
  auto name = TableInPath(exchange);
  if (!name.ok()) co_return exchange.Fail(name.error());
  const Status may = MayWrite(exchange, name->database);
  if (!may.ok()) co_return exchange.Fail(may.error());
  auto change = ParseTableChange(exchange.body);
  if (!change.ok()) co_return exchange.Fail(change.error());
  change->table = *name;  // what the body may say as well
  Engine* engine = &exchange.server.engine;
  auto call = [engine, change = *change]() -> Result<MetadataFile> {
    ARC_RETURN_IF_ERROR(engine->FlushForIceberg(change.table, -1));
    return engine->iceberg().CommitTable(change);
  };
  Response response = co_await Reply<MetadataFile>(
      exchange, call, [](const MetadataFile& metadata) { return TableResponse(metadata, false); });
  co_return response;
}

Task<Response> DropIcebergTable(Exchange& exchange) {
  auto name = TableInPath(exchange);
  if (!name.ok()) co_return exchange.Fail(name.error());
  const Status may = MayWrite(exchange, name->database);
  if (!may.ok()) co_return exchange.Fail(may.error());
  const std::string_view purge = exchange.query.Get("purgeRequested");
  const bool delete_files = EqualIgnoringCase(purge, "true");
  if (delete_files && !exchange.principal.admin) {
    co_return exchange.Fail(MakeError(ErrorKind::kPermissionDenied, "only an admin token may delete a table's files"));
  }
  Engine* engine = &exchange.server.engine;
  auto call = [engine, name = *name, delete_files]() -> Status {
    ARC_RETURN_IF_ERROR(engine->FlushForIceberg(name, 0));
    return engine->iceberg().DropTable(name, delete_files);
  };
  Response response = co_await ReplyEmpty(exchange, call);
  co_return response;
}

Task<Response> RenameIcebergTable(Exchange& exchange) {
  auto request = ParseRenameTable(exchange.body);
  if (!request.ok()) co_return exchange.Fail(request.error());
  for (const auto& database : {request->source.database, request->destination.database}) {
    const Status may = MayWrite(exchange, database);
    if (!may.ok()) co_return exchange.Fail(may.error());
  }
  Engine* engine = &exchange.server.engine;
  auto call = [engine, request = *request]() -> Status {
    ARC_RETURN_IF_ERROR(engine->FlushForIceberg(request.source, -1));
    return engine->iceberg().RenameTable(request);
  };
  Response response = co_await ReplyEmpty(exchange, call);
  co_return response;
}

Task<Response> RegisterIcebergTable(Exchange& exchange) {
  auto name = NamespaceInPath(exchange);
  if (!name.ok()) co_return exchange.Fail(name.error());
  const Status may = MayWrite(exchange, *name);
  if (!may.ok()) co_return exchange.Fail(may.error());
  auto request = ParseRegisterTable(exchange.body);
  if (!request.ok()) co_return exchange.Fail(request.error());
  IcebergCatalog* catalog = &exchange.server.engine.iceberg();
  auto call = [catalog, name = *name, request = *request] { return catalog->RegisterTable(name, request); };
  Response response = co_await Reply<MetadataFile>(
      exchange, call, [](const MetadataFile& metadata) { return TableResponse(metadata, true); });
  co_return response;
}

Task<Response> CommitIcebergTransaction(Exchange& exchange) {
  auto changes = ParseTransaction(exchange.body);
  if (!changes.ok()) co_return exchange.Fail(changes.error());
  for (const auto& change : *changes) {
    const Status may = MayWrite(exchange, change.table.database);
    if (!may.ok()) co_return exchange.Fail(may.error());
  }
  Engine* engine = &exchange.server.engine;
  auto call = [engine, changes = *changes]() -> Status {
    for (const auto& change : changes) ARC_RETURN_IF_ERROR(engine->FlushForIceberg(change.table, -1));
    return engine->iceberg().CommitTransaction(changes);
  };
  Response response = co_await ReplyEmpty(exchange, call);
  co_return response;
}

// Reports of scans and commits are taken and not kept.
Task<Response> TakeIcebergMetrics(Exchange& exchange) {
  auto name = TableInPath(exchange);
  if (!name.ok()) co_return exchange.Fail(name.error());
  const Status may = MayRead(exchange, name->database);
  if (!may.ok()) co_return exchange.Fail(may.error());
  co_return Response::Empty(204);
}

}  // namespace arc
