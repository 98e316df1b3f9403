#include "arc/http/iceberg_rest_errors.h"

#include <string>

#include "arc/engine/engine.h"
#include "arc/http/json_text.h"

namespace arc {
namespace {

struct Shape {
  int status;
  std::string_view type;  // the name of Java's exception, which clients go by
};

Shape ShapeOf(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kInvalidArgument: return {400, "BadRequestException"};
    case ErrorKind::kUnauthenticated: return {401, "NotAuthorizedException"};
    case ErrorKind::kPermissionDenied: return {403, "ForbiddenException"};
    case ErrorKind::kNotFound:
      if (error.message.starts_with(kNoNamespace)) return {404, "NoSuchNamespaceException"};
      if (error.message.starts_with(kNoTable)) return {404, "NoSuchTableException"};
      return {404, "NotFoundException"};
    case ErrorKind::kUnsupported: return {406, "UnsupportedOperationException"};
    case ErrorKind::kAlreadyExists: return {409, "AlreadyExistsException"};
    case ErrorKind::kConflict:
      if (error.message.ends_with(kNotEmpty)) return {409, "NamespaceNotEmptyException"};
      return {409, "CommitFailedException"};
    case ErrorKind::kUnknownOutcome: return {500, "CommitStateUnknownException"};
    case ErrorKind::kOverloaded:
    case ErrorKind::kUnavailable:
    case ErrorKind::kDiskFull: return {503, "ServiceUnavailableException"};
    default: return {StatusOf(error.kind), "InternalServerException"};
  }
}

}  // namespace

bool IsIcebergPath(std::string_view path) { return path.starts_with("/iceberg/"); }

Response IcebergErrorResponse(const Error& error, int status) {
  Shape shape = ShapeOf(error);
  if (status != 0) shape.status = status;
  JsonText json;
  json.BeginObject().Key("error").BeginObject();
  json.Field("message", error.message).Field("type", shape.type).Field("code", shape.status);
  json.EndObject().EndObject();
  Response response = Response::Json(json.Take(), shape.status);
  if (shape.status == 503) response.With("Retry-After", "1");
  if (shape.status == 401) response.With("WWW-Authenticate", "Bearer realm=\"arc\"");
  return response;
}

}  // namespace arc
