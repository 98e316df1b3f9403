// The files and hot rows that one scan still has to read: pruned by time, in the order that ends a top-N early.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "arc/catalog/table.h"
#include "arc/query/arc_catalog.h"
#include "arc/query/time_ranges.h"
#include "duckdb/common/multi_file/multi_file_list.hpp"
#include "duckdb/planner/filter/dynamic_filter.hpp"

namespace arc {

// The position of `time` in every table.
inline constexpr duckdb::idx_t kTimeColumn = 0;

enum class ScanOrder { kNone, kOldestFirst, kNewestFirst };

// Every view of hot rows that holds a row; they live as long as `hot`.
std::vector<const ChunkView*> ChunksOf(const HotRows& hot);

// One thing to read: a file, or all hot rows together.
struct ScanItem {
  static constexpr int64_t kHot = -1;
  int64_t file = kHot;  // position in the file index
  int64_t rows = 0;
  int64_t min_time = 0;
  int64_t max_time = 0;
};

// Thread-safe once the plan is made, as DuckDB asks of file lists.
class ArcFileList : public duckdb::MultiFileList {
 public:
  ArcFileList(std::shared_ptr<const TableVersion> version, const QuerySources& sources);
  ArcFileList(const ArcFileList& other);

  const TableVersion& version() const { return *version_; }
  const TimeRanges& ranges() const { return ranges_; }
  ScanOrder order() const { return order_; }
  // Set while planning only. Nothing: the plan has found that no row is asked for.
  void SetOrder(ScanOrder order);
  void SetNothing();
  // The positions of files of which every row lies in `ranges`; they are not read.
  std::vector<uint32_t> TakeFilesWithin(const TimeRanges& ranges);
  const std::vector<ScanItem>& items() const;
  // How much items() has. Lists nothing where nothing is pruned: planning asks before it prunes.
  struct Extent {
    size_t files = 0;
    int64_t hot_rows = 0;
  };
  Extent extent() const;

  duckdb::unique_ptr<duckdb::MultiFileList> ComplexFilterPushdown(
      duckdb::ClientContext&, const duckdb::MultiFileOptions&, duckdb::MultiFilePushdownInfo& info,
      duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& filters) const override;
  duckdb::unique_ptr<duckdb::MultiFileList> DynamicFilterPushdown(duckdb::ClientContext&,
                                                                  const duckdb::MultiFileOptions&,
                                                                  const duckdb::vector<duckdb::string>&,
                                                                  const duckdb::vector<duckdb::LogicalType>&,
                                                                  const duckdb::vector<duckdb::column_t>& column_ids,
                                                                  duckdb::TableFilterSet& filters) const override;
  duckdb::vector<duckdb::OpenFileInfo> GetAllFiles() const override;
  duckdb::FileExpandResult GetExpandResult() const override;
  duckdb::idx_t GetTotalFileCount() const override;
  duckdb::vector<duckdb::OpenFileInfo> GetDisplayFileList(duckdb::optional_idx max_files) const override;
  duckdb::unique_ptr<duckdb::NodeStatistics> GetCardinality(duckdb::ClientContext&) const override;
  duckdb::unique_ptr<duckdb::MultiFileList> Copy() const override;

 protected:
  // No path: the scan ends, because this and all later items lie beyond the top-N's bound.
  duckdb::OpenFileInfo GetFile(duckdb::idx_t i) const override;

 private:
  std::vector<ScanItem> MakeItems() const;
  bool IsWhole() const { return ranges_.all() && !nothing_ && taken_.none(); }
  bool Beyond(const ScanItem& item) const;
  duckdb::OpenFileInfo InfoOf(const ScanItem& item) const;
  void PrefetchFrom(size_t i) const;
  void Narrow(const TimeRanges& ranges);

  const std::shared_ptr<const TableVersion> version_;
  const QuerySources& sources_;
  TimeRanges ranges_ = TimeRanges::All();
  ScanOrder order_ = ScanOrder::kNone;
  bool nothing_ = false;
  TimeRanges taken_ = TimeRanges::None();
  std::vector<duckdb::shared_ptr<duckdb::DynamicFilterData>> top_n_;
  // Made when first asked for: planning `count(*)` over 100,000 files must not list them.
  mutable std::mutex mutex_;
  mutable std::unique_ptr<const std::vector<ScanItem>> items_;
  mutable std::atomic<size_t> prefetched_{0};  // items before this one are known to the store
};

// Whether GetFile gave the hot rows rather than a file.
bool IsHot(const duckdb::OpenFileInfo& file);
// Of a file that GetFile gave: its position in the version's index.
int64_t FilePositionOf(const duckdb::OpenFileInfo& file);

}  // namespace arc
