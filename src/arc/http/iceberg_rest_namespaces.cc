// The Iceberg REST catalog's own description, its tokens and its namespaces.
#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "arc/http/credentials.h"
#include "arc/http/iceberg_rest_request.h"
#include "arc/http/json_text.h"
#include "arc/http/routes.h"

namespace arc {
namespace {

// What is served, as clients ask for it; {prefix} is empty here.
constexpr std::array<std::string_view, 18> kEndpoints = {
    "GET /v1/{prefix}/namespaces",
    "POST /v1/{prefix}/namespaces",
    "GET /v1/{prefix}/namespaces/{namespace}",
    "HEAD /v1/{prefix}/namespaces/{namespace}",
    "DELETE /v1/{prefix}/namespaces/{namespace}",
    "POST /v1/{prefix}/namespaces/{namespace}/properties",
    "GET /v1/{prefix}/namespaces/{namespace}/tables",
    "POST /v1/{prefix}/namespaces/{namespace}/tables",
    "POST /v1/{prefix}/namespaces/{namespace}/register",
    "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics",
    "POST /v1/{prefix}/tables/rename",
    "POST /v1/{prefix}/transactions/commit",
    "GET /v1/config",
    "POST /v1/oauth/tokens",
};

void AddNamespace(const std::string& name, const std::map<std::string, std::string>& properties, JsonText* json) {
  json->BeginObject().Field("namespace", std::vector<std::string>{name}).Key("properties").BeginObject();
  for (const auto& [key, value] : properties) json->Field(key, value);
  json->EndObject().EndObject();
}

Response NamespaceResponse(const std::string& name, const std::map<std::string, std::string>& properties) {
  JsonText json;
  AddNamespace(name, properties, &json);
  return Response::Json(json.Take());
}

Response OauthError(int status, std::string_view error, std::string_view description) {
  JsonText json;
  json.BeginObject().Field("error", error).Field("error_description", description).EndObject();
  return Response::Json(json.Take(), status).With("Cache-Control", "no-store");
}

}  // namespace

Task<Response> ShowIcebergConfig(Exchange&) {
  JsonText json;
  json.BeginObject().Key("defaults").BeginObject().EndObject().Key("overrides").BeginObject().EndObject();
  json.Key("endpoints").BeginArray();
  for (const std::string_view endpoint : kEndpoints) json.Value(endpoint);
  json.EndArray().EndObject();
  co_return Response::Json(json.Take());
}

// OAuth2 client credentials: the secret is an Arc token, which is what the client gets back. An exchange (how Java
// renews) of a token that still holds gives the same one.
Task<Response> MakeIcebergToken(Exchange& exchange) {
  const QueryString form(exchange.body);
  const std::string_view grant = form.Get("grant_type");
  std::string secret;
  if (grant == "client_credentials") {
    secret = form.Get("client_secret");
    if (secret.empty()) secret = FindToken(exchange.head, QueryString());
  } else if (grant == "urn:ietf:params:oauth:grant-type:token-exchange") {
    secret = form.Get("subject_token");
  } else {
    co_return OauthError(400, "unsupported_grant_type", "the grant type must be client_credentials or token exchange");
  }
  if (exchange.server.options.auth_enabled) {
    TokenStore* tokens = &exchange.server.engine.tokens();
    auto call = [tokens, secret] { return tokens->Authenticate(secret); };
    auto known = co_await CallBlocking<Principal>(exchange.server, call);
    if (!known.ok() && known.error().kind != ErrorKind::kUnauthenticated) co_return exchange.Fail(known.error());
    if (!known.ok()) co_return OauthError(401, "invalid_client", known.error().message);
  }
  JsonText json;
  json.BeginObject().Field("access_token", secret).Field("token_type", "bearer");
  json.Field("issued_token_type", "urn:ietf:params:oauth:token-type:access_token").EndObject();
  co_return Response::Json(json.Take()).With("Cache-Control", "no-store");
}

Task<Response> ListIcebergNamespaces(Exchange& exchange) {
  IcebergCatalog* catalog = &exchange.server.engine.iceberg();
  const std::string parent(exchange.query.Get("parent"));
  auto call = [catalog] { return catalog->Namespaces(); };
  Result<std::vector<std::string>> all = co_await CallBlocking<std::vector<std::string>>(exchange.server, call);
  if (!all.ok()) co_return exchange.Fail(all.error());
  std::vector<std::string> readable;
  for (const auto& name : *all) {
    if (exchange.principal.CanRead(name)) readable.push_back(name);
  }
  if (!parent.empty()) {
    if (std::find(readable.begin(), readable.end(), parent) == readable.end()) {
      co_return exchange.Fail(NotFound(std::string(kNoNamespace) + parent));
    }
    readable.clear();  // databases hold no databases
  }
  Result<NamePage> page = PageOf(exchange.query, std::move(readable));
  if (!page.ok()) co_return exchange.Fail(page.error());
  JsonText json;
  json.BeginObject().Key("namespaces").BeginArray();
  for (const auto& name : page->names) json.Value(std::vector<std::string>{name});
  json.EndArray();
  if (!page->next_token.empty()) json.Field("next-page-token", page->next_token);
  co_return Response::Json(json.EndObject().Take());
}

Task<Response> CreateIcebergNamespace(Exchange& exchange) {
  auto request = ParseCreateNamespace(exchange.body);
  if (!request.ok()) co_return exchange.Fail(request.error());
  const Status may = MayWrite(exchange, request->database);
  if (!may.ok()) co_return exchange.Fail(may.error());
  IcebergCatalog* catalog = &exchange.server.engine.iceberg();
  auto call = [catalog, request = *request]() -> Result<bool> {
    ARC_RETURN_IF_ERROR(catalog->CreateNamespace(request));
    return true;
  };
  Response response = co_await Reply<bool>(
      exchange, call, [&](bool) { return NamespaceResponse(request->database, request->properties); });
  co_return response;
}

Task<Response> LoadIcebergNamespace(Exchange& exchange) {
  auto name = NamespaceInPath(exchange);
  if (!name.ok()) co_return exchange.Fail(name.error());
  const Status may = MayRead(exchange, *name);
  if (!may.ok()) co_return exchange.Fail(may.error());
  IcebergCatalog* catalog = &exchange.server.engine.iceberg();
  using Properties = std::map<std::string, std::string>;
  const bool only_exists = exchange.head.method() == Method::kHead;
  auto call = [catalog, name = *name] { return catalog->LoadNamespace(name); };
  Response response = co_await Reply<Properties>(exchange, call, [&](const Properties& properties) {
    return only_exists ? Response::Empty(204) : NamespaceResponse(*name, properties);
  });
  co_return response;
}

Task<Response> DropIcebergNamespace(Exchange& exchange) {
  auto name = NamespaceInPath(exchange);
  if (!name.ok()) co_return exchange.Fail(name.error());
  const Status may = MayWrite(exchange, *name);
  if (!may.ok()) co_return exchange.Fail(may.error());
  IcebergCatalog* catalog = &exchange.server.engine.iceberg();
  auto call = [catalog, name = *name] { return catalog->DropNamespace(name); };
  Response response = co_await ReplyEmpty(exchange, call);
  co_return response;
}

Task<Response> ChangeIcebergNamespace(Exchange& exchange) {
  auto name = NamespaceInPath(exchange);
  if (!name.ok()) co_return exchange.Fail(name.error());
  const Status may = MayWrite(exchange, *name);
  if (!may.ok()) co_return exchange.Fail(may.error());
  auto request = ParseNamespaceProperties(exchange.body);
  if (!request.ok()) co_return exchange.Fail(request.error());
  for (const auto& removed : request->removals) {
    if (!request->updates.contains(removed)) continue;
    co_return exchange.Fail(InvalidArgument("property " + removed + " is both updated and removed"), 422);
  }
  IcebergCatalog* catalog = &exchange.server.engine.iceberg();
  auto call = [catalog, name = *name, request = *request] { return catalog->ChangeNamespace(name, request); };
  Response response = co_await Reply<NamespaceChange>(exchange, call, [](const NamespaceChange& change) {
    JsonText json;
    json.BeginObject().Field("updated", change.updated).Field("removed", change.removed);
    json.Field("missing", change.missing).EndObject();
    return Response::Json(json.Take());
  });
  co_return response;
}

}  // namespace arc
