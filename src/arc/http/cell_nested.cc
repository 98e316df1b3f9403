#include <algorithm>
#include <string>
#include <vector>

#include "arc/http/cell_writers.h"

namespace arc {
namespace {

using Writer = std::unique_ptr<CellWriter>;

// Where the values of list cell `row` stand in the child array.
struct Span {
  int64_t begin = 0;
  int64_t size = 0;
};

template <typename ArrayType>
class ListCell : public NullableCell<ListCell<ArrayType>> {
 public:
  ListCell(const std::shared_ptr<arrow::Array>& array, Writer values)
      : NullableCell<ListCell<ArrayType>>(array, CellFormat::kJson), values_(std::move(values)) {}
  void Value(int64_t row, OutputText* out) {
    const auto& list = static_cast<const ArrayType&>(*this->array_);
    Span span{static_cast<int64_t>(list.value_offset(row)), static_cast<int64_t>(list.value_length(row))};
    out->Put('[');
    for (int64_t i = 0; i < span.size; ++i) {
      if (i > 0) out->Put(',');
      values_->Write(span.begin + i, out);
    }
    out->Put(']');
  }

 private:
  Writer values_;
};

class StructCell : public NullableCell<StructCell> {
 public:
  StructCell(const std::shared_ptr<arrow::Array>& array, std::vector<Writer> fields)
      : NullableCell(array, CellFormat::kJson), fields_(std::move(fields)) {
    for (const auto& field : array->type()->fields()) {
      OutputText key;
      AppendJsonCell(field->name(), &key);
      key.Put(':');
      keys_.emplace_back(key.view());
    }
  }
  void Value(int64_t row, OutputText* out) {
    out->Put('{');
    for (size_t i = 0; i < fields_.size(); ++i) {
      if (i > 0) out->Put(',');
      out->Append(keys_[i]);
      fields_[i]->Write(row, out);
    }
    out->Put('}');
  }

 private:
  std::vector<Writer> fields_;
  std::vector<std::string> keys_;
};

// Keys become text, whatever their type: JSON knows no others.
class MapCell : public NullableCell<MapCell> {
 public:
  MapCell(const std::shared_ptr<arrow::Array>& array, Writer keys, Writer items)
      : NullableCell(array, CellFormat::kJson), keys_(std::move(keys)), items_(std::move(items)) {}
  void Value(int64_t row, OutputText* out) {
    const auto& map = static_cast<const arrow::MapArray&>(*array_);
    out->Put('{');
    for (int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
      if (i > map.value_offset(row)) out->Put(',');
      key_.Clear();
      keys_->Write(i, &key_);
      if (key_.size() > 0 && key_.view().front() == '"') {
        out->Append(key_.view());
      } else {
        AppendJsonCell(key_.view(), out);
      }
      out->Put(':');
      items_->Write(i, out);
    }
    out->Put('}');
  }

 private:
  Writer keys_;
  Writer items_;
  OutputText key_;
};

class UnionCell : public CellWriter {
 public:
  UnionCell(std::shared_ptr<arrow::Array> array, std::vector<Writer> children)
      : array_(std::move(array)), children_(std::move(children)) {}
  void Write(int64_t row, OutputText* out) override {
    const auto& values = static_cast<const arrow::UnionArray&>(*array_);
    bool dense = values.mode() == arrow::UnionMode::DENSE;
    int64_t at = dense ? static_cast<const arrow::DenseUnionArray&>(values).value_offset(row) : row;
    children_[static_cast<size_t>(values.child_id(row))]->Write(at, out);
  }

 private:
  std::shared_ptr<arrow::Array> array_;
  std::vector<Writer> children_;
};

class DictionaryCell : public NullableCell<DictionaryCell> {
 public:
  DictionaryCell(const std::shared_ptr<arrow::Array>& array, Writer values, CellFormat format)
      : NullableCell(array, format), values_(std::move(values)) {}
  void Value(int64_t row, OutputText* out) {
    values_->Write(static_cast<const arrow::DictionaryArray&>(*array_).GetValueIndex(row), out);
  }

 private:
  Writer values_;
};

class RunEndCell : public CellWriter {
 public:
  RunEndCell(std::shared_ptr<arrow::Array> array, Writer values)
      : array_(std::move(array)), values_(std::move(values)) {
    const auto& runs = static_cast<const arrow::RunEndEncodedArray&>(*array_);
    const arrow::Array& ends = *runs.run_ends();
    for (int64_t i = 0; i < ends.length(); ++i) {
      switch (ends.type_id()) {
        case arrow::Type::INT16: ends_.push_back(static_cast<const arrow::Int16Array&>(ends).Value(i)); break;
        case arrow::Type::INT32: ends_.push_back(static_cast<const arrow::Int32Array&>(ends).Value(i)); break;
        default: ends_.push_back(static_cast<const arrow::Int64Array&>(ends).Value(i)); break;
      }
    }
  }
  void Write(int64_t row, OutputText* out) override {
    auto at = std::upper_bound(ends_.begin(), ends_.end(), row + array_->offset());
    values_->Write(at - ends_.begin(), out);
  }

