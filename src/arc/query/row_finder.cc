#include "arc/query/row_finder.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <string>
#include <utility>

namespace arc {
namespace {

constexpr int64_t kMaxSetBytes = (int64_t{1} << 31) / 8;

// Matches of all files of one version, as they come in no order.
class Collector {
 public:
  explicit Collector(const FileIndex& files) : files_(files), matches_(files.files().size()) {}

  void AddWhole(uint32_t file) { matches_[file].rows = files_.files()[file]->rows; }

  Status Add(const arrow::RecordBatch& batch) {
    const auto* files = batch.column(0)->data()->GetValues<int64_t>(1);
    const auto* rows = batch.column(1)->data()->GetValues<int64_t>(1);
    for (int64_t i = 0; i < batch.num_rows(); ++i) {
      const auto at = static_cast<size_t>(files[i]);
      const bool is_row = at < matches_.size() && rows[i] >= 0 && rows[i] < files_.files()[at]->rows;
      if (!is_row || matches_[at].rows == files_.files()[at]->rows) return NoSuchRow(files[i], rows[i]);
      RowMatches& match = matches_[at];
      set_bytes_ -= match.set.bytes();
      if (!match.set.Add(rows[i])) return NoSuchRow(files[i], rows[i]);
      if (++match.rows == files_.files()[at]->rows) match.set.Clear();
      set_bytes_ += match.set.bytes();
    }
    if (set_bytes_ <= kMaxSetBytes) return {};
    return MakeError(
        ErrorKind::kTooLarge,
        "files of more than 2^31 rows would have to be written anew at once: delete in steps, one range of "
        "time after the other");
  }

  std::vector<RowMatches> Take() {
    for (size_t i = 0; i < matches_.size(); ++i) matches_[i].file = files_.files()[i];
    std::erase_if(matches_, [](const RowMatches& match) { return match.rows == 0; });
    return std::move(matches_);
  }

 private:
  // Rather nothing than another row: what comes twice or from beyond a file is not what was asked for.
  static Error NoSuchRow(int64_t file, int64_t row) {
    return Internal("the query engine found row " + std::to_string(row) + " of file " + std::to_string(file) +
                    ", which is none or was found before");
  }

  const FileIndex& files_;
  std::vector<RowMatches> matches_;  // by position
  int64_t set_bytes_ = 0;
};

}  // namespace

void CancelSwitch::Cancel() {
  std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (stream_ != nullptr) stream_->Cancel();
}

bool CancelSwitch::cancelled() const {
  std::lock_guard lock(mutex_);
  return cancelled_;
}

void CancelSwitch::Watch(ResultStream* stream) {
  std::lock_guard lock(mutex_);
  stream_ = stream;
  if (cancelled_ && stream_ != nullptr) stream_->Cancel();
}

Result<std::vector<RowMatches>> FindRows(QueryEngine& engine, QueryRequest request,
                                         std::shared_ptr<const TableVersion> version, CancelSwitch& cancel) {
  auto target = std::make_shared<DeleteTarget>();
  target->version = version;
  request.delete_target = target;
  ARC_ASSIGN_OR_RETURN(const auto stream, engine.Execute(request));
  struct Watching {
    ~Watching() { cancel.Watch(nullptr); }
    CancelSwitch& cancel;
  } watching{cancel};
  cancel.Watch(stream.get());
  Collector collector(*version->files);
  for (const uint32_t file : target->whole_files) collector.AddWhole(file);
  while (true) {
    ARC_ASSIGN_OR_RETURN(const auto batch, stream->Next());
    if (batch == nullptr) return collector.Take();
    ARC_RETURN_IF_ERROR(collector.Add(*batch));
  }
}

}  // namespace arc
