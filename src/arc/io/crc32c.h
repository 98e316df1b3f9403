// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78, initial and final inversion; RFC 3720 appendix B.4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace arc {

// The checksum of what `crc` covers followed by `bytes`; 0 covers nothing. Uses SSE4.2 where the processor has it.
uint32_t ExtendCrc32c(uint32_t crc, std::span<const uint8_t> bytes);

inline uint32_t Crc32c(std::span<const uint8_t> bytes) { return ExtendCrc32c(0, bytes); }

// The same without the instruction, for other processors.
uint32_t ExtendCrc32cByTable(uint32_t crc, std::span<const uint8_t> bytes);

}  // namespace arc
