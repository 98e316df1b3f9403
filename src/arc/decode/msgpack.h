// Arc's MessagePack payloads -> WriteRequest. Byte format: https://github.com/msgpack/msgpack/blob/master/spec.md
#pragma once

#include <cstdint>
#include <string_view>

#include "arc/base/result.h"
#include "arc/decode/timestamp.h"
#include "arc/model/batch.h"

namespace arc {

struct MsgpackOptions {
  int64_t server_time_micros = 0;                    // for rows without a time
  TimePrecision precision = TimePrecision::kMillis;  // of numbers in `t` and in the `time` column
};

// Pure; any thread. The body is one item, an array of items or {"batch": [items]}; an item is a row or a block of
// columns:
//   {"m": measurement, "t": time, "h": host, "tags": {name: value}, "fields": {name: value}}
//   {"m": measurement, "columns": {"time": [...], name: [...], ...}, "tag_keys": [names]}
// Row: `h` becomes the tag `host` (a `host` in `tags` beside it becomes `host_1`); tags that are no strings are written
// as text; a nil is absent; `t` is a number, RFC 3339 text or a timestamp extension, and absent means server time.
// Columns: equal lengths; nil is NULL, except in `time`. A column of strings is a tag; where `tag_keys` (or `tags`, as
// a list) is given, exactly the columns listed are tags. Clients of this form (Telegraf's `outputs.arc`) send tags as
// string columns among the others and say nothing more, so a string is taken for a tag unless the list says otherwise.
// Unknown keys are ignored; `measurement`, `time` and `timestamp` are taken for `m` and `t`.
// Positions count rows from 0 over the whole body. kInvalidArgument names the byte offset where the body is no
// MessagePack; kTooLarge as for line protocol.
Result<WriteRequest> DecodeMsgpack(std::string_view body, const MsgpackOptions& options);

}  // namespace arc
