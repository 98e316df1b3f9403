#include "arc/parquet/tag_codes.h"

#include <arrow/array.h>
#include <arrow/array/array_dict.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bit_run_reader.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "arc/parquet/arrow_error.h"

namespace arc {
namespace {

template <typename Visit>
void ForEachCode(const arrow::Array& array, Visit&& visit) {
  const auto* codes = array.data()->GetValues<int32_t>(1);
  auto run = [&](int64_t first, int64_t count) {
    for (int64_t row = first; row < first + count; ++row) visit(row, codes[row]);
  };
  if (array.null_count() == 0) {
    run(0, array.length());
  } else {
    arrow::internal::VisitSetBitRunsVoid(array.null_bitmap_data(), array.offset(), array.length(), run);
  }
}

bool IsIdentity(const std::vector<int32_t>& map) {
  for (size_t i = 0; i < map.size(); ++i) {
    if (map[i] != static_cast<int32_t>(i)) return false;
  }
  return true;
}

arrow::Result<CommonDictionary> Common(const std::vector<std::shared_ptr<arrow::Array>>& arrays) {
  CommonDictionary common;
  common.maps.resize(arrays.size());
  std::unordered_map<const arrow::ArrayData*, std::vector<size_t>> holders;
  std::vector<std::shared_ptr<arrow::ArrayData>> distinct;
  for (size_t i = 0; i < arrays.size(); ++i) {
    // An array of nulls only fits any dictionary.
    if (arrays[i]->null_count() == arrays[i]->length()) continue;
    const auto& dictionary = arrays[i]->data()->dictionary;
    auto& indices = holders[dictionary.get()];
    if (indices.empty()) distinct.push_back(dictionary);
    indices.push_back(i);
  }
  if (distinct.empty()) {
    ARROW_ASSIGN_OR_RAISE(auto none, arrow::MakeEmptyArray(arrow::utf8()));
    common.dictionary = none->data();
    return common;
  }
  if (distinct.size() == 1) {
    common.dictionary = distinct[0];
    return common;
  }
  ARROW_ASSIGN_OR_RAISE(auto unifier, arrow::DictionaryUnifier::Make(arrow::utf8()));
  for (const auto& dictionary : distinct) {
    std::shared_ptr<arrow::Buffer> transposed;
    ARROW_RETURN_NOT_OK(unifier->Unify(*arrow::MakeArray(dictionary), &transposed));
    const auto* codes = reinterpret_cast<const int32_t*>(transposed->data());
    const std::vector<int32_t> map(codes, codes + dictionary->length);
    if (IsIdentity(map)) continue;
    for (const size_t i : holders[dictionary.get()]) common.maps[i] = map;
  }
  std::shared_ptr<arrow::Array> unified;
  ARROW_RETURN_NOT_OK(unifier->GetResultWithIndexType(arrow::int32(), &unified));
  common.dictionary = unified->data();
  return common;
}

// The entries in use of the dictionary of `tags`, and the codes moved over to them.
arrow::Result<std::shared_ptr<arrow::Array>> Shrink(const arrow::Array& tags, const std::vector<uint8_t>& used) {
  const arrow::StringArray values(tags.data()->dictionary);
  arrow::StringBuilder kept;
  std::vector<int32_t> map(used.size(), 0);
  for (size_t code = 0; code < used.size(); ++code) {
    if (used[code] == 0) continue;
    map[code] = static_cast<int32_t>(kept.length());
    ARROW_RETURN_NOT_OK(kept.Append(values.GetView(static_cast<int64_t>(code))));
  }
  ARROW_ASSIGN_OR_RAISE(auto dictionary, kept.Finish());
  // The new codes keep the array's offset, so that its validity may stay.
  auto data = tags.data()->Copy();
  const int64_t bytes = (tags.offset() + tags.length()) * static_cast<int64_t>(sizeof(int32_t));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> codes, arrow::AllocateBuffer(bytes));
  std::memset(codes->mutable_data(), 0, static_cast<size_t>(bytes));
  auto* to = reinterpret_cast<int32_t*>(codes->mutable_data()) + tags.offset();
  ForEachCode(tags, [&](int64_t row, int32_t code) { to[row] = map[static_cast<size_t>(code)]; });
  data->buffers[1] = std::move(codes);
  data->dictionary = dictionary->data();
  return arrow::MakeArray(data);
}

}  // namespace

arrow::Result<GroupTags> DropUnusedTags(const std::shared_ptr<arrow::Array>& tags) {
  GroupTags group;
  group.array = tags;
  group.used.assign(static_cast<size_t>(tags->data()->dictionary->length), 0);
  ForEachCode(*tags, [&](int64_t, int32_t code) { group.used[static_cast<size_t>(code)] = 1; });
  const auto in_use = static_cast<size_t>(std::count(group.used.begin(), group.used.end(), uint8_t{1}));
  // Entries without rows (of other hours, say) are dead weight.
  if (in_use * 4 < group.used.size() * 3) {
    ARROW_ASSIGN_OR_RAISE(group.array, Shrink(*tags, group.used));
  }
  return group;
}

Result<CommonDictionary> FindCommonDictionary(const std::vector<std::shared_ptr<arrow::Array>>& arrays) {
  return FromArrow(Common(arrays));
}

}  // namespace arc
