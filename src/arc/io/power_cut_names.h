// The names of a PowerCutDisk: the tree that callers see, and what may be found of it after a power cut.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "arc/base/uuid.h"
#include "arc/io/power_cut_file.h"

namespace arc {

// A file or folder. Files stay alive without a name while somebody has them open.
struct PowerCutNode {
  uint64_t id = 0;  // in order of creation
  bool is_directory = false;
  PowerCutFile file;
  std::map<std::string, std::shared_ptr<PowerCutNode>> names;
  std::map<std::string, std::shared_ptr<PowerCutNode>> durable_names;
};
using PowerCutNodePtr = std::shared_ptr<PowerCutNode>;

// Where a name stands: a folder and an element.
struct PowerCutPlace {
  PowerCutNodePtr folder;
  std::string name;
  auto operator<=>(const PowerCutPlace&) const = default;
};

// Not thread-safe. A change of names is found after a cut if it was synced, and may be found if not, in any order
// between different names; changes of one name keep their order, a rename takes both its names or none, and removing a
// folder implies the removal of what was in it.
class PowerCutNames {
 public:
  PowerCutNames();

  // Null when nothing is there.
  PowerCutNodePtr Find(const std::string& path) const;
  // The place of `path`; its folder is null when there is none.
  PowerCutPlace PlaceOf(const std::string& path) const;

  PowerCutNodePtr Make(const PowerCutPlace& place, bool is_directory);
  void Remove(const PowerCutPlace& place);
  void Rename(const PowerCutPlace& from, const PowerCutPlace& to);
  // Whether syncing the folder would change anything.
  bool IsPending(const PowerCutNodePtr& folder) const;
  void Sync(const PowerCutNodePtr& folder);
  // Becomes what is found after a power cut, the files' content included.
  void Cut(CutMode mode, RandomSource& random);
  // Calls for every file that has a name.
  void ForEachFile(const std::function<void(const PowerCutNode&)>& call) const;

 private:
  struct Change {
    std::vector<PowerCutPlace> places;  // every name it touches; unset, except the last if `node` is set there
    PowerCutNodePtr node;
    PowerCutNodePtr removed;  // by this change, if a folder
    bool moves = false;
  };

  static void Apply(const Change& change);
  static void CutTree(const PowerCutNodePtr& folder, CutMode mode, uint64_t seed);

  uint64_t next_id_ = 1;
  PowerCutNodePtr root_;
  std::vector<Change> pending_;
};

}  // namespace arc
