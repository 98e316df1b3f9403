// Names in a log folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "arc/model/lsn.h"

namespace arc {

inline constexpr char kCheckpointName[] = "checkpoint.json";

// "segment_00000000000000000042.arrow": the first LSN that may stand in it, so that names sort in LSN order.
std::string SegmentName(Lsn base);
std::optional<Lsn> ParseSegmentName(std::string_view name);

// "spare_7.arrow": a preallocated file without meaning, new or once a segment.
std::string SpareName(uint64_t number);
std::optional<uint64_t> ParseSpareName(std::string_view name);

// "segment_<base>_<last LSN>_<milliseconds since 1970>.arrow.archived" (or .recovered): no longer part of the log.
struct RetiredName {
  Lsn base;
  Lsn last;
  int64_t retired_ms = 0;
  bool recovered = false;  // it had been replayed at a start
  std::string ToString() const;
};
std::optional<RetiredName> ParseRetiredName(std::string_view name);

}  // namespace arc
