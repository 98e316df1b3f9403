#include "arc/iceberg/schema_json.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "arc/iceberg/request_json.h"

namespace arc {
namespace {

constexpr int32_t kMostFieldId = 1 << 30;  // beyond it "the next one" could overflow

// Types that came with format version 3; those with parameters by their start.
constexpr std::array<std::string_view, 6> kVersion3Types = {"variant",        "unknown",  "timestamp_ns",
                                                            "timestamptz_ns", "geometry", "geography"};

class SchemaChecker {
 public:
  explicit SchemaChecker(int32_t format_version) : format_version_(format_version) {}

  Status CheckStruct(const Json& type, const std::string& path) {
    RequestFields fields(type, path.empty() ? "the schema" : "struct " + path);
    ARC_ASSIGN_OR_RETURN(const Json* items, fields.Array("fields"));
    std::set<std::string> names;
    for (const auto& item : *items) {
      RequestFields field(item, "a field of " + (path.empty() ? std::string("the schema") : path));
      ARC_ASSIGN_OR_RETURN(const std::string name, field.Text("name"));
      if (!names.insert(name).second) return InvalidArgument("two fields are called " + path + name);
      ARC_ASSIGN_OR_RETURN(const int32_t id, field.Int32("id"));
      ARC_RETURN_IF_ERROR(field.OptionalBool("required"));
      const std::string full = path + name;
      ARC_RETURN_IF_ERROR(Add(id, full));
      if (format_version_ < 3 && field.Find("initial-default") != nullptr) {
        return InvalidArgument("Invalid schema for v" + std::to_string(format_version_) + ": the initial default of " +
                               full + " is not supported until v3");
      }
      ARC_RETURN_IF_ERROR(CheckType(field.Find("type"), full));
    }
    return {};
  }

  SchemaFields Take() { return std::move(found_); }

 private:
  Status Add(int32_t id, const std::string& name) {
    if (id < 0 || id >= kMostFieldId) return InvalidArgument("field " + name + " has an id out of range");
    if (!found_.names.emplace(id, name).second) {
      return InvalidArgument("fields " + found_.names[id] + " and " + name + " have the same id");
    }
    found_.last_id = std::max(found_.last_id, id);
    return {};
  }

  Status CheckType(const Json* type, const std::string& path) {
    if (type != nullptr && type->is_string()) return CheckPrimitive(type->get_ref<const std::string&>(), path);
    if (type == nullptr || !type->is_object()) return InvalidArgument("field " + path + " has no type");
    RequestFields fields(*type, "the type of " + path);
    ARC_ASSIGN_OR_RETURN(const std::string kind, fields.Text("type"));
    if (kind == "struct") return CheckStruct(*type, path + ".");
    if (kind == "list") return CheckInner(fields, "element-id", "element", path);
    if (kind == "map") {
      ARC_RETURN_IF_ERROR(CheckInner(fields, "key-id", "key", path));
      return CheckInner(fields, "value-id", "value", path);
    }
    return InvalidArgument("field " + path + " is of the unknown type " + kind);
  }

  Status CheckInner(const RequestFields& fields, const char* id_name, const char* type_name, const std::string& path) {
    ARC_ASSIGN_OR_RETURN(const int32_t id, fields.Int32(id_name));
    const std::string full = path + "." + type_name;
    ARC_RETURN_IF_ERROR(Add(id, full));
    return CheckType(fields.Find(type_name), full);
  }

  Status CheckPrimitive(const std::string& type, const std::string& path) const {
    const auto newer = [&](std::string_view name) { return type == name || type.starts_with(std::string(name) + "("); };
    if (format_version_ < 3 && std::any_of(kVersion3Types.begin(), kVersion3Types.end(), newer)) {
      return InvalidArgument("Invalid schema for v" + std::to_string(format_version_) + ": Invalid type for " + path +
                             ": " + type + " is not supported until v3");
    }
    return {};
  }

  const int32_t format_version_;
  SchemaFields found_;
};

class Renumbering {
 public:
  explicit Renumbering(std::map<int32_t, int32_t>* ids) : ids_(*ids) {}

  void Struct(Json* type) {
    for (auto& field : (*type)["fields"]) Give(&field["id"]);
    for (auto& field : (*type)["fields"]) Type(&field["type"]);
  }

 private:
  void Give(Json* id) {
    ids_[id->get<int32_t>()] = ++last_;
    *id = last_;
  }

  void Type(Json* type) {
    if (!type->is_object()) return;
    const std::string kind = (*type)["type"];
    if (kind == "struct") return Struct(type);
    if (kind == "list") {
      Give(&(*type)["element-id"]);
      return Type(&(*type)["element"]);
    }
    Give(&(*type)["key-id"]);
    Give(&(*type)["value-id"]);
    Type(&(*type)["key"]);
    Type(&(*type)["value"]);
  }

