#include "arc/server/server_access.h"

#include <cstdlib>

#include "arc/base/clock.h"
#include "arc/base/uuid.h"
#include "arc/engine/data_folder.h"

namespace arc {

namespace {

constexpr char kAddressFile[] = "/server.url";
constexpr char kTokenFile[] = "/auth.db";
constexpr int64_t kLocalTokenMicros = 15LL * 60 * 1'000'000;
constexpr int64_t kLocalWriteMicros = 24 * 3600LL * 1'000'000;  // a large file takes its time
constexpr std::string_view kLocalTokenName = "arc command line ";

std::string Variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? std::string() : std::string(text);
}

std::string HostOf(std::string_view url) {
  size_t scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find('/'));
  if (url.starts_with('[')) return std::string(url.substr(1, url.find(']') - 1));
  return std::string(url.substr(0, url.find(':')));
}

// Tokens of command lines that were killed before they could revoke them.
void RemoveLeftOver(TokenStore& store, int64_t now_micros) {
  auto tokens = store.List();
  if (!tokens.ok()) return;
  for (const TokenInfo& token : *tokens) {
    bool expired = token.expires_at_micros.has_value() && *token.expires_at_micros <= now_micros;
    if (expired && token.name.starts_with(kLocalTokenName)) (void)store.Revoke(token.id);
  }
}

}  // namespace

Status WriteServerAddress(LocalDisk& disk, const std::string& data_folder, const std::string& url) {
  const std::string line = url + "\n";
  return DurablePut(disk, data_folder + kAddressFile,
                    std::span(reinterpret_cast<const uint8_t*>(line.data()), line.size()));
}

void RemoveServerAddress(LocalDisk& disk, const std::string& data_folder) {
  // A stale address is only tried in vain.
  (void)disk.Remove(data_folder + kAddressFile);
}

std::optional<std::string> ReadServerAddress(LocalDisk& disk, const std::string& data_folder) {
  auto text = ReadWholeFile(disk, data_folder + kAddressFile);
  if (!text.ok()) return std::nullopt;
  return text->substr(0, text->find('\n'));
}

std::string LocalUrl(const std::string& host, uint16_t port) {
  std::string shown = host;
  if (host.empty() || host == "0.0.0.0" || host == "::") shown = "localhost";
  if (shown.find(':') != std::string::npos) shown = "[" + shown + "]";
  return "http://" + shown + ":" + std::to_string(port);
}

bool IsLoopback(const std::string& url) {
  std::string host = HostOf(url);
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Result<std::unique_ptr<DiskLock>> LockDataFolder(LocalDisk& disk, const std::string& data_folder) {
  return disk.Lock(data_folder + kDataFolderLock);
}

Result<std::unique_ptr<LocalToken>> LocalToken::Make(const std::string& data_folder, LocalRight right, Clock& clock,
                                                     RandomSource& random) {
  const std::string path = data_folder + kTokenFile;
  ARC_ASSIGN_OR_RETURN(bool there, SystemDisk().Exists(path));
  if (!there) return NotFound("there is no " + path);
  ARC_ASSIGN_OR_RETURN(std::unique_ptr<TokenStore> store, TokenStore::Open(path, clock, random));
  const int64_t now = clock.WallMicros();
  RemoveLeftOver(*store, now);
  NewToken token;
  token.name = std::string(kLocalTokenName) + Uuid::Random(random).ToString();
  token.description = "made by the command line for one run";
  token.read = right != LocalRight::kWrite;
  token.write = right == LocalRight::kWrite;
  token.admin = right == LocalRight::kAdmin;
  token.expires_at_micros = now + (token.write ? kLocalWriteMicros : kLocalTokenMicros);
  ARC_ASSIGN_OR_RETURN(std::string secret, store->Create(token));
  return std::unique_ptr<LocalToken>(new LocalToken(std::move(store), token.name, std::move(secret)));
}

LocalToken::~LocalToken() {
  auto tokens = store_->List();
  if (!tokens.ok()) return;  // it expires by itself
  for (const TokenInfo& token : *tokens) {
    if (token.name == name_) (void)store_->Revoke(token.id);
  }
}

ServerAccess FindServer(const ServerArguments& arguments, const std::string& data_folder, LocalRight right) {
  ServerAccess access;
  access.url = arguments.url.empty() ? Variable("ARC_URL") : arguments.url;
  const std::optional<std::string> here = ReadServerAddress(SystemDisk(), data_folder);
  if (access.url.empty()) access.url = here.value_or("http://localhost:8000");
  if (access.url.find("://") == std::string::npos) access.url = "http://" + access.url;
  access.token = arguments.token.empty() ? Variable("ARC_TOKEN") : arguments.token;
  // A token of this folder is worth nothing elsewhere, and is not shown to other machines.
  if (!access.token.empty() || (access.url != here && !IsLoopback(access.url))) return access;
  auto local = LocalToken::Make(data_folder, right, SystemClock(), SystemRandom());
  if (local.ok()) {
    access.local = std::move(*local);
    access.token = access.local->secret();
  }
  return access;
}

}  // namespace arc
