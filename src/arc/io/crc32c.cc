#include "arc/io/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace arc {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;

using Tables = std::array<std::array<uint32_t, 256>, 8>;

// tables[k][b]: what byte b does to the register when k more zero bytes follow it (slicing by 8).
constexpr Tables MakeTables() {
  Tables tables{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][b] = crc;
  }
  for (uint32_t b = 0; b < 256; ++b) {
    for (size_t k = 1; k < 8; ++k) tables[k][b] = (tables[k - 1][b] >> 8) ^ tables[0][tables[k - 1][b] & 0xFF];
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

// The register moves without inversion here; the public functions invert at both ends.
uint32_t TableRegister(uint32_t crc, const uint8_t* data, size_t size) {
  for (; size >= 8; size -= 8, data += 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    word ^= crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) crc ^= kTables[7 - k][(word >> (8 * k)) & 0xFF];
  }
  for (; size > 0; --size, ++data) crc = (crc >> 8) ^ kTables[0][(crc ^ *data) & 0xFF];
  return crc;
}

#if defined(__x86_64__)

// The instruction has a latency of three cycles and a throughput of one, so three lanes run side by side.
constexpr size_t kLane = 1024;

// Moves a register over a fixed number of zero bytes: the map is linear, so four look-ups by byte do it.
class ZeroShift {
 public:
  explicit ZeroShift(size_t zeros) {
    std::array<uint32_t, 32> basis{};
    for (uint32_t bit = 0; bit < 32; ++bit) {
      uint32_t crc = 1U << bit;
      for (size_t i = 0; i < zeros; ++i) crc = (crc >> 8) ^ kTables[0][crc & 0xFF];
      basis[bit] = crc;
    }
    for (uint32_t byte = 0; byte < 4; ++byte) {
      for (uint32_t value = 0; value < 256; ++value) {
        for (uint32_t bit = 0; bit < 8; ++bit) {
          if ((value >> bit & 1) != 0) table_[byte][value] ^= basis[byte * 8 + bit];
        }
      }
    }
  }
  uint32_t operator()(uint32_t crc) const {
    return table_[0][crc & 0xFF] ^ table_[1][crc >> 8 & 0xFF] ^ table_[2][crc >> 16 & 0xFF] ^ table_[3][crc >> 24];
  }

 private:
  std::array<std::array<uint32_t, 256>, 4> table_{};
};

uint64_t LoadWord(const uint8_t* data) {
  uint64_t word;
  std::memcpy(&word, data, 8);
  return word;
}

__attribute__((target("sse4.2"))) uint32_t HardwareRegister(uint32_t crc, const uint8_t* data, size_t size) {
  static const ZeroShift kShiftOne(kLane);
  static const ZeroShift kShiftTwo(2 * kLane);
  for (; size >= 3 * kLane; size -= 3 * kLane, data += 3 * kLane) {
    uint64_t a = crc;
    uint64_t b = 0;
    uint64_t c = 0;
    for (size_t i = 0; i < kLane; i += 8) {
      a = _mm_crc32_u64(a, LoadWord(data + i));
      b = _mm_crc32_u64(b, LoadWord(data + kLane + i));
      c = _mm_crc32_u64(c, LoadWord(data + 2 * kLane + i));
    }
    crc = kShiftTwo(static_cast<uint32_t>(a)) ^ kShiftOne(static_cast<uint32_t>(b)) ^ static_cast<uint32_t>(c);
  }
  uint64_t wide = crc;
  for (; size >= 8; size -= 8, data += 8) wide = _mm_crc32_u64(wide, LoadWord(data));
  crc = static_cast<uint32_t>(wide);
  for (; size > 0; --size, ++data) crc = _mm_crc32_u8(crc, *data);
  return crc;
}

bool HasInstruction() {
  static const bool kHas = __builtin_cpu_supports("sse4.2") != 0;
  return kHas;
}

#endif

}  // namespace

uint32_t ExtendCrc32c(uint32_t crc, std::span<const uint8_t> bytes) {
#if defined(__x86_64__)
  if (HasInstruction()) return ~HardwareRegister(~crc, bytes.data(), bytes.size());
#endif
  return ExtendCrc32cByTable(crc, bytes);
}

uint32_t ExtendCrc32cByTable(uint32_t crc, std::span<const uint8_t> bytes) {
  return ~TableRegister(~crc, bytes.data(), bytes.size());
}

}  // namespace arc
