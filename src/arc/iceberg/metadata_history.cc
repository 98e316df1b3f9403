#include "arc/iceberg/metadata_history.h"

#include <algorithm>
#include <charconv>

#include "arc/iceberg/metadata_document.h"

namespace arc {
namespace {

std::string TextOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int64_t RowsOf(const Json& snapshot) {
  const auto summary = snapshot.find("summary");
  if (summary == snapshot.end() || !summary->is_object()) return -1;
  const std::string text = TextOf(*summary, "total-records");
  int64_t rows = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rows);
  return error == std::errc() && end == text.data() + text.size() ? rows : -1;
}

}  // namespace

Result<MetadataHistory> ReadHistory(std::string_view json) {
  ARC_ASSIGN_OR_RETURN(const Json document, ParseDocument(json));
  MetadataHistory history;
  history.table_uuid = TextOf(document, "table-uuid");
  history.location = document["location"].get<std::string>();
  history.last_sequence_number = document["last-sequence-number"].get<int64_t>();
  history.last_updated_ms = document["last-updated-ms"].get<int64_t>();
  history.first_known_ms = history.last_updated_ms;
  const int64_t current = document["current-snapshot-id"].get<int64_t>();
  for (const auto& snapshot : document["snapshots"]) {
    const std::string list = TextOf(snapshot, "manifest-list");
    if (list.empty()) continue;  // version 1 may name its manifests in place of a list
    history.manifest_lists.push_back(list);
    if (snapshot["snapshot-id"] != current) continue;
    history.current_manifest_list = list;
    history.rows = RowsOf(snapshot);
  }
  if (current == kNoSnapshot) history.rows = 0;
  for (const char* list : {"statistics", "partition-statistics"}) {
    for (const auto& entry : document[list]) {
      std::string path = TextOf(entry, "statistics-path");
      if (!path.empty()) history.statistics.push_back(std::move(path));
    }
  }
  for (const auto& entry : document["metadata-log"]) {
    const std::string file = TextOf(entry, "metadata-file");
    if (!file.empty()) history.previous.push_back(file);
    history.first_known_ms = std::min(history.first_known_ms, entry["timestamp-ms"].get<int64_t>());
  }
  return history;
}

}  // namespace arc
