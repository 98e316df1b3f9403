#include "arc/iceberg/avro_schema.h"

#include <algorithm>
#include <array>
#include <map>

#include "arc/iceberg/json_value.h"

namespace arc {
namespace {

constexpr int kMaxDepth = 32;

struct Primitive {
  std::string_view name;
  AvroKind kind;
};

constexpr Primitive kPrimitives[] = {
    {"null", AvroKind::kNull},   {"boolean", AvroKind::kBoolean}, {"int", AvroKind::kInt},
    {"long", AvroKind::kLong},   {"float", AvroKind::kFloat},     {"double", AvroKind::kDouble},
    {"bytes", AvroKind::kBytes}, {"string", AvroKind::kString},
};

Error Bad(const std::string& problem) { return Corruption("Avro schema: " + problem); }

}  // namespace

class AvroSchemaParser {
 public:
  explicit AvroSchemaParser(AvroSchema* schema) : schema_(schema) {}

  Result<const AvroType*> Parse(const Json& json) {
    if (json.is_string()) return ByName(json.get_ref<const std::string&>());
    if (json.is_array()) return Union(json);
    if (!json.is_object()) return Bad("a type is a string, an array or an object");
    const auto type = json.find("type");
    if (type == json.end()) return Bad("an object without a type");
    if (!type->is_string()) return Parse(*type);
    const auto& name = type->get_ref<const std::string&>();
    if (name == "record") return Record(json);
    if (name == "array") return Items(json, "items", AvroKind::kArray);
    if (name == "map") return Items(json, "values", AvroKind::kMap);
    if (name == "fixed") return Fixed(json);
    if (name == "enum") return Enum(json);
    return ByName(name);
  }

 private:
  AvroType* Make(AvroKind kind) {
    schema_->types_.push_back(std::make_unique<AvroType>());
    schema_->types_.back()->kind = kind;
    return schema_->types_.back().get();
  }

  // References are looked up by the last part of the name: namespaces do not matter among one file's few types.
  static std::string_view ShortName(std::string_view name) {
    const size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? name : name.substr(dot + 1);
  }

  Result<const AvroType*> ByName(std::string_view name) {
    for (const auto& primitive : kPrimitives) {
      if (primitive.name != name) continue;
      const AvroType*& made = primitives_[static_cast<size_t>(primitive.kind)];
      if (made == nullptr) {
        AvroType* type = Make(primitive.kind);
        type->zero_size = primitive.kind == AvroKind::kNull;
        made = type;
      }
      return made;
    }
    const auto found = named_.find(ShortName(name));
    if (found == named_.end()) return Bad("unknown type '" + std::string(name) + "'");
    if (found->second == nullptr) return MakeError(ErrorKind::kUnsupported, "Avro schema: recursive type");
    return found->second;
  }

  Result<const AvroType*> Finish(AvroType* type, const Json& json) {
    if (type->depth > kMaxDepth) return Bad("nested too deeply");
    if (json.is_object()) {
      const auto name = json.find("name");
      if (name != json.end() && name->is_string()) {
        named_[std::string(ShortName(name->get_ref<const std::string&>()))] = type;
      }
    }
    return type;
  }

  Result<const AvroType*> Record(const Json& json) {
    const auto name = json.find("name");
    if (name == json.end() || !name->is_string()) return Bad("a record without a name");
    named_[std::string(ShortName(name->get_ref<const std::string&>()))] = nullptr;  // known, not complete yet
    const auto fields = json.find("fields");
    if (fields == json.end() || !fields->is_array()) return Bad("a record without fields");
    AvroType* type = Make(AvroKind::kRecord);
    for (const auto& field : *fields) {
      if (!field.is_object()) return Bad("a field is an object");
      const auto field_name = field.find("name");
      const auto field_type = field.find("type");
      if (field_name == field.end() || !field_name->is_string() || field_type == field.end()) {
        return Bad("a field has a name and a type");
      }
      AvroField made;
      made.name = field_name->get_ref<const std::string&>();
      const auto id = field.find("field-id");
      if (id != field.end() && id->is_number_integer()) {
        const auto number = id->get<int64_t>();
        if (number >= 0 && number <= INT32_MAX) made.field_id = static_cast<int32_t>(number);
      }
      ARC_ASSIGN_OR_RETURN(made.type, Parse(*field_type));
      type->depth = std::max(type->depth, made.type->depth + 1);
      type->zero_size = type->zero_size && made.type->zero_size;
      type->fields.push_back(std::move(made));
    }
    return Finish(type, json);
  }

  Result<const AvroType*> Items(const Json& json, const char* member, AvroKind kind) {
    const auto items = json.find(member);
    if (items == json.end()) return Bad("an array or map without items");
    ARC_ASSIGN_OR_RETURN(const AvroType* item, Parse(*items));
    if (kind == AvroKind::kArray && item->zero_size) {
      return MakeError(ErrorKind::kUnsupported, "Avro schema: an array of values without bytes");
    }
    AvroType* type = Make(kind);
    type->items = item;
    type->depth = item->depth + 1;
    type->zero_size = false;
    return Finish(type, Json());
  }

  Result<const AvroType*> Fixed(const Json& json) {
    const auto size = json.find("size");
    if (size == json.end() || !size->is_number_integer() || size->get<int64_t>() < 0) return Bad("a fixed has a size");
    AvroType* type = Make(AvroKind::kFixed);
    type->fixed_size = size->get<int64_t>();
    type->zero_size = type->fixed_size == 0;
    return Finish(type, json);
  }

  Result<const AvroType*> Enum(const Json& json) {
    AvroType* type = Make(AvroKind::kEnum);
    type->zero_size = false;
    return Finish(type, json);
  }

  Result<const AvroType*> Union(const Json& json) {
    AvroType* type = Make(AvroKind::kUnion);
    type->zero_size = false;
    for (const auto& branch : json) {
      ARC_ASSIGN_OR_RETURN(const AvroType* made, Parse(branch));
      if (made->kind == AvroKind::kUnion) return Bad("a union in a union");
      type->depth = std::max(type->depth, made->depth + 1);
      type->branches.push_back(made);
    }
    if (type->branches.empty()) return Bad("an empty union");
    return Finish(type, json);
  }

  AvroSchema* schema_;
  const AvroType* primitives_[16] = {};
  std::map<std::string, const AvroType*, std::less<>> named_;
};

Result<std::shared_ptr<const AvroSchema>> AvroSchema::Remembered(std::string_view json) {
  struct Memory {
    std::array<std::pair<std::string, std::shared_ptr<const AvroSchema>>, 4> entries;
    size_t next = 0;
  };
  static thread_local Memory memory;
  for (const auto& [text, schema] : memory.entries) {
    if (schema != nullptr && text == json) return schema;
  }
  ARC_ASSIGN_OR_RETURN(AvroSchema parsed, Parse(json));
  auto schema = std::make_shared<const AvroSchema>(std::move(parsed));
  constexpr size_t kMostBytes = 64 << 10;
  if (json.size() <= kMostBytes) memory.entries[memory.next++ % memory.entries.size()] = {std::string(json), schema};
  return schema;
}

Result<AvroSchema> AvroSchema::Parse(std::string_view json) {
  ARC_ASSIGN_OR_RETURN(const Json parsed, ParseJson(json, "Avro schema"));
  AvroSchema schema;
  AvroSchemaParser parser(&schema);
  ARC_ASSIGN_OR_RETURN(schema.root_, parser.Parse(parsed));
  return schema;
}

}  // namespace arc
