// The walker behind DecodeJson, over simdjson's on-demand parser. Included only where simdjson is.
#pragma once

#include <simdjson.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arc/decode/item_writer.h"

namespace arc {

// Decodes one body into a RequestBuilder. Each object is walked first for its plain keys and then, once it is known
// what it is, for the nested ones; on-demand values are read in the order of the text only. Not thread-safe.
class JsonDecoder {
 public:
  // `body` must outlive the decoder.
  JsonDecoder(const simdjson::padded_string& body, const ItemOptions& options, RequestBuilder* request);
  Status Run();

 private:
  using Array = simdjson::ondemand::array;
  using Object = simdjson::ondemand::object;
  using Value = simdjson::ondemand::value;
  using Code = simdjson::error_code;

  // What an object says at its top level.
  struct Item {
    Scalar measurement, time, host;
    bool has_batch = false;
    bool has_columns = false;
    bool has_tag_keys = false;
    bool has_tags = false;
  };

  // These return the error of malformed JSON; a full list of row errors goes into status_ (and stops the walk).
  Code Items(Array items, int depth);
  Code OneItem(Object object, int depth);
  Code OneValue(Value value, int depth);
  Code ScanItem(Object& object, Item* item);
  Code Row(Object& object, const Item& item);
  Code RowInto(Object& object, const Item& item, int64_t time, BatchBuilder& batch, Added* added);
  Code Pairs(Value value, ColumnRole role, BatchBuilder& batch, Added* added);
  Code Columns(Object& object, const Item& item);
  Code ReadColumn(std::string_view name, Value value, ScalarBlock* block, std::string* fault);
  Code ReadColumns(Value value, ScalarBlock* block, std::string* fault);
  Code ReadTagKeys(Value value, std::vector<std::string_view>* names, std::string* fault);
  Code ReadScalar(Value value, Scalar* scalar);
  Code ReadText(simdjson::ondemand::raw_json_string raw, std::string_view* text);
  void Refuse(std::string message, uint32_t rows = 1);
  bool stopped() const { return !status_.ok(); }

  // Calls `use(key, value)` for each value of `object` whose key means something; it returns a Code.
  template <typename Use>
  Code ForKeys(Object& object, const Use& use);

  // Nothing follows what was walked over.
  bool AtEnd();
  Status Malformed(Code code);

  const simdjson::padded_string& body_;
  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
  bool has_document_ = false;
  ItemWriter writer_;
  Status status_;
  std::vector<std::unique_ptr<uint8_t[]>> unescaped_;  // texts with escapes, of the item at hand
};

}  // namespace arc
