#include "arc/auth/secret.h"

#include <openssl/evp.h>

namespace arc {

namespace {

constexpr std::string_view kPrefix = "arc_";
constexpr size_t kRandomBytes = 32;
constexpr size_t kShortestChosen = 8;
constexpr size_t kLongestChosen = 512;

std::string Base64Url(std::span<const uint8_t> bytes) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    count += 8;
    while (count >= 6) {
      count -= 6;
      text.push_back(kAlphabet[bits >> count & 63]);
    }
  }
  if (count > 0) text.push_back(kAlphabet[bits << (6 - count) & 63]);
  return text;
}

}  // namespace

std::string NewSecret(RandomSource& random) {
  std::array<uint8_t, kRandomBytes> bytes;
  random.Fill(bytes);
  return std::string(kPrefix) + Base64Url(bytes);
}

SecretHash HashSecret(std::string_view secret) {
  // Fetched once: looking the algorithm up costs more than hashing a token.
  static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  ARC_CHECK(sha256 != nullptr);
  SecretHash hash;
  unsigned int length = 0;
  ARC_CHECK(EVP_Digest(secret.data(), secret.size(), hash.data(), &length, sha256, nullptr) == 1);
  ARC_CHECK(length == hash.size());
  return hash;
}

Status CheckChosenSecret(std::string_view secret) {
  if (secret.size() < kShortestChosen || secret.size() > kLongestChosen) {
    return InvalidArgument("a token must have 8 to 512 characters");
  }
  for (char c : secret) {
    if (c <= ' ' || c > '~') return InvalidArgument("a token may hold printable ASCII characters only, no spaces");
  }
  return {};
}

}  // namespace arc
