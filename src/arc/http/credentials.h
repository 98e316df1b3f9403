// Where a request carries its token. Only finding it: checking is auth's.
#pragma once

#include <string>

#include "arc/http/query_string.h"
#include "arc/http/request_head.h"

namespace arc {

// The token of the request, empty when it has none. In this order: `Authorization: Bearer x`, `Authorization: Token x`
// (InfluxDB 2), the password of `Authorization: Basic …` (InfluxDB 1, Telegraf; the user name when there is no
// password), `x-api-key`, and `?p=` (InfluxDB 1).
std::string FindToken(const RequestHead& head, const QueryString& query);

}  // namespace arc
