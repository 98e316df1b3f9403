#include "arc/decode/json_decoder.h"

#include <emmintrin.h>

#include <algorithm>
#include <utility>

#include "arc/decode/utf8.h"

namespace arc {
namespace {

namespace ondemand = simdjson::ondemand;

// The first quote or backslash from `p` on. A string's end has been checked by the parser's first stage, and padding
// follows the body.
const char* QuoteOrBackslash(const char* p) {
  for (;; p += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const int hits = _mm_movemask_epi8(
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
    if (hits != 0) return p + __builtin_ctz(static_cast<unsigned>(hits));
  }
}

}  // namespace

JsonDecoder::JsonDecoder(const simdjson::padded_string& body, const ItemOptions& options, RequestBuilder* request)
    : body_(body), writer_(options, request, body.data(), body.data() + body.size() + simdjson::SIMDJSON_PADDING) {}

Status JsonDecoder::Malformed(Code code) {
  std::string message = "not JSON: ";
  // simdjson's texts are sentences of their own: "TAPE_ERROR: The JSON document has an improper structure: …"
  std::string_view reason = simdjson::error_message(code);
  if (const size_t colon = reason.find(": "); colon != std::string_view::npos) reason.remove_prefix(colon + 2);
  message += reason;
  const char* at = nullptr;
  if (!has_document_) {
    // The first stage, over the whole body, does not say where it stopped.
    if (code == simdjson::UTF8_ERROR) at = body_.data() + ValidUtf8Prefix({body_.data(), body_.size()});
    if (code == simdjson::UNCLOSED_STRING) at = body_.data() + body_.size();
  } else if (document_.current_location().get(at) != simdjson::SUCCESS) {
    at = body_.data() + body_.size();
  }
  if (at == nullptr || at < body_.data()) return InvalidArgument(message);
  const auto offset = std::min(static_cast<size_t>(at - body_.data()), body_.size());
  const std::string_view before(body_.data(), offset);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return InvalidArgument(message + " (near line " + std::to_string(std::count(before.begin(), before.end(), '\n') + 1) +
                         ", column " + std::to_string(offset - line_start + 1) + ")");
}

Status JsonDecoder::Run() {
  Code code = parser_.iterate(body_).get(document_);
  ondemand::json_type type{};
  has_document_ = code == simdjson::SUCCESS;
  if (has_document_) code = document_.type().get(type);
  if (code == simdjson::SUCCESS) {
    if (type == ondemand::json_type::array) {
      Array items;
      code = document_.get_array().get(items);
      if (code == simdjson::SUCCESS) code = Items(items, 1);
    } else if (type == ondemand::json_type::object) {
      Object object;
      code = document_.get_object().get(object);
      if (code == simdjson::SUCCESS) code = OneItem(object, 0);
    } else {
      return InvalidArgument("neither a JSON object nor an array at line 1, column 1");
    }
  }
  if (stopped()) return std::move(status_);
  return code == simdjson::SUCCESS ? Status() : Malformed(code);
}

void JsonDecoder::Refuse(std::string message, uint32_t rows) {
  Status refused = writer_.Refuse(std::move(message), rows);
  if (!refused.ok()) status_ = std::move(refused);
}

bool JsonDecoder::AtEnd() { return document_.current_location().error() == simdjson::OUT_OF_BOUNDS; }

JsonDecoder::Code JsonDecoder::Items(Array items, int depth) {
  if (depth > kMaxItemDepth) return simdjson::DEPTH_ERROR;
  for (auto element : items) {
    Value value;
    if (const Code code = element.get(value); code != simdjson::SUCCESS) return code;
    if (const Code code = OneValue(value, depth); code != simdjson::SUCCESS) return code;
    if (stopped()) return simdjson::SUCCESS;
  }
  // Only the outermost array can be followed by anything.
  return depth == 1 && !AtEnd() ? simdjson::TRAILING_CONTENT : simdjson::SUCCESS;
}

JsonDecoder::Code JsonDecoder::OneValue(Value value, int depth) {
  ondemand::json_type type{};
  if (const Code code = value.type().get(type); code != simdjson::SUCCESS) return code;
  if (type == ondemand::json_type::array) {
    Array items;
    if (const Code code = value.get_array().get(items); code != simdjson::SUCCESS) return code;
    return Items(items, depth + 1);
  }
  if (type == ondemand::json_type::object) {
    Object object;
    if (const Code code = value.get_object().get(object); code != simdjson::SUCCESS) return code;
    return OneItem(object, depth);
  }
  Scalar ignored;
  if (const Code code = ReadScalar(value, &ignored); code != simdjson::SUCCESS) return code;
  Refuse("the item is no object");
  return simdjson::SUCCESS;
}

template <typename Use>
JsonDecoder::Code JsonDecoder::ForKeys(Object& object, const Use& use) {
  bool not_empty = false;
  if (const Code code = object.reset().get(not_empty); code != simdjson::SUCCESS) return code;
  for (auto field : object) {
    ondemand::raw_json_string raw;
    if (const Code code = field.key().get(raw); code != simdjson::SUCCESS) return code;
    const std::string_view key(raw.raw(), static_cast<size_t>(QuoteOrBackslash(raw.raw()) - raw.raw()));
    const ItemKey meaning = ClassifyItemKey(key);
    if (meaning == ItemKey::kUnknown) continue;
    Value value;
    if (const Code code = field.value().get(value); code != simdjson::SUCCESS) return code;
    if (const Code code = use(meaning, value); code != simdjson::SUCCESS) return code;
  }
  return simdjson::SUCCESS;
}

JsonDecoder::Code JsonDecoder::ScanItem(Object& object, Item* item) {
  for (auto field : object) {
    ondemand::raw_json_string raw;
    if (const Code code = field.key().get(raw); code != simdjson::SUCCESS) return code;
    const std::string_view key(raw.raw(), static_cast<size_t>(QuoteOrBackslash(raw.raw()) - raw.raw()));
    Scalar* scalar = nullptr;
    switch (ClassifyItemKey(key)) {
      case ItemKey::kMeasurement: scalar = &item->measurement; break;
      case ItemKey::kTime: scalar = &item->time; break;
      case ItemKey::kHost: scalar = &item->host; break;
      case ItemKey::kBatch: item->has_batch = true; break;
      case ItemKey::kColumns: item->has_columns = true; break;
      case ItemKey::kTagKeys: item->has_tag_keys = true; break;
      case ItemKey::kTags: item->has_tags = true; break;
      case ItemKey::kFields:
      case ItemKey::kUnknown: break;
    }
    if (scalar == nullptr) continue;
    Value value;
    if (const Code code = field.value().get(value); code != simdjson::SUCCESS) return code;
    if (const Code code = ReadScalar(value, scalar); code != simdjson::SUCCESS) return code;
  }
  return simdjson::SUCCESS;
}

JsonDecoder::Code JsonDecoder::OneItem(Object object, int depth) {
  unescaped_.clear();
  Item item;
  if (const Code code = ScanItem(object, &item); code != simdjson::SUCCESS) return code;
  if (depth == 0 && !AtEnd()) return simdjson::TRAILING_CONTENT;
  if (item.has_batch) {
    return ForKeys(object, [&](ItemKey key, Value value) -> Code {
      if (key != ItemKey::kBatch) return simdjson::SUCCESS;
      Array items;
      if (const Code code = value.get_array().get(items); code != simdjson::SUCCESS) return code;
      return Items(items, depth + 2);
    });
  }
  return item.has_columns ? Columns(object, item) : Row(object, item);
}

JsonDecoder::Code JsonDecoder::ReadText(ondemand::raw_json_string raw, std::string_view* text) {
  const char* const begin = raw.raw();
  const char* end = QuoteOrBackslash(begin);
  if (*end == '"') {
    *text = {begin, static_cast<size_t>(end - begin)};
    return simdjson::SUCCESS;
  }
  while (*end != '"') end = QuoteOrBackslash(end + 2);
  const auto size = static_cast<size_t>(end - begin);
  writer_.request()->budget()->Take(static_cast<int64_t>(size));
  unescaped_.push_back(std::make_unique<uint8_t[]>(size + simdjson::SIMDJSON_PADDING));
  uint8_t* out = unescaped_.back().get();
  return parser_.unescape(raw, out).get(*text);
}

JsonDecoder::Code JsonDecoder::ReadScalar(Value value, Scalar* scalar) {
  ondemand::json_type type{};
  if (const Code code = value.type().get(type); code != simdjson::SUCCESS) return code;
  switch (type) {
    case ondemand::json_type::null: {
      bool null = false;
      const Code code = value.is_null().get(null);
      *scalar = Scalar::Of(ScalarKind::kNil, 0);
      return code == simdjson::SUCCESS && !null ? simdjson::N_ATOM_ERROR : code;
    }
    case ondemand::json_type::boolean: {
      bool truth = false;
      const Code code = value.get_bool().get(truth);
      *scalar = Scalar::Of(ScalarKind::kBool, truth ? 1 : 0);
      return code;
    }
    case ondemand::json_type::string: {
      ondemand::raw_json_string raw;
      std::string_view text;
      if (const Code code = value.get_raw_json_string().get(raw); code != simdjson::SUCCESS) return code;
      if (const Code code = ReadText(raw, &text); code != simdjson::SUCCESS) return code;
      *scalar = Scalar::OfText(text);
      return simdjson::SUCCESS;
    }
    case ondemand::json_type::number: {
      ondemand::number number;
      if (value.get_number().get(number) == simdjson::SUCCESS) {
        if (number.is_int64()) {
          *scalar = Scalar::Of(ScalarKind::kInt, static_cast<uint64_t>(number.get_int64()));
        } else if (number.is_uint64()) {
          *scalar = Scalar::Of(ScalarKind::kUInt, number.get_uint64());
        } else {
          *scalar = Scalar::OfDouble(number.get_double());
        }
        return simdjson::SUCCESS;
      }
      // An integer past 64 bits.
      double real = 0;
      const Code code = value.get_double().get(real);
      *scalar = Scalar::OfDouble(real);
      return code;
    }
    case ondemand::json_type::array:
    case ondemand::json_type::object: break;
  }
  *scalar = Scalar::Of(ScalarKind::kOther, 0);
  return simdjson::SUCCESS;
}

JsonDecoder::Code JsonDecoder::Pairs(Value value, ColumnRole role, BatchBuilder& batch, Added* added) {
  const bool tags = role == ColumnRole::kTag;
  ondemand::json_type type{};
  if (const Code code = value.type().get(type); code != simdjson::SUCCESS) return code;
  if (type == ondemand::json_type::null) return simdjson::SUCCESS;
  if (type != ondemand::json_type::object) {
    writer_.set_error(tags ? "tags is no object" : "fields is no object");
    *added = Added::kFault;
    return simdjson::SUCCESS;
  }
  Object pairs;
  if (const Code code = value.get_object().get(pairs); code != simdjson::SUCCESS) return code;
  for (auto field : pairs) {
    ondemand::raw_json_string raw;
    std::string_view key;
    Value nested;
    Scalar scalar;
    if (const Code code = field.key().get(raw); code != simdjson::SUCCESS) return code;
    if (const Code code = ReadText(raw, &key); code != simdjson::SUCCESS) return code;
    if (const Code code = field.value().get(nested); code != simdjson::SUCCESS) return code;
    if (const Code code = ReadScalar(nested, &scalar); code != simdjson::SUCCESS) return code;
    *added = tags ? writer_.AddTag(batch, key, scalar) : writer_.AddField(batch, key, scalar);
    if (*added != Added::kOk) break;
  }
  return simdjson::SUCCESS;
}

JsonDecoder::Code JsonDecoder::RowInto(Object& object, const Item& item, int64_t time, BatchBuilder& batch,
                                       Added* added) {
  writer_.BeginRow(batch);
  *added = writer_.AddHost(batch, item.host);
  const Code code = ForKeys(object, [&](ItemKey key, Value value) -> Code {
    if (*added != Added::kOk) return simdjson::SUCCESS;
    if (key == ItemKey::kTags) return Pairs(value, ColumnRole::kTag, batch, added);
    return key == ItemKey::kFields ? Pairs(value, ColumnRole::kField, batch, added) : simdjson::SUCCESS;
  });
  if (code == simdjson::SUCCESS && *added == Added::kOk) *added = writer_.CommitRow(batch, time);
  return code;
}

JsonDecoder::Code JsonDecoder::Row(Object& object, const Item& item) {
  MeasurementBuilder* measurement = writer_.Measurement(item.measurement);
  int64_t time = 0;
  if (measurement == nullptr || !writer_.Time(item.time, &time)) {
    Refuse(writer_.error());
    return simdjson::SUCCESS;
  }
  Code code = simdjson::SUCCESS;
  const Added tried = measurement->InSomeVariant([&](BatchBuilder& batch) {
    Added added = Added::kOk;
    code = RowInto(object, item, time, batch, &added);
    return code == simdjson::SUCCESS ? added : Added::kFault;
  });
  if (code != simdjson::SUCCESS) return code;
  if (tried == Added::kOk) {
    writer_.Advance(1);
    return simdjson::SUCCESS;
  }
  if (tried == Added::kTooManyKinds) writer_.Refused(tried, "measurement", measurement->name());
  Refuse(writer_.error());
  return simdjson::SUCCESS;
}

JsonDecoder::Code JsonDecoder::ReadColumn(std::string_view name, Value value, ScalarBlock* block, std::string* fault) {
  ondemand::json_type type{};
  if (const Code code = value.type().get(type); code != simdjson::SUCCESS) return code;
  if (type != ondemand::json_type::array) {
    *fault = "column " + Snippet(name) + " is no array";
    return simdjson::SUCCESS;
  }
  Array array;
  if (const Code code = value.get_array().get(array); code != simdjson::SUCCESS) return code;
  std::vector<Scalar> values;
  values.reserve(block->rows);
  for (auto element : array) {
    Value nested;
    Scalar scalar;
    if (const Code code = element.get(nested); code != simdjson::SUCCESS) return code;
    if (const Code code = ReadScalar(nested, &scalar); code != simdjson::SUCCESS) return code;
    writer_.request()->budget()->Take(sizeof(Scalar));
    values.push_back(scalar);
  }
  const bool first = block->times.empty() && block->columns.empty();
  if (first) block->rows = static_cast<uint32_t>(values.size());
  const Added named = CheckName(name);
  if (named != Added::kOk) {
    *fault = DescribeRefusal(named, "column", name);
  } else if (values.size() != block->rows) {
    *fault = "column " + Snippet(name) + " has " + std::to_string(values.size()) + " values, the first has " +
             std::to_string(block->rows);
  }
  block->Add(name, std::move(values));
  return simdjson::SUCCESS;
}

JsonDecoder::Code JsonDecoder::ReadColumns(Value value, ScalarBlock* block, std::string* fault) {
  ondemand::json_type type{};
  if (const Code code = value.type().get(type); code != simdjson::SUCCESS) return code;
  if (type != ondemand::json_type::object) {
    *fault = "columns is no object";
    return simdjson::SUCCESS;
  }
  Object columns;
  if (const Code code = value.get_object().get(columns); code != simdjson::SUCCESS) return code;
  for (auto field : columns) {
    ondemand::raw_json_string raw;
    std::string_view name;
    Value nested;
    if (const Code code = field.key().get(raw); code != simdjson::SUCCESS) return code;
    if (const Code code = ReadText(raw, &name); code != simdjson::SUCCESS) return code;
    if (const Code code = field.value().get(nested); code != simdjson::SUCCESS) return code;
    if (const Code code = ReadColumn(name, nested, block, fault); code != simdjson::SUCCESS) return code;
    if (!fault->empty()) return simdjson::SUCCESS;
  }
  if (block->columns.empty()) *fault = "there is no column beside time";
  return simdjson::SUCCESS;
}

JsonDecoder::Code JsonDecoder::ReadTagKeys(Value value, std::vector<std::string_view>* names, std::string* fault) {
  ondemand::json_type type{};
  if (const Code code = value.type().get(type); code != simdjson::SUCCESS) return code;
  if (type != ondemand::json_type::array) {
    *fault = "tag_keys (or tags) beside columns is no list of column names";
    return simdjson::SUCCESS;
  }
  Array array;
  if (const Code code = value.get_array().get(array); code != simdjson::SUCCESS) return code;
  for (auto element : array) {
    Value nested;
    Scalar name;
    if (const Code code = element.get(nested); code != simdjson::SUCCESS) return code;
    if (const Code code = ReadScalar(nested, &name); code != simdjson::SUCCESS) return code;
    if (name.kind == ScalarKind::kText) names->push_back(name.text());
    if (name.kind != ScalarKind::kText) *fault = "a name in tag_keys is no text";
  }
  return simdjson::SUCCESS;
}

JsonDecoder::Code JsonDecoder::Columns(Object& object, const Item& item) {
  std::string fault;
  std::vector<std::string_view> tag_keys;
  ScalarBlock block;
  if (item.has_tag_keys || item.has_tags) {
    const ItemKey wanted = item.has_tag_keys ? ItemKey::kTagKeys : ItemKey::kTags;
    const Code code = ForKeys(object, [&](ItemKey key, Value value) -> Code {
      return key == wanted ? ReadTagKeys(value, &tag_keys, &fault) : simdjson::SUCCESS;
    });
    if (code != simdjson::SUCCESS) return code;
    block.tag_keys = &tag_keys;
  }
  const Code code = ForKeys(object, [&](ItemKey key, Value value) -> Code {
    return key == ItemKey::kColumns && fault.empty() ? ReadColumns(value, &block, &fault) : simdjson::SUCCESS;
  });
  if (code != simdjson::SUCCESS) return code;
  MeasurementBuilder* measurement = writer_.Measurement(item.measurement);
  if (measurement == nullptr && fault.empty()) fault = writer_.error();
  if (!fault.empty()) {
    Refuse("block of columns: " + fault, std::max(1U, block.rows));
  } else if (block.rows > 0) {
    status_ = writer_.AppendBlock(*measurement, block);
  }
  writer_.request()->budget()->GiveBack(
      static_cast<int64_t>(sizeof(Scalar) * block.rows * (block.columns.size() + (block.times.empty() ? 0 : 1))));
  return simdjson::SUCCESS;
}

}  // namespace arc
