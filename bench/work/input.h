// The rows that every piece of work takes: those of arc-bench ingest.
#pragma once

#include <string>
#include <vector>

#include "arc/model/batch.h"
#include "arc/model/schema.h"
#include "ingest/payload.h"

namespace arc::bench {

inline constexpr int kBatchRows = 1000;

// Body number `index`, with its timestamps.
std::string BodyOf(Format format, Shape shape, int index);
// Body number `index`, decoded.
Batch BatchOf(Shape shape, int index);
// Bodies 0 to `count`, decoded.
std::vector<Batch> BatchesOf(Shape shape, int count);
// The table that such a batch makes.
Schema SchemaOf(const Batch& batch);

}  // namespace arc::bench
