#include "arc/server/token_admin.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "arc/base/clock.h"
#include "arc/base/uuid.h"
#include "arc/server/api_client.h"
#include "arc/server/server_access.h"
#include "arc/server/utc_text.h"

namespace arc {

namespace {

constexpr char kTokens[] = "/api/v1/auth/tokens";

class FolderTokens : public TokenAdmin {
 public:
  FolderTokens(std::unique_ptr<DiskLock> lock, std::unique_ptr<TokenStore> store)
      : lock_(std::move(lock)), store_(std::move(store)) {}

  Result<std::string> Create(const TokenCommand& token) override {
    NewToken wanted;
    wanted.name = token.name;
    wanted.description = token.description;
    wanted.read = token.read;
    wanted.write = token.write;
    wanted.admin = token.admin;
    wanted.databases = token.databases;
    if (token.expires_in_seconds > 0) {
      wanted.expires_at_micros = SystemClock().WallMicros() + token.expires_in_seconds * 1'000'000;
    }
    return store_->Create(wanted);
  }

  Result<std::vector<TokenLine>> List() override {
    ARC_ASSIGN_OR_RETURN(std::vector<TokenInfo> tokens, store_->List());
    std::vector<TokenLine> lines;
    for (TokenInfo& token : tokens) {
      TokenLine line;
      line.id = token.id;
      line.name = std::move(token.name);
      line.description = std::move(token.description);
      if (token.read) line.permissions.emplace_back("read");
      if (token.write) line.permissions.emplace_back("write");
      if (token.admin) line.permissions.emplace_back("admin");
      line.databases = std::move(token.databases);
      line.created_at = UtcSeconds(token.created_at_micros);
      if (token.expires_at_micros.has_value()) line.expires_at = UtcSeconds(*token.expires_at_micros);
      if (token.last_used_at_micros.has_value()) line.last_used_at = UtcSeconds(*token.last_used_at_micros);
      line.enabled = token.enabled;
      lines.push_back(std::move(line));
    }
    return lines;
  }

  Status Revoke(int64_t id) override { return store_->Revoke(id); }

 private:
  std::unique_ptr<DiskLock> lock_;
  std::unique_ptr<TokenStore> store_;
};

std::string TextOf(const nlohmann::json& object, const char* key) {
  auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<std::string> TextsOf(const nlohmann::json& object, const char* key) {
  std::vector<std::string> texts;
  auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return texts;
  for (const auto& element : *found) {
    if (element.is_string()) texts.push_back(element.get<std::string>());
  }
  return texts;
}

Error NotUnderstood(const std::string& url) { return Internal(url + " answered something that is not understood"); }

class ServerTokens : public TokenAdmin {
 public:
  explicit ServerTokens(ServerAccess access) : access_(std::move(access)), client_(access_.url, access_.token) {}

  Result<std::string> Create(const TokenCommand& token) override {
    nlohmann::json body = {{"name", token.name}, {"description", token.description}, {"databases", token.databases}};
    body["read"] = token.read;
    body["write"] = token.write;
    body["admin"] = token.admin;
    if (token.expires_in_seconds > 0) body["expires_in_seconds"] = token.expires_in_seconds;
    std::string text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    ARC_ASSIGN_OR_RETURN(nlohmann::json answer, Ask({"POST", kTokens, std::move(text)}));
    std::string secret = TextOf(answer, "token");
    if (secret.empty()) return NotUnderstood(access_.url);
    return secret;
  }

  Result<std::vector<TokenLine>> List() override {
    ARC_ASSIGN_OR_RETURN(nlohmann::json answer, Ask({"GET", kTokens, ""}));
    auto tokens = answer.find("tokens");
    if (tokens == answer.end() || !tokens->is_array()) return NotUnderstood(access_.url);
    std::vector<TokenLine> lines;
    for (const nlohmann::json& token : *tokens) {
      if (!token.is_object() || !token.contains("id") || !token["id"].is_number_integer()) continue;
      TokenLine line;
      line.id = token["id"].get<int64_t>();
      line.name = TextOf(token, "name");
      if (access_.local != nullptr && access_.local->name() == line.name) continue;  // this command's own
      line.description = TextOf(token, "description");
      line.permissions = TextsOf(token, "permissions");
      line.databases = TextsOf(token, "databases");
      line.created_at = WithoutFraction(TextOf(token, "created_at"));
      line.expires_at = WithoutFraction(TextOf(token, "expires_at"));
      line.last_used_at = WithoutFraction(TextOf(token, "last_used_at"));
      line.enabled = !token.contains("enabled") || token["enabled"] == true;
      lines.push_back(std::move(line));
    }
    return lines;
  }

  Status Revoke(int64_t id) override {
    auto answer = client_.Send({"DELETE", std::string(kTokens) + "/" + std::to_string(id), ""});
    if (!answer.ok()) return std::move(answer).error();
    return {};
  }

 private:
  Result<nlohmann::json> Ask(const ApiRequest& request) {
    ARC_ASSIGN_OR_RETURN(std::string body, client_.Send(request));
    nlohmann::json answer = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
    if (!answer.is_object()) return NotUnderstood(access_.url);
    return answer;
  }

  ServerAccess access_;
  ApiClient client_;
};

}  // namespace

Result<std::unique_ptr<TokenAdmin>> TokenAdmin::Find(const ServerArguments& arguments, const std::string& data_folder) {
  const char* url = std::getenv("ARC_URL");
  LocalDisk& disk = SystemDisk();
  if (arguments.url.empty() && (url == nullptr || *url == '\0')) {
    ARC_RETURN_IF_ERROR(disk.CreateDirectories(data_folder));
    auto lock = LockDataFolder(disk, data_folder);
    if (lock.ok()) {
      ARC_ASSIGN_OR_RETURN(auto store, TokenStore::Open(data_folder + "/auth.db", SystemClock(), SystemRandom()));
      return std::unique_ptr<TokenAdmin>(std::make_unique<FolderTokens>(std::move(*lock), std::move(store)));
    }
    if (lock.error().kind != ErrorKind::kConflict) return std::move(lock).error();
    if (!ReadServerAddress(disk, data_folder).has_value()) {
      return WithContext(std::move(lock).error(), "the server's address is not known, give it with --url");
    }
  }
  return std::unique_ptr<TokenAdmin>(
      std::make_unique<ServerTokens>(FindServer(arguments, data_folder, LocalRight::kAdmin)));
}

}  // namespace arc
