// Random 128-bit identifiers and the process's source of randomness.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "arc/base/result.h"

namespace arc {

// Thread-safe source of random bytes; injected so that tests can seed it.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void Fill(std::span<uint8_t> bytes) = 0;
  uint64_t NextU64();
};

// The kernel's generator. Lives as long as the process.
RandomSource& SystemRandom();

// A repeatable generator for tests (splitmix64). Thread-safe.
class SeededRandom : public RandomSource {
 public:
  explicit SeededRandom(uint64_t seed);
  ~SeededRandom() override;
  void Fill(std::span<uint8_t> bytes) override;

 private:
  struct State;
  State* state_;
};

struct Uuid {
  std::array<uint8_t, 16> bytes{};

  static Uuid Random(RandomSource& random);  // version 4, RFC 9562
  // From the 36-character form; upper or lower case.
  static Result<Uuid> Parse(std::string_view text);
  std::string ToString() const;  // lower case, with dashes
  bool is_nil() const { return bytes == std::array<uint8_t, 16>{}; }
  auto operator<=>(const Uuid&) const = default;
};

}  // namespace arc

template <>
struct std::hash<arc::Uuid> {
  size_t operator()(const arc::Uuid& uuid) const noexcept {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size()});
  }
};
