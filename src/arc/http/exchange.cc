#include "arc/http/exchange.h"

#include "arc/http/iceberg_rest_errors.h"

namespace arc {

Response Exchange::Fail(const Error& error, int status) const {
  if (IsIcebergPath(head.path())) return IcebergErrorResponse(error, status);
  return ErrorResponse(error, status == 0 ? StatusOf(error.kind) : status, request_id);
}

std::string_view Exchange::content_type() const {
  std::string_view type = head.Find("content-type");
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  return type;
}

std::string DatabaseOf(const Exchange& exchange) {
  if (auto header = exchange.head.Find("x-arc-database"); !header.empty()) return std::string(header);
  if (auto db = exchange.query.Get("db"); !db.empty()) return std::string(db);
  std::string_view bucket = exchange.query.Get("bucket");
  bucket = bucket.substr(0, bucket.find('/'));
  return bucket.empty() ? "default" : std::string(bucket);
}

}  // namespace arc
