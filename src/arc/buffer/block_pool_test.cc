#include "arc/buffer/block_pool.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace arc {
namespace {

constexpr int64_t kKib = 1024;

TEST(BlockPool, HandsOutTheSameMemoryAgain) {
  BlockPool pool(1024 * kKib);
  const auto first = pool.Take(128 * kKib);
  EXPECT_GE(first.bytes, 128 * kKib);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first.data) % 64, 0u);
  pool.Give(first);
  EXPECT_EQ(pool.held_bytes(), first.bytes);
  const auto again = pool.Take(120 * kKib);
  EXPECT_EQ(again.data, first.data);
  EXPECT_EQ(pool.held_bytes(), 0);
  pool.Give(again);
}

TEST(BlockPool, ABlockMuchTooLargeIsNotUsed) {
  BlockPool pool(1024 * kKib);
  const auto large = pool.Take(512 * kKib);
  pool.Give(large);
  const auto small = pool.Take(128 * kKib);
  EXPECT_NE(small.data, large.data);
  EXPECT_EQ(pool.held_bytes(), large.bytes);
  pool.Give(small);
}

TEST(BlockPool, HoldsNoMoreThanItsBound) {
  BlockPool pool(300 * kKib);
  const auto a = pool.Take(128 * kKib);
  const auto b = pool.Take(128 * kKib);
  const auto c = pool.Take(128 * kKib);
  const auto whole = pool.Take(512 * kKib);
  for (const auto& block : {a, b, c, whole}) {
    pool.Give(block);
    EXPECT_LE(pool.held_bytes(), 300 * kKib);
  }
  EXPECT_EQ(pool.held_bytes(), b.bytes + c.bytes);
}

TEST(BlockPool, FreesWhatNobodyHasNeeded) {
  BlockPool pool(1024 * kKib);
  const auto busy = pool.Take(128 * kKib);
  const auto idle = pool.Take(200 * kKib);
  pool.Give(idle);
  pool.Give(busy);
  pool.FreeIdle();
  EXPECT_EQ(pool.held_bytes(), idle.bytes + busy.bytes) << "both were in use since the last look";
  const auto once_more = pool.Take(128 * kKib);
  pool.Give(once_more);
  pool.FreeIdle();
  EXPECT_EQ(pool.held_bytes(), busy.bytes);
  pool.FreeIdle();
  EXPECT_EQ(pool.held_bytes(), 0);
}

}  // namespace
}  // namespace arc
