// Where a text of records may be cut, for those who send a file in pieces.
#pragma once

#include <cstddef>

namespace arc {

struct RecordCut {
  size_t bytes = 0;    // of whole records, with their line ends; 0 when not even the first is whole
  size_t records = 0;  // how many; blank lines and comments count for nothing
};

}  // namespace arc
