#include "arc/base/uuid.h"

#include <sys/random.h>

#include <cstring>
#include <mutex>

namespace arc {
namespace {

class KernelRandom : public RandomSource {
 public:
  void Fill(std::span<uint8_t> bytes) override {
    size_t done = 0;
    while (done < bytes.size()) {
      ssize_t got = getrandom(bytes.data() + done, bytes.size() - done, 0);
      if (got > 0) done += static_cast<size_t>(got);
    }
  }
};

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

uint64_t RandomSource::NextU64() {
  uint64_t value = 0;
  uint8_t bytes[sizeof value];
  Fill(bytes);
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

RandomSource& SystemRandom() {
  static KernelRandom random;
  return random;
}

struct SeededRandom::State {
  std::mutex mutex;
  uint64_t counter;
};

SeededRandom::SeededRandom(uint64_t seed) : state_(new State{{}, seed}) {}
SeededRandom::~SeededRandom() { delete state_; }

void SeededRandom::Fill(std::span<uint8_t> bytes) {
  std::lock_guard lock(state_->mutex);
  for (size_t i = 0; i < bytes.size(); i += 8) {
    uint64_t z = (state_->counter += 0x9e3779b97f4a7c15ULL);  // splitmix64, Steele et al. 2014
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
    std::memcpy(bytes.data() + i, &z, std::min<size_t>(8, bytes.size() - i));
  }
}

Uuid Uuid::Random(RandomSource& random) {
  Uuid uuid;
  random.Fill(uuid.bytes);
  uuid.bytes[6] = static_cast<uint8_t>((uuid.bytes[6] & 0x0f) | 0x40);
  uuid.bytes[8] = static_cast<uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid;
}

Result<Uuid> Uuid::Parse(std::string_view text) {
  Uuid uuid;
  size_t at = 0;
  if (text.size() != 36) return InvalidArgument("a UUID has 36 characters");
  for (size_t i = 0; i < text.size();) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i++] != '-') return InvalidArgument("a UUID has dashes after 8, 12, 16 and 20 digits");
      continue;
    }
    int high = HexDigit(text[i]);
    int low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return InvalidArgument("a UUID has hexadecimal digits only");
    uuid.bytes[at++] = static_cast<uint8_t>(high * 16 + low);
    i += 2;
  }
  return uuid;
}

std::string Uuid::ToString() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

}  // namespace arc