  std::map<int32_t, int32_t>& ids_;
  int32_t last_ = 0;
};

std::set<int64_t> IdentifierIds(const Json& schema) {
  std::set<int64_t> ids;
  const auto found = schema.find("identifier-field-ids");
  if (found == schema.end() || !found->is_array()) return ids;
  for (const auto& id : *found) {
    if (id.is_number_integer()) ids.insert(id.get<int64_t>());
  }
  return ids;
}

// The column ids a partition or sort field refers to.
Result<std::vector<int32_t>> SourcesOf(const Json& item, const RequestFields& field) {
  std::vector<int32_t> sources;
  if (field.Find("source-ids") == nullptr) {
    ARC_ASSIGN_OR_RETURN(const int32_t source, field.Int32("source-id"));
    sources.push_back(source);
    return sources;
  }
  for (const auto& id : item["source-ids"]) {
    if (!id.is_number_integer()) return InvalidArgument("source-ids holds something that is no integer");
    sources.push_back(id.get<int32_t>());
  }
  return sources;
}

Status CheckSources(const Json& item, const RequestFields& field, const SchemaFields& schema, const char* what) {
  ARC_ASSIGN_OR_RETURN(const auto sources, SourcesOf(item, field));
  for (const int32_t source : sources) {
    if (!schema.names.contains(source)) {
      return InvalidArgument("Cannot find source column of " + std::string(what) + ": field id " +
                             std::to_string(source));
    }
  }
  return {};
}

bool SameMembers(const Json& a, const Json& b, std::initializer_list<const char*> names) {
  const auto member = [](const Json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() ? Json() : *found;
  };
  return std::all_of(names.begin(), names.end(), [&](const char* name) { return member(a, name) == member(b, name); });
}

bool SameFields(const Json& a, const Json& b, std::initializer_list<const char*> names) {
  const Json& left = a["fields"];
  const Json& right = b["fields"];
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(),
                    [&](const Json& x, const Json& y) { return SameMembers(x, y, names); });
}

}  // namespace

Result<SchemaFields> CheckSchema(const Json& schema, int32_t format_version) {
  SchemaChecker checker(format_version);
  ARC_RETURN_IF_ERROR(checker.CheckStruct(schema, ""));
  SchemaFields fields = checker.Take();
  for (const int64_t id : IdentifierIds(schema)) {
    if (id < 0 || id > fields.last_id || !fields.names.contains(static_cast<int32_t>(id))) {
      return InvalidArgument("Cannot add identifier field " + std::to_string(id) + ": it is not in the schema");
    }
  }
  return fields;
}

Json WithFreshIds(const Json& schema, std::map<int32_t, int32_t>* ids) {
  Json fresh = schema;
  Renumbering(ids).Struct(&fresh);
  if (const auto identifiers = IdentifierIds(schema); !identifiers.empty()) {
    Json renumbered = Json::array();
    for (const int64_t id : identifiers) renumbered.push_back(ids->at(static_cast<int32_t>(id)));
    fresh["identifier-field-ids"] = std::move(renumbered);
  }
  return fresh;
}

bool SameSchema(const Json& a, const Json& b) {
  return a["fields"] == b["fields"] && IdentifierIds(a) == IdentifierIds(b);
}

Status CheckSpec(const Json& spec, const SchemaFields& schema) {
  RequestFields fields(spec, "the partition spec");
  ARC_ASSIGN_OR_RETURN(const Json* items, fields.Array("fields"));
  std::set<std::string> names;
  for (const auto& item : *items) {
    RequestFields field(item, "a partition field");
    ARC_ASSIGN_OR_RETURN(const std::string name, field.Text("name"));
    ARC_ASSIGN_OR_RETURN(const std::string transform, field.Text("transform"));
    if (!names.insert(name).second) return InvalidArgument("two partition fields are called " + name);
    ARC_ASSIGN_OR_RETURN(const auto id, field.OptionalInt64("field-id"));
    if (id && (*id < 0 || *id >= kMostFieldId)) return InvalidArgument("partition field " + name + " has a bad id");
    if (transform == "void") continue;  // what it partitioned by may be gone
    ARC_RETURN_IF_ERROR(CheckSources(item, field, schema, "a partition field"));
    ARC_ASSIGN_OR_RETURN(const auto sources, SourcesOf(item, field));
    for (const auto& [column_id, column] : schema.names) {
      const bool itself = transform == "identity" && sources.size() == 1 && sources[0] == column_id;
      if (column == name && !itself) {
        return InvalidArgument("Cannot create partition from name that exists in schema: " + name);
      }
    }
  }
  return {};
}

Status CheckSortOrder(const Json& order, const SchemaFields& schema) {
  RequestFields fields(order, "the sort order");
  ARC_ASSIGN_OR_RETURN(const Json* items, fields.Array("fields"));
  for (const auto& item : *items) {
    RequestFields field(item, "a sort field");
    ARC_RETURN_IF_ERROR(field.Text("transform"));
    ARC_RETURN_IF_ERROR(field.Text("direction"));
    ARC_RETURN_IF_ERROR(field.Text("null-order"));
    ARC_RETURN_IF_ERROR(CheckSources(item, field, schema, "a sort field"));
  }
  return {};
}

bool SameSpec(const Json& a, const Json& b) {
  return SameFields(a, b, {"source-id", "source-ids", "name", "transform"});
}

bool SameSortOrder(const Json& a, const Json& b) {
  return SameFields(a, b, {"source-id", "source-ids", "transform", "direction", "null-order"});
}

void RenumberSources(const std::map<int32_t, int32_t>& ids, Json* fields) {
  const auto renumber = [&](Json* source) {
    if (const auto found = ids.find(source->get<int32_t>()); found != ids.end()) *source = found->second;
  };
  for (auto& field : *fields) {
    if (const auto source = field.find("source-id"); source != field.end()) renumber(&*source);
    if (const auto sources = field.find("source-ids"); sources != field.end()) {
      for (auto& source : *sources) renumber(&source);
    }
  }
}

}  // namespace arc
