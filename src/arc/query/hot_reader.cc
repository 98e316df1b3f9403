#include "arc/query/hot_reader.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "arc/query/code_filter.h"
#include "arc/query/hot_vectors.h"
#include "duckdb/common/types/data_chunk.hpp"
#include "duckdb/parallel/async_result.hpp"
#include "duckdb/planner/table_filter_state.hpp"
#include "duckdb/storage/statistics/numeric_stats.hpp"
#include "duckdb/storage/table/column_segment.hpp"

namespace arc {
namespace {

// Rows that one thread scans at a time: large enough to be worth a claim, small enough to share among threads.
constexpr uint32_t kMorselRows = 65536;

struct Morsel {
  const ChunkView* chunk;
  uint32_t from;
  uint32_t to;
};

// Of one thread of the scan.
struct HotScanState {
  const ChunkView* chunk = nullptr;
  uint32_t position = 0;
  uint32_t end = 0;
  std::vector<const ChunkColumn*> columns;  // by place in the output; null: the chunk lacks it
  std::vector<duckdb::unique_ptr<duckdb::TableFilterState>> filter_states;
};

class HotReader : public duckdb::BaseFileReader {
 public:
  HotReader(const duckdb::OpenFileInfo& file, std::shared_ptr<const TableVersion> version, const TimeRanges& ranges,
            ScanOrder order)
      : BaseFileReader(file), version_(std::move(version)) {
    for (const Column& column : version_->schema->columns) {
      columns.emplace_back(column.name, ToDuckType(column.type));
      columns.back().identifier = duckdb::Value::INTEGER(column.field_id);
    }
    MakeMorsels(ranges, order);
  }

  duckdb::string GetReaderType() const override { return "hot rows"; }

  // Under the scan's lock.
  bool TryInitializeScan(duckdb::ClientContext&, duckdb::GlobalTableFunctionState&,
                         duckdb::LocalTableFunctionState& local) override {
    while (next_ < morsels_.size()) {
      const Morsel& morsel = morsels_[next_++];
      if (!MayMatch(*morsel.chunk)) continue;
      std::lock_guard lock(mutex_);
      auto& state = states_[&local];
      if (!state) state = std::make_unique<HotScanState>();
      Start(morsel, state.get());
      return true;
    }
    return false;
  }

  duckdb::AsyncResult Scan(duckdb::ClientContext& context, duckdb::GlobalTableFunctionState&,
                           duckdb::LocalTableFunctionState& local, duckdb::DataChunk& output) override {
    HotScanState& state = StateOf(local);
    if (filters && state.filter_states.empty()) {
      for (const auto& [position, filter] : filters->filters) {
        state.filter_states.push_back(duckdb::TableFilterState::Initialize(context, *filter));
      }
    }
    while (state.position < state.end) {
      uint32_t count = std::min<uint32_t>(STANDARD_VECTOR_SIZE, state.end - state.position);
      duckdb::idx_t kept = ScanRows(context, state, count, output);
      state.position += count;
      if (kept > 0) return duckdb::AsyncResult(duckdb::SourceResultType::HAVE_MORE_OUTPUT);
      output.Reset();
    }
    return duckdb::AsyncResult(duckdb::SourceResultType::FINISHED);
  }

  double GetProgressInFile(duckdb::ClientContext&) override {
    return morsels_.empty() ? 100.0 : 100.0 * static_cast<double>(next_) / static_cast<double>(morsels_.size());
  }

 private:
  void MakeMorsels(const TimeRanges& ranges, ScanOrder order) {
    std::vector<const ChunkView*> chunks = ChunksOf(version_->hot);
    if (order == ScanOrder::kNewestFirst) {
      std::sort(chunks.begin(), chunks.end(), [](const ChunkView* a, const ChunkView* b) {
        return std::pair(-a->max_time, a->first_lsn) < std::pair(-b->max_time, b->first_lsn);
      });
    } else if (order == ScanOrder::kOldestFirst) {
      std::sort(chunks.begin(), chunks.end(), [](const ChunkView* a, const ChunkView* b) {
        return std::pair(a->min_time, a->first_lsn) < std::pair(b->min_time, b->first_lsn);
      });
    }
    for (const ChunkView* chunk : chunks) {
      if (!ranges.Meets(chunk->min_time, chunk->max_time)) continue;
      size_t first = morsels_.size();
      for (uint32_t from = 0; from < chunk->rows; from += std::min(kMorselRows, chunk->rows - from)) {
        morsels_.push_back({chunk, from, from + std::min(kMorselRows, chunk->rows - from)});
      }
      // Rows mostly come in the order of time: the end of a chunk is its newest part.
      if (order == ScanOrder::kNewestFirst) std::reverse(morsels_.begin() + static_cast<long>(first), morsels_.end());
    }
  }