 private:
  std::shared_ptr<arrow::Array> array_;
  Writer values_;
  std::vector<int64_t> ends_;
};

// A nested value inside CSV: its JSON text as one field.
class CsvJsonCell : public CellWriter {
 public:
  CsvJsonCell(std::shared_ptr<arrow::Array> array, Writer json) : array_(std::move(array)), json_(std::move(json)) {}
  void Write(int64_t row, OutputText* out) override {
    if (array_->IsNull(row)) return;
    text_.Clear();
    json_->Write(row, &text_);
    AppendCsvCell(text_.view(), out);
  }

 private:
  std::shared_ptr<arrow::Array> array_;
  Writer json_;
  OutputText text_;
};

template <typename ArrayType>
Result<Writer> MakeList(const std::shared_ptr<arrow::Array>& array) {
  const auto& list = static_cast<const ArrayType&>(*array);
  ARC_ASSIGN_OR_RETURN(Writer values, MakeCellWriter(*array->type()->field(0), list.values(), CellFormat::kJson));
  return Writer(std::make_unique<ListCell<ArrayType>>(array, std::move(values)));
}

Result<Writer> MakeStruct(const std::shared_ptr<arrow::Array>& array) {
  const auto& values = static_cast<const arrow::StructArray&>(*array);
  std::vector<Writer> fields;
  for (int i = 0; i < values.num_fields(); ++i) {
    ARC_ASSIGN_OR_RETURN(Writer field, MakeCellWriter(*array->type()->field(i), values.field(i), CellFormat::kJson));
    fields.push_back(std::move(field));
  }
  return Writer(std::make_unique<StructCell>(array, std::move(fields)));
}

Result<Writer> MakeMap(const std::shared_ptr<arrow::Array>& array) {
  const auto& map = static_cast<const arrow::MapArray&>(*array);
  ARC_ASSIGN_OR_RETURN(Writer keys, MakeCellWriter(*map.map_type()->key_field(), map.keys(), CellFormat::kJson));
  ARC_ASSIGN_OR_RETURN(Writer items, MakeCellWriter(*map.map_type()->item_field(), map.items(), CellFormat::kJson));
  return Writer(std::make_unique<MapCell>(array, std::move(keys), std::move(items)));
}

Result<Writer> MakeUnion(const std::shared_ptr<arrow::Array>& array, CellFormat format) {
  const auto& values = static_cast<const arrow::UnionArray&>(*array);
  std::vector<Writer> children;
  for (int i = 0; i < values.num_fields(); ++i) {
    ARC_ASSIGN_OR_RETURN(Writer child, MakeCellWriter(*array->type()->field(i), values.field(i), format));
    children.push_back(std::move(child));
  }
  return Writer(std::make_unique<UnionCell>(array, std::move(children)));
}

Result<Writer> MakeJsonNested(const std::shared_ptr<arrow::Array>& array) {
  switch (array->type_id()) {
    case arrow::Type::LIST: return MakeList<arrow::ListArray>(array);
    case arrow::Type::LARGE_LIST: return MakeList<arrow::LargeListArray>(array);
    case arrow::Type::LIST_VIEW: return MakeList<arrow::ListViewArray>(array);
    case arrow::Type::LARGE_LIST_VIEW: return MakeList<arrow::LargeListViewArray>(array);
    case arrow::Type::FIXED_SIZE_LIST: return MakeList<arrow::FixedSizeListArray>(array);
    case arrow::Type::STRUCT: return MakeStruct(array);
    case arrow::Type::MAP: return MakeMap(array);
    default: return Writer();
  }
}

}  // namespace

Result<std::unique_ptr<CellWriter>> MakeNestedCell(const std::shared_ptr<arrow::Array>& array, CellFormat format) {
  switch (array->type_id()) {
    case arrow::Type::SPARSE_UNION:
    case arrow::Type::DENSE_UNION: return MakeUnion(array, format);
    case arrow::Type::DICTIONARY: {
      const auto& values = static_cast<const arrow::DictionaryArray&>(*array).dictionary();
      ARC_ASSIGN_OR_RETURN(Writer inner, MakeCellWriter(*arrow::field("", values->type()), values, format));
      return Writer(std::make_unique<DictionaryCell>(array, std::move(inner), format));
    }
    case arrow::Type::RUN_END_ENCODED: {
      const auto& values = static_cast<const arrow::RunEndEncodedArray&>(*array).values();
      ARC_ASSIGN_OR_RETURN(Writer inner, MakeCellWriter(*arrow::field("", values->type()), values, format));
      return Writer(std::make_unique<RunEndCell>(array, std::move(inner)));
    }
    default: break;
  }
  ARC_ASSIGN_OR_RETURN(Writer json, MakeJsonNested(array));
  if (json == nullptr || format == CellFormat::kJson) return json;
  return Writer(std::make_unique<CsvJsonCell>(array, std::move(json)));
}

}  // namespace arc
