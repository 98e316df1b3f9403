#include "arc/iceberg/snapshot_summary.h"

#include <charconv>
#include <set>
#include <utility>

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
  if (__builtin_add_overflow(total, added, &total)) return;
  (*summary)[name] = std::to_string(total);
}

}  // namespace

std::map<std::string, std::string> AppendSummary(const AppendRequest& request, const Snapshot* parent,
                                                 const MergeOutcome& merged, size_t manifests_added,
                                                 size_t manifests_carried) {
  int64_t records = 0;
  int64_t bytes = 0;
  std::set<std::pair<PartitionKind, int64_t>> partitions;
  for (const auto& file : request.files) {
    records += file.file.rows;
    bytes += file.file.bytes;
    partitions.emplace(file.kind, file.value);
  }
  const auto files = static_cast<int64_t>(request.files.size());
  std::map<std::string, std::string> summary = request.summary;
  for (const auto& [name, value] : request.set_properties) {
    if (name.starts_with("arc.flushed-lsn.")) summary[name] = value;
  }
  summary["operation"] = "append";
  summary["added-data-files"] = std::to_string(files);
  summary["added-records"] = std::to_string(records);
  summary["added-files-size"] = std::to_string(bytes);
  summary["changed-partition-count"] = std::to_string(partitions.size());
  PutTotal(parent, "total-data-files", files, &summary);
  PutTotal(parent, "total-records", records, &summary);
  PutTotal(parent, "total-files-size", bytes, &summary);
  PutTotal(parent, "total-delete-files", 0, &summary);
  PutTotal(parent, "total-position-deletes", 0, &summary);
  PutTotal(parent, "total-equality-deletes", 0, &summary);
  const auto created = static_cast<size_t>(merged.created);
  summary["manifests-created"] = std::to_string(manifests_added + created);
  summary["manifests-kept"] = std::to_string(manifests_carried - created);
  summary["manifests-replaced"] = std::to_string(merged.replaced);
  summary["entries-processed"] = std::to_string(merged.entries);
  summary["engine-name"] = "arc";
  summary["engine-version"] = ARC_VERSION;
  return summary;
}

}  // namespace arc
