#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "arc/http/blocking_call.h"
#include "arc/http/json_body.h"
#include "arc/http/json_text.h"
#include "arc/http/routes.h"
#include "arc/http/time_text.h"

namespace arc {
namespace {

constexpr int64_t kMaxExpirySeconds = 100LL * 366 * 86'400;

// What a body says of a token; absent keys are empty.
struct TokenBody {
  TokenChange change;
  std::optional<int64_t> expires_at_micros;
};

// ["read","write"] sets all three flags.
Status ReadPermissions(JsonValue value, TokenChange* change) {
  ARC_ASSIGN_OR_RETURN(auto names, JsonStrings("permissions", value));
  change->read = change->write = change->admin = false;
  for (const std::string& name : names) {
    if (name == "read") {
      change->read = true;
    } else if (name == "write") {
      change->write = true;
    } else if (name == "admin") {
      change->admin = true;
    } else {
      return WrongKey("permissions", "a list of \"read\", \"write\" and \"admin\"");
    }
  }
  return {};
}

Result<int64_t> ReadExpiry(const std::string& key, JsonValue value) {
  ARC_ASSIGN_OR_RETURN(std::string text, JsonString(key, value));
  if (auto micros = ParseTime(text)) return *micros;
  return WrongKey(key, "a time like \"2030-01-15T14:00:00Z\"");
}

Status ReadKey(const std::string& key, JsonValue value, int64_t now_micros, TokenBody* body) {
  TokenChange& change = body->change;
  if (key == "name") {
    ARC_ASSIGN_OR_RETURN(change.name, JsonString(key, value));
  } else if (key == "description") {
    ARC_ASSIGN_OR_RETURN(change.description, JsonString(key, value));
  } else if (key == "read") {
    ARC_ASSIGN_OR_RETURN(change.read, JsonFlag(key, value));
  } else if (key == "write") {
    ARC_ASSIGN_OR_RETURN(change.write, JsonFlag(key, value));
  } else if (key == "admin") {
    ARC_ASSIGN_OR_RETURN(change.admin, JsonFlag(key, value));
  } else if (key == "enabled") {
    ARC_ASSIGN_OR_RETURN(change.enabled, JsonFlag(key, value));
  } else if (key == "permissions") {
    return ReadPermissions(value, &change);
  } else if (key == "databases") {
    ARC_ASSIGN_OR_RETURN(change.databases, JsonStrings(key, value));
  } else if (key == "expires_at") {
    ARC_ASSIGN_OR_RETURN(body->expires_at_micros, ReadExpiry(key, value));
  } else if (key == "expires_in_seconds") {
    ARC_ASSIGN_OR_RETURN(int64_t seconds, JsonInteger(key, value, 1, kMaxExpirySeconds));
    body->expires_at_micros = now_micros + seconds * 1'000'000;
  } else {
    // A misspelt permission must not be overlooked.
    return InvalidArgument("unknown key \"" + key + "\"");
  }
  return {};
}

Result<TokenBody> ParseBody(const Exchange& exchange) {
  TokenBody body;
  int64_t now = exchange.server.clock.WallMicros();
  auto read = [&](const std::string& key, JsonValue value) { return ReadKey(key, value, now, &body); };
  ARC_RETURN_IF_ERROR(ForEachKey(exchange.body, "{\"name\": \"grafana\", \"permissions\": [\"read\"]}", read));
  return body;
}

std::vector<std::string> PermissionNames(bool read, bool write, bool admin) {
  std::vector<std::string> names;
  if (read) names.emplace_back("read");
  if (write) names.emplace_back("write");
  if (admin) names.emplace_back("admin");
  return names;
}

void AddTime(std::string_view key, const std::optional<int64_t>& micros, JsonText* json) {
  json->Field(key, micros ? std::optional(IsoMicros(*micros)) : std::nullopt);
}

// The fields of a token, into an object begun by the caller.
void AddToken(const TokenInfo& token, JsonText* json) {
  json->Field("id", token.id).Field("name", token.name).Field("description", token.description);
  json->Field("permissions", PermissionNames(token.read, token.write, token.admin));
  json->Field("databases", token.databases).Field("enabled", token.enabled);
  AddTime("created_at", token.created_at_micros, json);
  AddTime("expires_at", token.expires_at_micros, json);
  AddTime("last_used_at", token.last_used_at_micros, json);
}

Result<int64_t> IdOf(const Exchange& exchange) {
  const std::string& text = exchange.path_params[0];
  int64_t id = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (code != std::errc() || end != text.data() + text.size()) return NotFound("there is no token \"" + text + "\"");
  return id;
}

Response TokenResponse(const TokenInfo& token, const std::string* secret, int status) {
  JsonText json;
  json.BeginObject().Field("success", true);
  if (secret != nullptr) json.Field("token", *secret);
  AddToken(token, &json);
  Response response = Response::Json(json.EndObject().Take(), status);
  if (secret != nullptr) response.With("Cache-Control", "no-store");
  return response;
}

struct WithSecret {
  TokenInfo token;
  std::string secret;
};

}  // namespace

Task<Response> VerifyToken(Exchange& exchange) {
  const Principal& principal = exchange.principal;
  auto permissions =
      PermissionNames(principal.read || principal.admin, principal.write || principal.admin, principal.admin);
  JsonText json;
  json.BeginObject().Field("success", true).Field("valid", true);
  json.Key("token_info").BeginObject().Field("id", principal.token_id).Field("name", principal.name);
  json.Field("permissions", permissions).Field("databases", principal.databases).EndObject();
  json.Field("permissions", permissions).EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ListTokens(Exchange& exchange) {
  TokenStore* store = &exchange.server.engine.tokens();
  const auto call = [store] { return store->List(); };
  auto tokens = co_await CallBlocking<std::vector<TokenInfo>>(exchange.server, call);
  if (!tokens.ok()) co_return exchange.Fail(tokens.error());
  JsonText json;
  json.BeginObject().Field("success", true).Key("tokens").BeginArray();
  for (const TokenInfo& token : *tokens) {
    json.BeginObject();
    AddToken(token, &json);
    json.EndObject();
  }
  json.EndArray().Field("count", tokens->size()).EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> CreateToken(Exchange& exchange) {
  Result<TokenBody> body = ParseBody(exchange);
  if (!body.ok()) co_return exchange.Fail(body.error());
  const TokenChange& change = body->change;
  if (!change.name || change.name->empty()) co_return exchange.Fail(InvalidArgument("\"name\" is missing"));
  if (change.enabled) co_return exchange.Fail(InvalidArgument("\"enabled\" is for changes; a new token is enabled"));
  NewToken token;
  token.name = *change.name;
  token.description = change.description.value_or("");
  token.read = change.read.value_or(token.read);
  token.write = change.write.value_or(token.write);
  token.admin = change.admin.value_or(token.admin);
  token.databases = change.databases.value_or(token.databases);
  token.expires_at_micros = body->expires_at_micros;
  TokenStore* store = &exchange.server.engine.tokens();
  auto create = [store, token]() -> Result<WithSecret> {
    WithSecret made;
    ARC_ASSIGN_OR_RETURN(made.secret, store->Create(token));
    ARC_ASSIGN_OR_RETURN(auto all, store->List());
    auto found = std::find_if(all.begin(), all.end(), [&](const TokenInfo& one) { return one.name == token.name; });
    if (found == all.end()) return NotFound("the new token was removed at once");
    made.token = *found;
    return made;
  };
  auto made = co_await CallBlocking<WithSecret>(exchange.server, create);
  if (!made.ok()) co_return exchange.Fail(made.error());
  co_return TokenResponse(made->token, &made->secret, 201);
}

Task<Response> GetToken(Exchange& exchange) {
  Result<int64_t> id = IdOf(exchange);
  if (!id.ok()) co_return exchange.Fail(id.error());
  TokenStore* store = &exchange.server.engine.tokens();
  const auto call = [store, id = *id] { return store->Get(id); };
  auto token = co_await CallBlocking<TokenInfo>(exchange.server, call);
  if (!token.ok()) co_return exchange.Fail(token.error());
  co_return TokenResponse(*token, nullptr, 200);
}

Task<Response> UpdateToken(Exchange& exchange) {
  Result<int64_t> id = IdOf(exchange);
  if (!id.ok()) co_return exchange.Fail(id.error());
  Result<TokenBody> body = ParseBody(exchange);
  if (!body.ok()) co_return exchange.Fail(body.error());
  if (body->expires_at_micros) {
    co_return exchange.Fail(InvalidArgument("the expiry of a token cannot be changed; make a new token"));
  }
  TokenStore* store = &exchange.server.engine.tokens();
  auto update = [store, id = *id, change = body->change]() -> Result<TokenInfo> {
    ARC_RETURN_IF_ERROR(store->Update(id, change));
    return store->Get(id);
  };
  auto token = co_await CallBlocking<TokenInfo>(exchange.server, update);
  if (!token.ok()) co_return exchange.Fail(token.error());
  co_return TokenResponse(*token, nullptr, 200);
}

Task<Response> RevokeToken(Exchange& exchange) {
  Result<int64_t> id = IdOf(exchange);
  if (!id.ok()) co_return exchange.Fail(id.error());
  TokenStore* store = &exchange.server.engine.tokens();
  auto revoke = [store, id = *id]() -> Result<bool> {
    ARC_RETURN_IF_ERROR(store->Revoke(id));
    return true;
  };
  auto revoked = co_await CallBlocking<bool>(exchange.server, revoke);
  if (!revoked.ok()) co_return exchange.Fail(revoked.error());
  JsonText json;
  json.BeginObject().Field("success", true).Field("message", "token " + std::to_string(*id) + " is revoked");
  co_return Response::Json(json.EndObject().Take());
}

Task<Response> RotateToken(Exchange& exchange) {
  Result<int64_t> id = IdOf(exchange);
  if (!id.ok()) co_return exchange.Fail(id.error());
  TokenStore* store = &exchange.server.engine.tokens();
  auto rotate = [store, id = *id]() -> Result<WithSecret> {
    WithSecret made;
    ARC_ASSIGN_OR_RETURN(made.secret, store->Rotate(id));
    ARC_ASSIGN_OR_RETURN(made.token, store->Get(id));
    return made;
  };
  auto made = co_await CallBlocking<WithSecret>(exchange.server, rotate);
  if (!made.ok()) co_return exchange.Fail(made.error());
  co_return TokenResponse(made->token, &made->secret, 200);
}

}  // namespace arc
