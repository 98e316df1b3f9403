#include "arc/io/power_cut_names.h"

#include "arc/base/check.h"
#include "arc/io/path.h"

namespace arc {

PowerCutNames::PowerCutNames() : root_(std::make_shared<PowerCutNode>()) { root_->is_directory = true; }

PowerCutNodePtr PowerCutNames::Find(const std::string& path) const {
  std::string absolute = AbsolutePath(path);
  PowerCutNodePtr node = root_;
  for (size_t begin = 1; begin < absolute.size();) {
    size_t end = std::min(absolute.find('/', begin), absolute.size());
    auto found = node->names.find(absolute.substr(begin, end - begin));
    if (found == node->names.end()) return nullptr;
    node = found->second;
    begin = end + 1;
  }
  return node;
}

PowerCutPlace PowerCutNames::PlaceOf(const std::string& path) const {
  std::string absolute = AbsolutePath(path);
  if (absolute == "/") return {};
  PowerCutNodePtr folder = Find(ParentFolder(absolute));
  if (folder == nullptr || !folder->is_directory) return {};
  return {std::move(folder), absolute.substr(absolute.rfind('/') + 1)};
}

PowerCutNodePtr PowerCutNames::Make(const PowerCutPlace& place, bool is_directory) {
  auto node = std::make_shared<PowerCutNode>();
  node->id = next_id_++;
  node->is_directory = is_directory;
  place.folder->names[place.name] = node;
  pending_.push_back({{place}, node, nullptr, false});
  return node;
}

void PowerCutNames::Remove(const PowerCutPlace& place) {
  auto found = place.folder->names.find(place.name);
  ARC_CHECK(found != place.folder->names.end());
  pending_.push_back({{place}, nullptr, found->second->is_directory ? found->second : nullptr, false});
  place.folder->names.erase(found);
}

void PowerCutNames::Rename(const PowerCutPlace& from, const PowerCutPlace& to) {
  auto found = from.folder->names.find(from.name);
  ARC_CHECK(found != from.folder->names.end());
  PowerCutNodePtr node = found->second;
  auto replaced = to.folder->names.find(to.name);
  bool replaces_folder = replaced != to.folder->names.end() && replaced->second->is_directory;
  pending_.push_back({{from, to}, node, replaces_folder ? replaced->second : nullptr, true});
  from.folder->names.erase(found);
  to.folder->names[to.name] = std::move(node);
}

bool PowerCutNames::IsPending(const PowerCutNodePtr& folder) const {
  for (const Change& change : pending_) {
    for (const PowerCutPlace& place : change.places) {
      if (place.folder == folder) return true;
    }
  }
  return false;
}

void PowerCutNames::Apply(const Change& change) {
  for (const PowerCutPlace& place : change.places) place.folder->durable_names.erase(place.name);
  const PowerCutPlace& last = change.places.back();
  if (change.node != nullptr) last.folder->durable_names[last.name] = change.node;
}

// Backwards, so that whatever a needed change rests on becomes needed too.
void PowerCutNames::Sync(const PowerCutNodePtr& folder) {
  std::set<PowerCutPlace> places;
  std::set<PowerCutNodePtr> folders{folder};  // all changes in them
  std::set<PowerCutNodePtr> nodes;            // what made them
  std::vector<bool> needed(pending_.size());
  for (size_t i = pending_.size(); i-- > 0;) {
    const Change& change = pending_[i];
    bool is_needed = change.node != nullptr && nodes.contains(change.node);
    for (const PowerCutPlace& place : change.places) {
      is_needed = is_needed || folders.contains(place.folder) || places.contains(place);
    }
    if (!is_needed) continue;
    needed[i] = true;
    places.insert(change.places.begin(), change.places.end());
    if (change.removed != nullptr) folders.insert(change.removed);
    // What existed must not vanish by being moved into a folder that is not found.
    if (change.moves) nodes.insert(change.places.back().folder);
    if (change.node != nullptr && nodes.contains(change.node)) nodes.insert(change.places.back().folder);
  }
  std::vector<Change> still_pending;
  for (size_t i = 0; i < pending_.size(); ++i) {
    if (needed[i]) {
      Apply(pending_[i]);
    } else {
      still_pending.push_back(std::move(pending_[i]));
    }
  }
  pending_ = std::move(still_pending);
}

// Forwards: a change that is not found takes with it whatever rests on it.
void PowerCutNames::Cut(CutMode mode, RandomSource& random) {
  std::set<PowerCutPlace> lost_places;
  std::set<PowerCutNodePtr> lost_folders;  // in which some change is lost
  std::set<PowerCutNodePtr> lost_nodes;    // that may have no name
  for (const Change& change : pending_) {
    bool found = mode == CutMode::kEverything || (mode == CutMode::kMixture && random.NextU64() % 2 == 0);
    for (const PowerCutPlace& place : change.places) found = found && !lost_places.contains(place);
    if (change.removed != nullptr && lost_folders.contains(change.removed)) found = false;
    if (change.moves && lost_nodes.contains(change.places.back().folder)) found = false;
    if (found) {
      Apply(change);
      if (change.node != nullptr && !change.moves && lost_nodes.contains(change.places.back().folder)) {
        lost_nodes.insert(change.node);
      }
      continue;
    }
    for (const PowerCutPlace& place : change.places) {
      lost_places.insert(place);
      lost_folders.insert(place.folder);
    }
    if (change.node != nullptr && !change.moves) lost_nodes.insert(change.node);
  }
  pending_.clear();
  CutTree(root_, mode, random.NextU64());
}

// Draws for each file from a source of its own, so that outcomes do not depend on how temporary files are called.
void PowerCutNames::CutTree(const PowerCutNodePtr& folder, CutMode mode, uint64_t seed) {
  folder->names = folder->durable_names;
  for (const auto& [name, node] : folder->names) {
    if (node->is_directory) {
      CutTree(node, mode, seed);
      continue;
    }
    SeededRandom random(SeededRandom(seed ^ node->id).NextU64());
    node->file.Cut(mode, random);
  }
}

void PowerCutNames::ForEachFile(const std::function<void(const PowerCutNode&)>& call) const {
  std::vector<const PowerCutNode*> folders{root_.get()};
  while (!folders.empty()) {
    const PowerCutNode* folder = folders.back();
    folders.pop_back();
    for (const auto& [name, node] : folder->names) {
      if (node->is_directory) {
        folders.push_back(node.get());
      } else {
        call(*node);
      }
    }
  }
}

}  // namespace arc
