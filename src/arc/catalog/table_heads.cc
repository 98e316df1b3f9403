#include "arc/catalog/table_heads.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "arc/catalog/committed_table.h"
#include "arc/iceberg/load.h"
#include "arc/iceberg/table_files.h"

namespace arc {
namespace {

constexpr std::string_view kMetadataFolder = "/metadata";

std::string_view FolderOf(std::string_view key) { return key.substr(0, key.rfind('/')); }
std::string_view NameOf(std::string_view key) { return key.substr(key.rfind('/') + 1); }

bool IsMetadataFile(std::string_view key) {
  const bool named = key.ends_with(".metadata.json") || key.ends_with(".metadata.json.gz");
  return named && key.rfind('/') != std::string_view::npos && FolderOf(key).ends_with(kMetadataFolder);
}

// The number in front of "00007-<uuid>.metadata.json", or behind the v of "v7.metadata.json"; -1: none.
int64_t VersionOf(std::string_view key) {
  std::string_view name = NameOf(key);
  if (name.starts_with('v')) name.remove_prefix(1);
  int64_t version = -1;
  (void)std::from_chars(name.data(), name.data() + name.size(), version);
  return version;
}

// One metadata file that nothing else continues, or that such a one continues.
struct Candidate {
  std::string folder;
  std::string key;
  MetadataHistory history;
  bool at_home = false;  // in the folder that its own location names
  bool hinted = false;  // version-hint.text names it or one of its ancestors: it was the table once, or goes on from it
  bool certain = false;  // it was the table once, whatever is missing now

  auto Rank() const {
    return std::tuple(at_home, hinted, history.last_sequence_number, history.last_updated_ms, VersionOf(key), key);
  }
};

// The metadata files of one folder, read as far as needed.
class MetadataFolder {
 public:
  MetadataFolder(ObjectStore& store, std::string folder, const std::vector<std::string>& keys)
      : store_(store), folder_(std::move(folder)), keys_(keys) {}

  // Those that no other file of the folder has in its log.
  Result<std::vector<Candidate>> Heads(std::vector<StrayMetadata>* strays) {
    ARC_RETURN_IF_ERROR(ReadHint());
    std::vector<Candidate> heads;
    for (const auto& key : keys_) {
      if (superseded_.contains(key)) continue;
      ARC_ASSIGN_OR_RETURN(auto candidate, Read(key, strays));
      if (candidate) heads.push_back(std::move(*candidate));
    }
    std::erase_if(heads, [&](const Candidate& head) { return superseded_.contains(head.key); });
    return heads;
  }

  // What `candidate` was made on top of; nothing when that is gone.
  Result<std::optional<Candidate>> ParentOf(const Candidate& candidate, std::vector<StrayMetadata>* strays) {
    if (candidate.history.previous.empty()) return std::optional<Candidate>();
    auto key = store_.KeyOf(candidate.history.previous.back());
    if (!key.ok() || std::find(keys_.begin(), keys_.end(), *key) == keys_.end()) return std::optional<Candidate>();
    ARC_ASSIGN_OR_RETURN(auto parent, Read(*key, strays));
    if (parent) parent->certain = true;  // commits build on what was committed
    return parent;
  }

 private:
  Status ReadHint() {
    auto text = store_.ReadAll(folder_ + "/version-hint.text");
    if (!text.ok()) return IsPassing(text.error().kind) ? Status(text.error()) : Status();
    hint_ = folder_ + "/" + text->substr(0, text->find_first_of("\r\n")) + ".metadata.json";
    return {};
  }

  Result<std::optional<Candidate>> Read(const std::string& key, std::vector<StrayMetadata>* strays) {
    auto text = ReadMetadataText(store_, store_.UriOf(key));
    if (!text.ok() && IsPassing(text.error().kind)) return std::move(text).error();
    auto history = text.ok() ? ReadHistory(*text) : Result<MetadataHistory>(text.error());
    if (!history.ok()) {
      strays->push_back({key, "it cannot be read: " + history.error().message});
      return std::optional<Candidate>();
    }
    Candidate candidate;
    candidate.folder = folder_;
    candidate.key = key;
    candidate.certain = candidate.hinted = key == hint_;
    for (const auto& uri : history->previous) {
      auto previous = store_.KeyOf(uri);
      if (!previous.ok()) continue;
      candidate.hinted = candidate.hinted || *previous == hint_;
      superseded_.insert(std::move(*previous));
    }
    const auto home = store_.KeyOf(history->location);
    candidate.at_home = !home.ok() || *home + std::string(kMetadataFolder) == folder_;
    candidate.history = std::move(*history);
    return std::optional(std::move(candidate));
  }

  ObjectStore& store_;
  const std::string folder_;
  const std::vector<std::string>& keys_;
  std::string hint_;  // key; it may not be there
  std::unordered_set<std::string> superseded_;
};

// The first thing that the table needs and the store lacks; empty: nothing. Of old snapshots only the lists are looked
// for: expiry removes them first of all, so a file that needs one that is gone was not the table any more.
class Completeness {
 public:
  Completeness(ObjectStore& store, const StoreListing& listing) : store_(store), listing_(listing) {}

  Result<std::string> WhatIsMissing(const MetadataHistory& history) {
    for (const auto& list : history.manifest_lists) {
      if (auto missing = Missing(list); !missing.empty()) return missing;
    }
    if (history.current_manifest_list.empty()) return std::string();
    return Settle(LookAtSnapshot(history.current_manifest_list));
  }

