#include "arc/buffer/batch_source.h"

#include <arrow/array.h>

#include <algorithm>

#include "arc/base/check.h"
#include "arc/buffer/bitmap.h"

namespace arc {
namespace {

constexpr uint32_t kNotYet = UINT32_MAX - 1;

// Batches name their columns mostly in the schema's order: look behind the last match first.
int FindExact(const Schema& schema, std::string_view name, size_t start) {
  const size_t count = schema.columns.size();
  for (size_t i = 0; i < count; ++i) {
    size_t at = start + i;
    if (at >= count) at -= count;
    if (schema.columns[at].name == name) return static_cast<int>(at);
  }
  return -1;
}

void CheckArrowType(const SourceColumn& source, const BatchColumn& from) {
  const auto id = from.values->type_id();
  switch (from.type) {
    case ColumnType::kTimestamp: ARC_CHECK(id == arrow::Type::TIMESTAMP); return;
    case ColumnType::kDouble: ARC_CHECK(id == arrow::Type::DOUBLE); return;
    case ColumnType::kInt64: ARC_CHECK(id == arrow::Type::INT64); return;
    case ColumnType::kUInt64: ARC_CHECK(id == arrow::Type::UINT64); return;
    case ColumnType::kBool: ARC_CHECK(id == arrow::Type::BOOL); return;
    case ColumnType::kString:
      ARC_CHECK(id == (source.column->role == ColumnRole::kTag ? arrow::Type::DICTIONARY : arrow::Type::STRING));
      return;
  }
}

}  // namespace

std::span<const SourceColumn> BatchPreparer::Prepare(const Schema& schema, const Batch& batch) {
  columns_.clear();
  size_t start = 0;
  for (const auto& from : batch.columns) {
    const int index = FindExact(schema, from.name, start);
    ARC_CHECK(index >= 0);
    start = static_cast<size_t>(index) + 1;
    SourceColumn source;
    source.schema_index = index;
    source.column = &schema.columns[static_cast<size_t>(index)];
    source.array = &from.values;
    source.type = from.type;
    ARC_CHECK(from.type == source.column->type ||
              (from.type == ColumnType::kInt64 && source.column->type == ColumnType::kDouble));
    ARC_CHECK(from.values->length() == batch.rows);
    CheckArrowType(source, from);
    if (from.values->null_count() > 0) {
      source.nulls = from.values->null_bitmap_data();
      source.nulls_offset = from.values->offset();
    }
    if (source.column->role == ColumnRole::kTag && source.column->type == ColumnType::kString) PrepareTag(&source);
    columns_.push_back(source);
  }
  auto by_index = [](const SourceColumn& a, const SourceColumn& b) { return a.schema_index < b.schema_index; };
  if (!std::is_sorted(columns_.begin(), columns_.end(), by_index)) {
    std::sort(columns_.begin(), columns_.end(), by_index);
  }
  ARC_CHECK(!columns_.empty() && columns_[0].column->role == ColumnRole::kTime && columns_[0].nulls == nullptr);
  return columns_;
}

void BatchPreparer::PrepareTag(SourceColumn* source) {
  TagColumn& tag = tags_[source->column->field_id];
  if (tag.interner == nullptr) tag.interner = std::make_unique<TagInterner>(budget_);
  source->tag = &tag;
  source->dictionary = static_cast<const arrow::DictionaryArray*>(source->array->get());
  if (tag.plain) return;
  const auto& values = static_cast<const arrow::StringArray&>(*source->dictionary->dictionary());
  const auto& codes = static_cast<const arrow::Int32Array&>(*source->dictionary->indices());
  const int64_t entries = values.length();
  tag.identity = true;
  auto intern = [&](int64_t code) {
    const uint32_t ours = tag.interner->Intern(values.GetView(code));
    if (ours == TagInterner::kFull) {
      tag.plain = true;
      return false;
    }
    tag.recode[static_cast<size_t>(code)] = ours;
    if (ours != code) tag.identity = false;
    return true;
  };
  if (entries <= codes.length()) {
    tag.recode.resize(static_cast<size_t>(entries));
    for (int64_t code = 0; code < entries; ++code) {
      if (!intern(code)) return;
    }
    return;
  }
  // More values than rows: only what rows refer to goes into the dictionary.
  tag.recode.assign(static_cast<size_t>(entries), kNotYet);
  for (int64_t row = 0; row < codes.length(); ++row) {
    if (source->nulls != nullptr && codes.IsNull(row)) continue;
    const int32_t code = codes.Value(row);
    if (tag.recode[static_cast<size_t>(code)] == kNotYet && !intern(code)) return;
  }
}

std::shared_ptr<const TagDictionary> BatchPreparer::DictionaryOf(int32_t field_id) const {
  auto found = tags_.find(field_id);
  if (found == tags_.end() || found->second.plain) return nullptr;
  return found->second.interner->dictionary();
}

std::vector<std::shared_ptr<const TagDictionary>> BatchPreparer::StartGeneration() {
  std::vector<std::shared_ptr<const TagDictionary>> dictionaries;
  for (const auto& [id, tag] : tags_) dictionaries.push_back(tag.interner->dictionary());
  tags_.clear();
  columns_.clear();
  return dictionaries;
}

int64_t BatchPreparer::bytes() const {
  int64_t bytes = 0;
  for (const auto& [id, tag] : tags_) bytes += tag.interner->bytes();
  return bytes;
}

}  // namespace arc
