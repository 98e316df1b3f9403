#include "arc/maintain/compactor.h"

#include <algorithm>
#include <utility>

#include "arc/base/log.h"
#include "arc/flush/file_name.h"
#include "arc/parquet/merge.h"

namespace arc {
namespace {

using Files = std::vector<std::shared_ptr<const FileEntry>>;

std::vector<MergeInput> InputsOf(const Files& files) {
  std::vector<MergeInput> inputs;
  inputs.reserve(files.size());
  for (const auto& file : files) inputs.push_back({file->key, file->bytes, file->rows, file->min_time});
  return inputs;
}

// Takes the files to blame out of `files`.
void Leave(const std::vector<MergeRefusal>& refused, const TableRef& table, Files* files, std::vector<LeftFile>* left) {
  for (auto refusal = refused.rbegin(); refusal != refused.rend(); ++refusal) {
    const std::string& key = (*files)[refusal->input]->key;
    Log(LogLevel::kWarning, "compaction", "a file is left as it is",
        {{"table", table.database + "." + table.name}, {"file", key}, {"error", refusal->error.message}});
    left->push_back({key, refusal->error});
    files->erase(files->begin() + static_cast<std::ptrdiff_t>(refusal->input));
  }
}

}  // namespace

Schema FileColumns(const Schema& schema) {
  Schema columns = schema;
  std::erase_if(columns.columns, [](const Column& column) { return !column.type_fixed; });
  return columns;
}

Result<CompactionResult> Compactor::Run(Table& table, const CompactionCandidate& candidate, const Uuid& job,
                                        const std::function<bool()>& is_cancelled, std::vector<LeftFile>* left) const {
  const Schema schema = FileColumns(*table.Current()->schema);
  Files files = candidate.files;
  MergeOptions options{parquet_, policy_.target_bytes, is_cancelled};
  options.parquet.row_group_rows = MergeGroupRows(schema.columns.size(), policy_.memory_bytes);
  int number = 0;
  const auto next_key = [&](int64_t first_time) {
    return CompactedFileKey(table.ref(), candidate.partition, candidate.value, first_time, job, number++);
  };
  std::vector<WrittenFile> merged;
  for (;;) {
    std::vector<MergeRefusal> refused;
    auto outputs = MergeDataFiles(store_, schema, InputsOf(files), options, next_key, &refused);
    if (outputs.ok()) {
      merged = std::move(*outputs);
      break;
    }
    if (refused.empty()) return std::move(outputs).error();
    Leave(refused, table.ref(), &files, left);
    if (files.size() < 2) return std::move(outputs).error();
  }
  FileReplacement replacement;
  CompactionResult result;
  result.files_before = static_cast<int>(files.size());
  result.files_after = static_cast<int>(merged.size());
  for (const auto& file : files) {
    result.bytes_before += file->bytes;
    result.rows += file->rows;
  }
  for (auto& file : merged) {
    result.bytes_after += file.bytes;
    replacement.added.push_back({std::move(file), candidate.partition, candidate.value});
  }
  replacement.removed = std::move(files);
  replacement.summary["arc.compaction-job"] = job.ToString();
  ARC_RETURN_IF_ERROR(catalog_.CommitReplace(table, replacement));
  return result;
}

}  // namespace arc