 private:
  std::string Missing(const std::string& uri, int64_t bytes = -1) const {
    const auto key = store_.KeyOf(uri);
    if (!key.ok()) return {};  // outside the root: not ours to judge
    const int64_t there = listing_.BytesOf(*key);
    if (there < 0) return *key + " is missing";
    if (bytes >= 0 && there != bytes) {
      return *key + " has " + std::to_string(there) + " bytes in place of " + std::to_string(bytes);
    }
    return {};
  }

  // An error is what is missing, unless it may pass.
  Status LookAtSnapshot(const std::string& manifest_list) const {
    ARC_ASSIGN_OR_RETURN(const auto manifests, ReadManifestListAt(store_, manifest_list));
    for (const auto& manifest : manifests) {
      if (auto missing = Missing(manifest.path); !missing.empty()) return Corruption(missing);
      ARC_ASSIGN_OR_RETURN(const std::string bytes, ReadObjectAt(store_, manifest.path));
      ARC_RETURN_IF_ERROR(ReadManifest(bytes, manifest, {false, -1}, [&](const ManifestEntry& entry) -> Status {
        if (entry.status == EntryStatus::kDeleted) return {};
        auto missing = Missing(entry.file.path, entry.file.file_size_in_bytes);
        return missing.empty() ? Status() : Corruption(std::move(missing));
      }));
    }
    return {};
  }

  static Result<std::string> Settle(const Status& looked) {
    if (looked.ok() || looked.error().kind == ErrorKind::kUnsupported) return std::string();
    if (IsPassing(looked.error().kind)) return looked.error();
    return looked.error().message;
  }

  ObjectStore& store_;
  const StoreListing& listing_;
};

class HeadFinder {
 public:
  HeadFinder(ObjectStore& store, const StoreListing& listing) : store_(store), listing_(listing) {}

  Result<FoundHeads> Find() {
    std::map<std::string, std::vector<Candidate>> by_table;
    for (const auto& [name, keys] : listing_.metadata_files()) {
      auto& folder = folders_.try_emplace(name, store_, name, keys).first->second;
      ARC_ASSIGN_OR_RETURN(auto heads, folder.Heads(&found_.strays));
      for (auto& head : heads) {
        const std::string& uuid = head.history.table_uuid;
        by_table[uuid.empty() ? name : uuid].push_back(std::move(head));
      }
    }
    for (auto& [_, candidates] : by_table) ARC_RETURN_IF_ERROR(Choose(std::move(candidates)));
    const auto by_key = [](const auto& a, const auto& b) { return a.key < b.key; };
    std::sort(found_.tables.begin(), found_.tables.end(), by_key);
    std::sort(found_.strays.begin(), found_.strays.end(), by_key);
    return std::move(found_);
  }

 private:
  // A head that is not whole is a commit that a crash cut short before the pointer moved: then the table is what it
  // built on. That one was committed, so what it lacks was lost later, and going back further would lose more.
  Status Choose(std::vector<Candidate> candidates) {
    while (!candidates.empty()) {
      auto best = std::max_element(candidates.begin(), candidates.end(),
                                   [](const Candidate& a, const Candidate& b) { return a.Rank() < b.Rank(); });
      Candidate candidate = std::move(*best);
      candidates.erase(best);
      ARC_ASSIGN_OR_RETURN(std::string missing, Completeness(store_, listing_).WhatIsMissing(candidate.history));
      if (missing.empty() || candidate.certain) return Settle(std::move(candidate), std::move(missing), candidates);
      ARC_ASSIGN_OR_RETURN(auto parent, folders_.at(candidate.folder).ParentOf(candidate, &found_.strays));
      const bool parent_is_known = parent && std::any_of(candidates.begin(), candidates.end(),
                                                         [&](const Candidate& c) { return IsAncestor(*parent, c); });
      if (!parent && !candidate.history.previous.empty()) {
        return Settle(std::move(candidate), std::move(missing), candidates);
      }
      found_.strays.push_back({candidate.key, "it was never the table: " + missing});
      if (parent && !parent_is_known) candidates.push_back(std::move(*parent));
    }
    return {};
  }

  bool IsAncestor(const Candidate& ancestor, const Candidate& candidate) const {
    const auto& previous = candidate.history.previous;
    return std::find(previous.begin(), previous.end(), store_.UriOf(ancestor.key)) != previous.end();
  }

  Status Settle(Candidate chosen, std::string damage, const std::vector<Candidate>& others) {
    for (const auto& other : others) {
      found_.strays.push_back({other.key, other.at_home ? "the table went another way, to " + chosen.key
                                                        : "it is a copy from " + other.history.location});
    }
    found_.tables.push_back(
        {std::move(chosen.folder), std::move(chosen.key), std::move(chosen.history), std::move(damage)});
    return {};
  }

  ObjectStore& store_;
  const StoreListing& listing_;
  std::unordered_map<std::string, MetadataFolder> folders_;
  FoundHeads found_;
};

}  // namespace

StoreListing::StoreListing(std::vector<ObjectInfo> objects) {
  bytes_.reserve(objects.size());
  for (auto& object : objects) {
    if (IsMetadataFile(object.key)) metadata_files_[std::string(FolderOf(object.key))].push_back(object.key);
    bytes_.emplace(std::move(object.key), object.bytes);
  }
  for (auto& [_, keys] : metadata_files_) {
    std::sort(keys.begin(), keys.end(), [](const std::string& a, const std::string& b) {
      return std::pair(VersionOf(a), a) > std::pair(VersionOf(b), b);
    });
  }
}

int64_t StoreListing::BytesOf(const std::string& key) const {
  const auto found = bytes_.find(key);
  return found == bytes_.end() ? -1 : found->second;
}

Result<FoundHeads> FindTableHeads(ObjectStore& store, const StoreListing& listing) {
  return HeadFinder(store, listing).Find();
}

}  // namespace arc
