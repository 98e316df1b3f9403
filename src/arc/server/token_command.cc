#include <nlohmann/json.hpp>

#include "arc/server/api_client.h"
#include "arc/server/commands.h"
#include "arc/server/server_access.h"
#include "arc/server/text_columns.h"
#include "arc/server/token_admin.h"

namespace arc {

namespace {

std::string Permissions(const TokenLine& token) {
  std::string text;
  for (const std::string& permission : token.permissions) text += (text.empty() ? "" : ",") + permission;
  return text.empty() ? "none" : text;
}

std::string Databases(const TokenLine& token) {
  std::string text;
  for (const std::string& database : token.databases) text += (text.empty() ? "" : ",") + database;
  return text.empty() ? "all" : text;
}

void PrintTokens(const std::vector<TokenLine>& tokens, std::ostream& out) {
  std::vector<std::vector<std::string>> rows = {
      {"ID", "NAME", "PERMISSIONS", "DATABASES", "CREATED", "EXPIRES", "LAST USED", "DESCRIPTION"}};
  for (const TokenLine& token : tokens) {
    rows.push_back({std::to_string(token.id), token.name + (token.enabled ? "" : " (disabled)"), Permissions(token),
                    Databases(token), token.created_at, token.expires_at.empty() ? "never" : token.expires_at,
                    token.last_used_at.empty() ? "never" : token.last_used_at, token.description});
  }
  PrintColumns(rows, out);
}

Status Run(const TokenCommand& command, TokenAdmin& admin, std::ostream& out) {
  if (command.action == TokenCommand::Action::kList) {
    ARC_ASSIGN_OR_RETURN(std::vector<TokenLine> tokens, admin.List());
    PrintTokens(tokens, out);
    return {};
  }
  if (command.action == TokenCommand::Action::kCreate) {
    ARC_ASSIGN_OR_RETURN(std::string secret, admin.Create(command));
    out << secret << "\n";
    return {};
  }
  ARC_ASSIGN_OR_RETURN(std::vector<TokenLine> tokens, admin.List());
  for (const TokenLine& token : tokens) {
    if (token.name != command.name && std::to_string(token.id) != command.name) continue;
    ARC_RETURN_IF_ERROR(admin.Revoke(token.id));
    out << "revoked " << token.name << " (id " << token.id << ")\n";
    return {};
  }
  return NotFound("there is no token named '" + command.name + "' and none with that id");
}

}  // namespace

int RunToken(const TokenCommand& command, const Console& console) {
  Result<Config> config = LoadConfig(command.config, nullptr);
  if (!config.ok()) {
    Fail(console, config.error());
    return kExitUsage;
  }
  auto admin = TokenAdmin::Find(command.server, config->Text("storage.data_dir"));
  if (!admin.ok()) return Fail(console, admin.error());
  Status status = Run(command, **admin, console.out);
  return status.ok() ? kExitSuccess : Fail(console, status.error());
}

}  // namespace arc
