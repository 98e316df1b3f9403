// Requests for SQL as clients send them.
#pragma once

#include <string>
#include <string_view>

#include "arc/http/query_run.h"

namespace arc {

// {"sql":…,"limit"?,"format"?:"json"|"csv"|"arrow","database"?,"timeout_ms"?,"priority"?:"critical"|"high"|"normal"|
// "low","confirm"?} with "query" for "sql" and "db" for "database" as other spellings; other keys are ignored. The
// database may also come as DatabaseOf says. kInvalidArgument names the key that is wrong. `body` has kBodyPadding
// bytes behind it.
Result<QuerySpec> ParseQueryBody(const Exchange& exchange);

// A name as SQL takes it whatever it holds.
std::string QuotedName(const std::string& name);
// `TIMESTAMP '…'` of the time that the client gives as `name`, so that nothing of it but a parsed number reaches the
// SQL. kInvalidArgument.
Result<std::string> TimeLiteral(std::string_view name, std::string_view text);

// SELECT over one measurement for ?from=, ?to= (times as ParseTime), ?limit= (default 1,000), newest first.
Result<QuerySpec> MeasurementQuery(const Exchange& exchange, const std::string& database,
                                   const std::string& measurement);

}  // namespace arc
