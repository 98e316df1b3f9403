#include "arc/io/crc32c.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string_view>
#include <vector>

#include "arc/base/uuid.h"

namespace arc {
namespace {

std::vector<uint8_t> Bytes(std::string_view text) { return {text.begin(), text.end()}; }

// RFC 3720 appendix B.4 and the usual check value of the CRC catalogues.
TEST(Crc32c, VectorsOfRfc3720) {
  std::vector<uint8_t> zeros(32, 0x00);
  std::vector<uint8_t> ones(32, 0xFF);
  std::vector<uint8_t> up(32);
  std::iota(up.begin(), up.end(), 0);
  std::vector<uint8_t> down(up.rbegin(), up.rend());
  const std::vector<uint8_t> iscsi_read = {0x01, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                           0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
                                           0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28, 0x00, 0x00, 0x00,
                                           0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
  for (auto crc : {&ExtendCrc32c, &ExtendCrc32cByTable}) {
    EXPECT_EQ(crc(0, zeros), 0x8A9136AAU);
    EXPECT_EQ(crc(0, ones), 0x62A8AB43U);
    EXPECT_EQ(crc(0, up), 0x46DD794EU);
    EXPECT_EQ(crc(0, down), 0x113FDB5CU);
    EXPECT_EQ(crc(0, iscsi_read), 0xD9963A56U);
    EXPECT_EQ(crc(0, Bytes("123456789")), 0xE3069283U);
    EXPECT_EQ(crc(0, {}), 0U);
  }
}

TEST(Crc32c, InstructionAndTableAgreeAtEveryLengthAndSplit) {
  SeededRandom random(7);
  std::vector<uint8_t> bytes(20'000);
  random.Fill(bytes);
  std::span<const uint8_t> all(bytes);
  for (size_t length : {1U, 7U, 8U, 63U, 3071U, 3072U, 3073U, 6144U, 9999U, 20'000U}) {
    const uint32_t whole = ExtendCrc32cByTable(0, all.first(length));
    EXPECT_EQ(ExtendCrc32c(0, all.first(length)), whole) << length;
    for (size_t split : {size_t{0}, size_t{1}, length / 3, length - 1, length}) {
      const uint32_t first = ExtendCrc32c(0, all.first(split));
      EXPECT_EQ(ExtendCrc32c(first, all.subspan(split, length - split)), whole) << length << " at " << split;
    }
  }
}

}  // namespace
}  // namespace arc
