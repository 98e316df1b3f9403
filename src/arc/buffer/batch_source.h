// A batch made ready for copying or adopting: its columns matched to the table's, its tags' dictionaries translated.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "arc/buffer/chunk.h"
#include "arc/buffer/tag_interner.h"
#include "arc/model/batch.h"
#include "arc/model/schema.h"

namespace arrow {
class Array;
class DictionaryArray;
}  // namespace arrow

namespace arc {

// A tag column within one flush generation.
struct TagColumn {
  std::unique_ptr<TagInterner> interner;
  bool plain = false;            // outgrew its dictionary
  std::vector<uint32_t> recode;  // scratch: the current batch's codes -> ours
  bool identity = false;         // `recode` maps every code to itself
};

// One column of the batch. Points into the batch, the schema and the generation's tags.
struct SourceColumn {
  int schema_index = 0;
  const Column* column = nullptr;
  const std::shared_ptr<arrow::Array>* array = nullptr;
  ColumnType type = ColumnType::kDouble;  // of the array; kInt64 where the schema says kDouble: to be widened
  const uint8_t* nulls = nullptr;         // validity bitmap; null when no row is null
  int64_t nulls_offset = 0;
  TagColumn* tag = nullptr;                            // a tag column's state
  const arrow::DictionaryArray* dictionary = nullptr;  // the array, if it is a tag's
  bool coded() const { return tag != nullptr && !tag->plain; }
};

// Matches and translates batches of one flush generation; the result of Prepare is good until the next call.
class BatchPreparer {
 public:
  explicit BatchPreparer(ByteBudget* budget) : budget_(budget) {}

  // Columns in the order of the schema. Interns the tags' values; a tag that cannot take one more turns plain.
  std::span<const SourceColumn> Prepare(const Schema& schema, const Batch& batch);

  // The dictionary that codes of the column refer to, null when it is plain (or no tag).
  std::shared_ptr<const TagDictionary> DictionaryOf(int32_t field_id) const;
  // Forgets the generation's tags; their dictionaries, returned, live on in chunks.
  std::vector<std::shared_ptr<const TagDictionary>> StartGeneration();
  int64_t bytes() const;  // of the tags' tables and dictionaries

 private:
  void PrepareTag(SourceColumn* source);

  ByteBudget* const budget_;
  std::unordered_map<int32_t, TagColumn> tags_;  // by field id
  std::vector<SourceColumn> columns_;
};

}  // namespace arc
