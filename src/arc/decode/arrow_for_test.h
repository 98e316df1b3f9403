// Tests only: small Arrow arrays and streams.
#pragma once

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arc/base/check.h"

namespace arc {

struct NamedArray {
  std::string name;
  std::shared_ptr<arrow::Array> array;
};

template <typename Builder>
struct TestValue {
  using Type = typename Builder::value_type;
};
template <>
struct TestValue<arrow::StringBuilder> {
  using Type = std::string;
};
template <>
struct TestValue<arrow::LargeStringBuilder> {
  using Type = std::string;
};
template <>
struct TestValue<arrow::StringViewBuilder> {
  using Type = std::string;
};
template <>
struct TestValue<arrow::BinaryBuilder> {
  using Type = std::string;
};

// An array of these values.
template <typename Builder>
std::shared_ptr<arrow::Array> Filled(const std::vector<typename TestValue<Builder>::Type>& values,
                                     const std::shared_ptr<arrow::DataType>& type = nullptr) {
  auto builder = [&] {
    if constexpr (std::is_constructible_v<Builder, std::shared_ptr<arrow::DataType>, arrow::MemoryPool*>) {
      if (type != nullptr) return std::make_unique<Builder>(type, arrow::default_memory_pool());
    }
    if constexpr (std::is_default_constructible_v<Builder>)
      return std::make_unique<Builder>();
    else
      return std::unique_ptr<Builder>();
  }();
  for (const auto& value : values) ARC_CHECK(builder->Append(value).ok());
  return *builder->Finish();
}

template <typename CodeBuilder>
std::shared_ptr<arrow::Array> Dictionary(const std::vector<typename CodeBuilder::value_type>& codes,
                                         const std::shared_ptr<arrow::Array>& words) {
  const auto indices = Filled<CodeBuilder>(codes);
  return std::make_shared<arrow::DictionaryArray>(arrow::dictionary(indices->type(), words->type()), indices, words);
}

// A stream of so many record batches, the columns of each from `columns(i)`.
inline std::string ArrowStreamOf(int batches, const std::function<std::vector<NamedArray>(int)>& columns,
                                 const arrow::ipc::IpcWriteOptions& options = arrow::ipc::IpcWriteOptions::Defaults()) {
  auto sink = *arrow::io::BufferOutputStream::Create();
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer;
  for (int i = 0; i < batches; ++i) {
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (const NamedArray& column : columns(i)) {
      fields.push_back(arrow::field(column.name, column.array->type()));
      arrays.push_back(column.array);
    }
    const auto schema = arrow::schema(fields);
    if (writer == nullptr) writer = *arrow::ipc::MakeStreamWriter(sink, schema, options);
    ARC_CHECK(writer->WriteRecordBatch(*arrow::RecordBatch::Make(schema, arrays[0]->length(), arrays)).ok());
  }
  ARC_CHECK(writer->Close().ok());
  return (*sink->Finish())->ToString();
}

inline std::string ArrowStream(const std::vector<NamedArray>& columns,
                               const arrow::ipc::IpcWriteOptions& options = arrow::ipc::IpcWriteOptions::Defaults()) {
  return ArrowStreamOf(1, [&](int) { return columns; }, options);
}

}  // namespace arc
