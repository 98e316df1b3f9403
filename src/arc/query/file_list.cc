#include "arc/query/file_list.h"

#include <algorithm>
#include <utility>

#include "arc/query/store_file_system.h"
#include "arc/query/time_filter.h"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/filter/conjunction_filter.hpp"
#include "duckdb/planner/filter/optional_filter.hpp"
#include "duckdb/storage/statistics/node_statistics.hpp"

namespace arc {
namespace {

constexpr size_t kPrefetchedFiles = 16;
constexpr const char* kHotOption = "arc_hot";
constexpr const char* kPositionOption = "arc_position";

// The bounds that a running top-N keeps tightening.
void CollectTopN(const duckdb::TableFilter& filter,
                 std::vector<duckdb::shared_ptr<duckdb::DynamicFilterData>>* result) {
  switch (filter.filter_type) {
    case duckdb::TableFilterType::OPTIONAL_FILTER:
      if (const auto& child = filter.Cast<duckdb::OptionalFilter>().child_filter) CollectTopN(*child, result);
      break;
    case duckdb::TableFilterType::CONJUNCTION_AND:
      for (const auto& child : filter.Cast<duckdb::ConjunctionAndFilter>().child_filters) CollectTopN(*child, result);
      break;
    case duckdb::TableFilterType::DYNAMIC_FILTER:
      if (const auto& data = filter.Cast<duckdb::DynamicFilter>().filter_data) result->push_back(data);
      break;
    default: break;
  }
}

}  // namespace

bool IsHot(const duckdb::OpenFileInfo& file) {
  return file.extended_info && file.extended_info->options.count(kHotOption) != 0;
}

int64_t FilePositionOf(const duckdb::OpenFileInfo& file) {
  return file.extended_info->options.at(kPositionOption).GetValue<int64_t>();
}

std::vector<const ChunkView*> ChunksOf(const HotRows& hot) {
  std::vector<const ChunkView*> result;
  if (hot.sealed) {
    result.reserve(hot.sealed->size() + 1);
    for (const ChunkView& view : *hot.sealed) {
      if (view.rows > 0) result.push_back(&view);
    }
  }
  if (hot.open.chunk && hot.open.rows > 0) result.push_back(&hot.open);
  return result;
}

ArcFileList::ArcFileList(std::shared_ptr<const TableVersion> version, const QuerySources& sources)
    : version_(std::move(version)), sources_(sources) {}

ArcFileList::ArcFileList(const ArcFileList& other)
    : version_(other.version_),
      sources_(other.sources_),
      ranges_(other.ranges_),
      order_(other.order_),
      nothing_(other.nothing_),
      taken_(other.taken_),
      top_n_(other.top_n_) {}

void ArcFileList::SetOrder(ScanOrder order) {
  order_ = order;
  items_.reset();
}

void ArcFileList::SetNothing() {
  nothing_ = true;
  items_.reset();
}

std::vector<uint32_t> ArcFileList::TakeFilesWithin(const TimeRanges& ranges) {
  std::vector<uint32_t> within;
  for (const ScanItem& item : items()) {
    if (item.file != ScanItem::kHot && ranges.Contains(item.min_time, item.max_time)) {
      within.push_back(static_cast<uint32_t>(item.file));
    }
  }
  taken_ = ranges;
  items_.reset();
  return within;
}

void ArcFileList::Narrow(const TimeRanges& ranges) {
  ranges_ = ranges_.And(ranges);
  items_.reset();
}

const std::vector<ScanItem>& ArcFileList::items() const {
  std::lock_guard lock(mutex_);
  if (!items_) items_ = std::make_unique<const std::vector<ScanItem>>(MakeItems());
  return *items_;
}

ArcFileList::Extent ArcFileList::extent() const {
  if (IsWhole()) return {version_->files->files().size(), static_cast<int64_t>(version_->hot.rows)};
  Extent result;
  for (const ScanItem& item : items()) {
    if (item.file == ScanItem::kHot) {
      result.hot_rows = item.rows;
    } else {
      ++result.files;
    }
  }
  return result;
}

std::vector<ScanItem> ArcFileList::MakeItems() const {
  std::vector<ScanItem> result;
  if (nothing_) return result;
  ScanItem hot;
  for (const ChunkView* chunk : ChunksOf(version_->hot)) {
    if (!ranges_.Meets(chunk->min_time, chunk->max_time)) continue;
    hot.min_time = hot.rows == 0 ? chunk->min_time : std::min(hot.min_time, chunk->min_time);
    hot.max_time = hot.rows == 0 ? chunk->max_time : std::max(hot.max_time, chunk->max_time);
    hot.rows += chunk->rows;
  }
  const auto& files = version_->files->files();
  auto add = [&](uint32_t position) {
    const FileEntry& file = *files[position];
    if (taken_.Contains(file.min_time, file.max_time)) return;
    result.push_back({position, file.rows, file.min_time, file.max_time});
  };
  if (hot.rows > 0) result.push_back(hot);
  if (ranges_.all()) {
    result.reserve(files.size() + 1);
    for (uint32_t i = 0; i < files.size(); ++i) add(i);
  } else {
    std::vector<uint32_t> positions;
    for (const TimeInterval& interval : ranges_.intervals()) {
      version_->files->Prune(interval.from, interval.to, &positions);
    }
    std::sort(positions.begin(), positions.end());
    positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
    result.reserve(positions.size() + 1);
    for (uint32_t position : positions) add(position);
  }
  // The early end of a top-N rests on this: once an item lies beyond the bound, so do all that follow.
  if (order_ == ScanOrder::kNewestFirst) {
    std::sort(result.begin(), result.end(), [](const ScanItem& a, const ScanItem& b) {
      return std::pair(-a.max_time, a.file) < std::pair(-b.max_time, b.file);
    });
  } else if (order_ == ScanOrder::kOldestFirst) {
    std::sort(result.begin(), result.end(), [](const ScanItem& a, const ScanItem& b) {
      return std::pair(a.min_time, a.file) < std::pair(b.min_time, b.file);
    });
  }
  return result;
}

bool ArcFileList::Beyond(const ScanItem& item) const {
  if (order_ == ScanOrder::kNone || top_n_.empty()) return false;
  TimeRanges wanted = TimeRanges::All();
  for (const auto& data : top_n_) {
    std::lock_guard lock(data->lock);
    if (data->initialized && data->filter) wanted = wanted.And(RangesOfFilter(*data->filter));
  }
  if (wanted.none()) return true;
  return order_ == ScanOrder::kNewestFirst ? item.max_time < wanted.intervals().front().from
                                           : item.min_time > wanted.intervals().back().to;
}

duckdb::OpenFileInfo ArcFileList::InfoOf(const ScanItem& item) const {
  duckdb::OpenFileInfo info;
  info.extended_info = duckdb::make_shared_ptr<duckdb::ExtendedOpenFileInfo>();
  auto& options = info.extended_info->options;
  if (item.file == ScanItem::kHot) {
    info.path = "hot rows";
    options[kHotOption] = duckdb::Value::BOOLEAN(true);
    return info;
  }
  const FileEntry& file = *version_->files->files()[static_cast<size_t>(item.file)];
  info.path = kStoreScheme + file.key;
  // All that opening would ask the store for; objects never change, so nothing needs to be checked again.
  options["file_size"] = duckdb::Value::UBIGINT(static_cast<uint64_t>(file.bytes));
  options["validate_external_file_cache"] = duckdb::Value::BOOLEAN(false);
  options["etag"] = duckdb::Value("");
  options["last_modified"] = duckdb::Value::TIMESTAMP(duckdb::timestamp_t(0));
  options[kPositionOption] = duckdb::Value::BIGINT(item.file);
  options[kCapabilityOption] = duckdb::Value(sources_.capability);
  return info;
}

duckdb::OpenFileInfo ArcFileList::GetFile(duckdb::idx_t i) const {
  const std::vector<ScanItem>& all = items();
  if (i >= all.size() || Beyond(all[i])) return {};
  PrefetchFrom(i + 1);
  return InfoOf(all[i]);
}

// DuckDB opens the files one after the other, each with a wait for its footer: a remote store is told what comes.
void ArcFileList::PrefetchFrom(size_t i) const {
  const std::vector<ScanItem>& all = items();
  size_t end = std::min(all.size(), i + kPrefetchedFiles);
  size_t begin = prefetched_.load(std::memory_order_relaxed);
  while (begin < end && !prefetched_.compare_exchange_weak(begin, end, std::memory_order_relaxed)) {
  }
  for (begin = std::max(begin, i); begin < end; ++begin) {
    if (all[begin].file == ScanItem::kHot || Beyond(all[begin])) continue;
    const FileEntry& file = *version_->files->files()[static_cast<size_t>(all[begin].file)];
    sources_.store.Prefetch(file.key, file.bytes);
  }
}

duckdb::vector<duckdb::OpenFileInfo> ArcFileList::GetAllFiles() const {
  duckdb::vector<duckdb::OpenFileInfo> result;
  for (const ScanItem& item : items()) result.push_back(InfoOf(item));
  return result;
}

duckdb::FileExpandResult ArcFileList::GetExpandResult() const {
  // Hot rows and one large file are read by several threads, so one item is "multiple files" too.
  return GetTotalFileCount() == 0 ? duckdb::FileExpandResult::NO_FILES : duckdb::FileExpandResult::MULTIPLE_FILES;
}

duckdb::idx_t ArcFileList::GetTotalFileCount() const {
  const Extent all = extent();
  return all.files + (all.hot_rows > 0 ? 1 : 0);
}

duckdb::vector<duckdb::OpenFileInfo> ArcFileList::GetDisplayFileList(duckdb::optional_idx max_files) const {
  duckdb::vector<duckdb::OpenFileInfo> result;
  size_t count = std::min<size_t>(items().size(), max_files.IsValid() ? max_files.GetIndex() : 5);
  for (size_t i = 0; i < count; ++i) result.push_back(InfoOf(items()[i]));
  return result;
}

duckdb::unique_ptr<duckdb::NodeStatistics> ArcFileList::GetCardinality(duckdb::ClientContext&) const {
  uint64_t rows = 0;
  if (IsWhole()) {
    rows = static_cast<uint64_t>(version_->files->rows()) + version_->hot.rows;
  } else {
    for (const ScanItem& item : items()) rows += static_cast<uint64_t>(item.rows);
  }
  return duckdb::make_uniq<duckdb::NodeStatistics>(rows, rows);
}

duckdb::unique_ptr<duckdb::MultiFileList> ArcFileList::Copy() const { return duckdb::make_uniq<ArcFileList>(*this); }

duckdb::unique_ptr<duckdb::MultiFileList> ArcFileList::ComplexFilterPushdown(
    duckdb::ClientContext&, const duckdb::MultiFileOptions&, duckdb::MultiFilePushdownInfo& info,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& filters) const {
  auto is_time = [&](const duckdb::Expression& expression) {
    if (expression.GetExpressionType() != duckdb::ExpressionType::BOUND_COLUMN_REF) return false;
    const auto& binding = expression.Cast<duckdb::BoundColumnRefExpression>().binding;
    return binding.table_index == info.table_index && binding.column_index < info.column_ids.size() &&
           info.column_ids[binding.column_index] == kTimeColumn;
  };
  TimeRanges ranges = ranges_;
  for (const auto& filter : filters) ranges = ranges.And(RangesOfPredicate(*filter, is_time));
  if (ranges == ranges_) return nullptr;
  auto narrowed = duckdb::make_uniq<ArcFileList>(*this);
  narrowed->Narrow(ranges);
  return narrowed;
}

duckdb::unique_ptr<duckdb::MultiFileList> ArcFileList::DynamicFilterPushdown(
    duckdb::ClientContext&, const duckdb::MultiFileOptions&, const duckdb::vector<duckdb::string>&,
    const duckdb::vector<duckdb::LogicalType>&, const duckdb::vector<duckdb::column_t>& column_ids,
    duckdb::TableFilterSet& filters) const {
  TimeRanges ranges = ranges_;
  std::vector<duckdb::shared_ptr<duckdb::DynamicFilterData>> top_n;
  for (const auto& [position, filter] : filters.filters) {
    if (column_ids[position] != kTimeColumn) continue;
    ranges = ranges.And(RangesOfFilter(*filter));
    CollectTopN(*filter, &top_n);
  }
  if (ranges == ranges_ && top_n.empty()) return nullptr;
  auto narrowed = duckdb::make_uniq<ArcFileList>(*this);
  narrowed->Narrow(ranges);
  narrowed->top_n_ = std::move(top_n);
  return narrowed;
}

}  // namespace arc