  // The chunk's zone map against the filters on time, the moving bound of a top-N included.
  bool MayMatch(const ChunkView& chunk) {
    if (!filters) return true;
    for (const auto& [position, filter] : filters->filters) {
      if (column_ids[duckdb::MultiFileLocalIndex(position)].GetId() != kTimeColumn) continue;
      auto statistics = duckdb::NumericStats::CreateEmpty(duckdb::LogicalType::TIMESTAMP);
      statistics.SetHasNoNull();
      duckdb::NumericStats::SetMin(statistics, duckdb::Value::TIMESTAMP(duckdb::timestamp_t(chunk.min_time)));
      duckdb::NumericStats::SetMax(statistics, duckdb::Value::TIMESTAMP(duckdb::timestamp_t(chunk.max_time)));
      if (filter->CheckStatistics(statistics) == duckdb::FilterPropagateResult::FILTER_ALWAYS_FALSE) return false;
    }
    return true;
  }

  void Start(const Morsel& morsel, HotScanState* state) {
    state->position = morsel.from;
    state->end = morsel.to;
    if (state->chunk == morsel.chunk) return;
    state->chunk = morsel.chunk;
    state->columns.clear();
    for (duckdb::idx_t place = 0; place < column_ids.size(); ++place) {
      duckdb::idx_t id = column_ids[duckdb::MultiFileLocalIndex(place)].GetId();
      int32_t field_id = version_->schema->columns[id].field_id;
      const ChunkColumn* found = nullptr;
      for (const ChunkColumn& column : morsel.chunk->chunk->columns()) {
        if (column.field_id == field_id) found = &column;
      }
      state->columns.push_back(found);
    }
  }

  HotScanState& StateOf(duckdb::LocalTableFunctionState& local) {
    std::lock_guard lock(mutex_);
    return *states_.at(&local);
  }

  void Fill(const HotScanState& state, duckdb::idx_t place, uint32_t count, duckdb::Vector& vector) {
    const ChunkColumn* column = state.columns[place];
    if (column == nullptr) {
      FillNull(vector);
    } else {
      FillVector(*column, vector.GetType(), state.position, count, dictionaries_, vector);
    }
  }

  // Fills `output` with the rows of the next `count` that pass the filters: how many.
  duckdb::idx_t ScanRows(duckdb::ClientContext& context, HotScanState& state, uint32_t count,
                         duckdb::DataChunk& output) {
    duckdb::idx_t kept = count;
    duckdb::SelectionVector selection;
    std::vector<bool> filled(state.columns.size(), false);
    if (filters) {
      size_t next_state = 0;
      for (const auto& [place, filter] : filters->filters) {
        auto& filter_state = *state.filter_states[next_state++];
        const ChunkColumn* column = state.columns[place];
        const PassingCodes* passing =
            column == nullptr ? nullptr : code_filters_.Of(context, *column, *filter, state.chunk->rows);
        if (passing != nullptr) {
          SelectByCode(*column, state.position, *passing, &selection, &kept);
        } else {
          duckdb::Vector& vector = output.data[place];
          Fill(state, place, count, vector);
          filled[place] = true;
          duckdb::UnifiedVectorFormat format;
          vector.ToUnifiedFormat(count, format);
          duckdb::ColumnSegment::FilterSelection(selection, vector, format, *filter, filter_state, count, kept);
        }
        if (kept == 0) return 0;
      }
    }
    for (duckdb::idx_t place = 0; place < filled.size(); ++place) {
      if (!filled[place]) Fill(state, place, count, output.data[place]);
    }
    output.SetCardinality(count);
    if (kept != count) output.Slice(selection, kept);
    return kept;
  }

  const std::shared_ptr<const TableVersion> version_;
  std::vector<Morsel> morsels_;
  size_t next_ = 0;
  DuckDictionaries dictionaries_;
  CodeFilters code_filters_{dictionaries_};
  std::mutex mutex_;
  // The local state's type belongs to the Parquet reader, so ours stands beside it.
  std::unordered_map<duckdb::LocalTableFunctionState*, std::unique_ptr<HotScanState>> states_;
};

}  // namespace

duckdb::shared_ptr<duckdb::BaseFileReader> MakeHotReader(const duckdb::OpenFileInfo& file,
                                                         std::shared_ptr<const TableVersion> version,
                                                         const TimeRanges& ranges, ScanOrder order) {
  return duckdb::make_shared_ptr<HotReader>(file, std::move(version), ranges, order);
}

}  // namespace arc
