#include "arc/iceberg/snapshot_summary.h"

#include <charconv>
#include <set>
#include <utility>
#include <vector>

namespace arc {
namespace {

// A total goes on from the parent's; where the parent does not say, neither can this snapshot (as in Java).
void PutTotal(const Snapshot* parent, const std::string& name, int64_t added,
              std::map<std::string, std::string>* summary) {
  int64_t total = 0;
  if (parent != nullptr) {
    const auto found = parent->summary.find(name);
    if (found == parent->summary.end()) return;
    const std::string& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), total);
    if (error != std::errc() || end != text.data() + text.size() || total < 0) return;
  }
  if (__builtin_add_overflow(total, added, &total) || total < 0) return;
  (*summary)[name] = std::to_string(total);
}

struct AddedCounts {
  int64_t files = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
  size_t partitions = 0;
};

AddedCounts CountsOf(const std::vector<AppendFile>& files) {
  AddedCounts counts;
  std::set<std::pair<PartitionKind, int64_t>> partitions;
  for (const auto& file : files) {
    ++counts.files;
    counts.rows += file.file.rows;
    counts.bytes += file.file.bytes;
    partitions.emplace(file.kind, file.value);
  }
  counts.partitions = partitions.size();
  return counts;
}

// What all operations say, `files` and so on being what the table gains.
void PutCommon(const Snapshot* parent, int64_t files, int64_t rows, int64_t bytes, const MergeOutcome& merged,
               size_t manifests_added, size_t manifests_carried, std::map<std::string, std::string>* summary) {
  PutTotal(parent, "total-data-files", files, summary);
  PutTotal(parent, "total-records", rows, summary);
  PutTotal(parent, "total-files-size", bytes, summary);
  PutTotal(parent, "total-delete-files", 0, summary);
  PutTotal(parent, "total-position-deletes", 0, summary);
  PutTotal(parent, "total-equality-deletes", 0, summary);
  const auto created = static_cast<size_t>(merged.created);
  (*summary)["manifests-created"] = std::to_string(manifests_added + created);
  (*summary)["manifests-kept"] = std::to_string(manifests_carried - created);
  (*summary)["manifests-replaced"] = std::to_string(merged.replaced);
  (*summary)["entries-processed"] = std::to_string(merged.entries);
  (*summary)["engine-name"] = "arc";
  (*summary)["engine-version"] = ARC_VERSION;
}

void PutAdded(const AddedCounts& added, std::map<std::string, std::string>* summary) {
  (*summary)["added-data-files"] = std::to_string(added.files);
  (*summary)["added-records"] = std::to_string(added.rows);
  (*summary)["added-files-size"] = std::to_string(added.bytes);
}

}  // namespace

std::map<std::string, std::string> AppendSummary(const AppendRequest& request, const Snapshot* parent,
                                                 const MergeOutcome& merged, size_t manifests_added,
                                                 size_t manifests_carried) {
  std::map<std::string, std::string> summary = request.summary;
  for (const auto& [name, value] : request.set_properties) {
    if (name.starts_with("arc.flushed-lsn.")) summary[name] = value;
  }
  summary["operation"] = "append";
  const AddedCounts added = CountsOf(request.files);
  PutAdded(added, &summary);
  summary["changed-partition-count"] = std::to_string(added.partitions);
  PutCommon(parent, added.files, added.rows, added.bytes, merged, manifests_added, manifests_carried, &summary);
  return summary;
}

std::map<std::string, std::string> ReplaceSummary(const ReplaceRequest& request, const FileCounts& removed,
                                                  const FileCounts& moved, const Snapshot* parent,
                                                  const MergeOutcome& merged, size_t manifests_added,
                                                  size_t manifests_carried) {
  std::map<std::string, std::string> summary = request.summary;
  AddedCounts added = CountsOf(request.added);
  added.files += moved.files;
  added.rows += moved.rows;
  added.bytes += moved.bytes;
  summary["operation"] = request.same_rows ? "replace" : added.files > 0 ? "overwrite" : "delete";
  if (added.files > 0) PutAdded(added, &summary);
  summary["deleted-data-files"] = std::to_string(removed.files);
  summary["deleted-records"] = std::to_string(removed.rows);
  summary["removed-files-size"] = std::to_string(removed.bytes);
  PutCommon(parent, added.files - removed.files, added.rows - removed.rows, added.bytes - removed.bytes, merged,
            manifests_added, manifests_carried, &summary);
  return summary;
}

}  // namespace arc
