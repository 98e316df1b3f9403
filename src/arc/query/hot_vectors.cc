#include "arc/query/hot_vectors.h"

#include <cstring>

#include "duckdb/common/exception.hpp"
#include "duckdb/common/types/string_type.hpp"

namespace arc {
namespace {

static_assert(sizeof(HotString) == sizeof(duckdb::string_t));

constexpr uint64_t kAllValid = ~uint64_t{0};

// Validity word `word` of rows [from, from + count); bits behind the end read as valid.
uint64_t ValidityWord(const ChunkColumn& column, uint32_t from, uint32_t count, uint32_t word) {
  uint64_t bits = column.validity[from / 64 + word].load(std::memory_order_relaxed);
  uint32_t left = count - word * 64;
  return left >= 64 ? bits : bits | (kAllValid << left);
}

bool HasNulls(const ChunkColumn& column, uint32_t from, uint32_t count) {
  if (column.validity == nullptr) return false;
  for (uint32_t word = 0; word * 64 < count; ++word) {
    if (ValidityWord(column, from, count, word) != kAllValid) return true;
  }
  return false;
}

void CopyValidity(const ChunkColumn& column, uint32_t from, uint32_t count, duckdb::Vector& vector) {
  if (!HasNulls(column, from, count)) return;
  duckdb::ValidityMask& mask = duckdb::FlatVector::Validity(vector);
  mask.Initialize(STANDARD_VECTOR_SIZE);
  uint64_t* words = mask.GetData();
  for (uint32_t word = 0; word * 64 < count; ++word) words[word] = ValidityWord(column, from, count, word);
}

void PointAt(const ChunkColumn& column, uint32_t from, size_t width, duckdb::Vector& vector) {
  const auto* values = static_cast<const uint8_t*>(column.values) + from * width;
  // DuckDB has no read-only vectors; scans never write to what they hand out.
  duckdb::FlatVector::SetData(vector, const_cast<duckdb::data_ptr_t>(values));
}

void FillCodes(const ChunkColumn& column, uint32_t from, uint32_t count, DuckDictionaries& dictionaries,
               duckdb::Vector& vector) {
  auto dictionary = dictionaries.Of(*column.dictionary);
  auto* codes = const_cast<duckdb::sel_t*>(static_cast<const uint32_t*>(column.values) + from);
  if (!HasNulls(column, from, count)) {
    vector.Dictionary(dictionary, duckdb::SelectionVector(codes));
    return;
  }
  duckdb::SelectionVector selection(count);
  auto null_code = static_cast<duckdb::sel_t>(dictionary->size.GetIndex() - 1);
  for (uint32_t word = 0; word * 64 < count; ++word) {
    uint64_t bits = ValidityWord(column, from, count, word);
    uint32_t end = std::min(count, word * 64 + 64);
    for (uint32_t row = word * 64; row < end; ++row, bits >>= 1) {
      selection.set_index(row, (bits & 1) != 0 ? codes[row] : null_code);
    }
  }
  vector.Dictionary(dictionary, selection);
}

}  // namespace

duckdb::buffer_ptr<duckdb::VectorChildBuffer> DuckDictionaries::Of(const TagDictionary& dictionary) {
  std::lock_guard lock(mutex_);
  auto& made = made_[&dictionary];
  if (!made) {
    // Codes of the rows we were given are below this size: they were published after their entries.
    uint32_t size = dictionary.size();
    made = duckdb::DictionaryVector::CreateReusableDictionary(duckdb::LogicalType::VARCHAR, size + 1);
    auto* strings = duckdb::FlatVector::GetData<duckdb::string_t>(made->data);
    std::memcpy(static_cast<void*>(strings), dictionary.values(), size * sizeof(HotString));
    duckdb::FlatVector::SetNull(made->data, size, true);
  }
  return made;
}

void FillVector(const ChunkColumn& column, const duckdb::LogicalType& type, uint32_t from, uint32_t count,
                DuckDictionaries& dictionaries, duckdb::Vector& vector) {
  bool matches = false;
  switch (column.type) {
    case ColumnType::kTimestamp: matches = type == duckdb::LogicalType::TIMESTAMP; break;
    case ColumnType::kDouble: matches = type == duckdb::LogicalType::DOUBLE; break;
    case ColumnType::kUInt64: matches = type == duckdb::LogicalType::UBIGINT; break;
    case ColumnType::kBool: matches = type == duckdb::LogicalType::BOOLEAN; break;
    case ColumnType::kString: matches = type == duckdb::LogicalType::VARCHAR; break;
    case ColumnType::kInt64:
      if (type == duckdb::LogicalType::DOUBLE) {
        const int64_t* integers = static_cast<const int64_t*>(column.values) + from;
        auto* doubles = duckdb::FlatVector::GetData<double>(vector);
        for (uint32_t row = 0; row < count; ++row) doubles[row] = static_cast<double>(integers[row]);
        CopyValidity(column, from, count, vector);
        return;
      }
      matches = type == duckdb::LogicalType::BIGINT;
      break;
  }
  if (!matches) {
    throw duckdb::InternalException("hot rows hold %s where the table says %s", std::string(SqlTypeName(column.type)),
                                    type.ToString());
  }
  if (column.dictionary) {
    FillCodes(column, from, count, dictionaries, vector);
    return;
  }
  size_t width = column.type == ColumnType::kString ? sizeof(HotString) : column.type == ColumnType::kBool ? 1 : 8;
  PointAt(column, from, width, vector);
  CopyValidity(column, from, count, vector);
}

void FillNull(duckdb::Vector& vector) {
  vector.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  duckdb::ConstantVector::SetNull(vector, true);
}

}  // namespace arc
