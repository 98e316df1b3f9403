// A radix sort of 64-bit numbers.
#pragma once

#include <cstdint>
#include <vector>

namespace arc {

// Ascending; the numbers are equal in no two places. Only bits from `low_bit` on need to be looked at when the numbers
// ascend already among those that agree in them. `scratch` is resized as needed.
void SortNumbers(int low_bit, std::vector<uint64_t>* numbers, std::vector<uint64_t>* scratch);

}  // namespace arc
