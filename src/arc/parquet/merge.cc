#include "arc/parquet/merge.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <queue>
#include <utility>

#include "arc/base/check.h"
#include "arc/parquet/arrow_error.h"
#include "arc/parquet/data_file_stream.h"
#include "arc/parquet/dictionary_choice.h"
#include "arc/parquet/gather.h"
#include "arc/parquet/sorted_file.h"

namespace arc {
namespace {

constexpr int64_t kFullGroupRows = 122'880;
constexpr int64_t kLeastGroupRows = 1024;

// Orders rows: by time, those of one time by their inputs.
struct Place {
  int64_t time = 0;
  size_t input = 0;

  auto operator<=>(const Place&) const = default;
};

// The unconsumed rest of one input's current batch.
struct Head {
  size_t input = 0;
  std::unique_ptr<SortedFile> file;
  std::shared_ptr<arrow::RecordBatch> batch;
  std::optional<uint32_t> number;  // of the batch among those of the group at hand
  const RowSet* left_out = nullptr;
  int64_t first_row = 0;  // the number in the file of the batch's first row
  uint32_t row = 0;

  const int64_t* times() const { return batch->column(0)->data()->GetValues<int64_t>(1); }
  uint32_t rows() const { return static_cast<uint32_t>(batch->num_rows()); }
  Place Next() const { return {times()[row], input}; }

  // How many rows come along until one is left out, at most `most`.
  uint32_t RowsToKeep(uint32_t most) const {
    if (left_out == nullptr) return most;
    return static_cast<uint32_t>(std::min<int64_t>(most, left_out->NextIn(first_row + row) - (first_row + row)));
  }
  void SkipLeftOut() {
    if (left_out == nullptr || row == rows()) return;
    row = static_cast<uint32_t>(std::min<int64_t>(rows(), left_out->NextOut(first_row + row) - first_row));
  }

  // How many rows come before `limit`, at most `most`.
  uint32_t RowsBefore(const Place& limit, uint32_t most) const {
    const int64_t* first = times() + row;
    const auto before = [&](int64_t time) { return Place{time, input} < limit; };
    uint32_t reach = 1;
    while (reach < most && before(first[reach])) reach *= 2;
    const int64_t* end = std::partition_point(first + reach / 2, first + std::min(reach, most), before);
    return static_cast<uint32_t>(end - first);
  }
};

// Rows of several batches that wait for being a row group.
class Group {
 public:
  int64_t rows() const { return rows_; }

  void Add(Head* head, uint32_t count) {
    if (!head->number) {
      head->number = static_cast<uint32_t>(batches_.size());
      batches_.push_back(head->batch);
      used_.push_back({head->row, head->row});
    }
    used_[*head->number].second = head->row + count;
    ranges_.push_back({*head->number, head->row, count});
    head->row += count;
    rows_ += count;
  }

  // The rows as one Gatherer, which gets to see no others; the group is empty then.
  Result<std::shared_ptr<const Gatherer>> Take(std::vector<RowRange>* ranges) {
    for (size_t i = 0; i < batches_.size(); ++i) {
      const auto [first, end] = used_[i];
      batches_[i] = batches_[i]->Slice(first, end - first);
    }
    for (RowRange& range : ranges_) range.first -= used_[range.batch].first;
    auto gatherer = Gatherer::Make(batches_);
    *ranges = std::move(ranges_);
    *this = Group();
    return gatherer;
  }

 private:
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
  std::vector<std::pair<uint32_t, uint32_t>> used_;  // of each batch: its first row, and that after its last
  std::vector<RowRange> ranges_;
  int64_t rows_ = 0;
};

class Merge {
 public:
  Merge(ObjectStore& store, const Schema& schema, std::span<const MergeInput> inputs, const MergeOptions& options,
        const std::function<std::string(int64_t)>& next_key, std::vector<MergeRefusal>* refused)
      : store_(store), inputs_(inputs), options_(options), next_key_(next_key), refused_(*refused), schema_(schema) {}

  Result<std::vector<WrittenFile>> Run() {
    auto merged = MergeAll();
    if (merged.ok()) return std::move(outputs_);
    output_.reset();
    for (const auto& file : outputs_) (void)store_.Delete(file.key);  // best effort: what stays is an orphan
    return std::move(merged).error();
  }

 private:
  Status MergeAll() {
    ARC_RETURN_IF_ERROR(LookAtFooters());
    while (next_ < inputs_.size() || !heads_.empty()) {
      if (heads_.empty() || (next_ < inputs_.size() && NextInput() < heads_.front().Next())) {
        ARC_RETURN_IF_ERROR(OpenNext());
      } else {
        ARC_RETURN_IF_ERROR(Advance());
      }
    }
    if (group_.rows() > 0) ARC_RETURN_IF_ERROR(WriteGroup());
    return output_ == nullptr ? Status() : FinishOutput();
  }

  // Decides what a file needs to know of its columns ahead, and finds most of what is wrong before anything is written.
  Status LookAtFooters() {
    choices_.assign(schema_.columns.size(), {.nullable = false, .has_nan = false, .dictionary = false});
    for (size_t i = 0; i < inputs_.size(); ++i) {
      ARC_RETURN_IF_ERROR(CheckCancelled());
      auto file = SortedFile::Open(store_, inputs_[i].key, inputs_[i].bytes, inputs_[i].rows, schema_);
      if (!file.ok()) {
        ARC_RETURN_IF_ERROR(Blame(i, file.error()));
        continue;
      }
      const auto traits = (*file)->traits();
      for (size_t column = 0; column < traits.size(); ++column) {
        choices_[column].nullable |= traits[column].nullable;
        choices_[column].has_nan |= traits[column].has_nan;
      }
    }
    if (!refused_.empty()) return refused_[0].error;
    return {};
  }

  // Returns what is not the input's fault.
  Status Blame(size_t input, const Error& error) {
    const bool guilty = error.kind == ErrorKind::kCorruption || error.kind == ErrorKind::kUnsupported ||
                        error.kind == ErrorKind::kNotFound;
    if (!guilty) return error;
    refused_.push_back({input, error});
    return {};
  }

  Status CheckCancelled() const {
    if (options_.is_cancelled && options_.is_cancelled())
      return MakeError(ErrorKind::kCancelled, "the merge was stopped");
    return {};
  }

  Place NextInput() const { return {inputs_[next_].min_time, next_}; }

  Status OpenNext() {
    Head head;
    head.input = next_++;
    const MergeInput& input = inputs_[head.input];
    auto file = SortedFile::Open(store_, input.key, input.bytes, input.rows, schema_);
    if (!file.ok()) return Refuse(head.input, file.error());
    head.file = std::move(*file);
    head.left_out = input.left_out;
    return LoadBatch(std::move(head), input.min_time);
  }

  // Puts the head back among the others once it has another batch with a row that comes along. The first of the
  // batch's times is `least` or later.
  Status LoadBatch(Head head, int64_t least) {
    do {
      if (head.batch != nullptr) head.first_row += head.rows();
      auto batch = head.file->Next();
      if (!batch.ok()) return Refuse(head.input, batch.error());
      if (*batch == nullptr) return {};
      head.batch = std::move(*batch);
      head.number.reset();
      head.row = 0;
      if (head.Next().time < least) {
        return Refuse(head.input,
                      Corruption("data file " + inputs_[head.input].key + " has rows before its first time"));
      }
      head.SkipLeftOut();
    } while (head.row == head.rows());
    PutBack(std::move(head));
    return {};
  }

  Error Refuse(size_t input, const Error& error) {
    auto other = Blame(input, error);
    return other.ok() ? error : other.error();
  }

  void PutBack(Head head) {
    heads_.push_back(std::move(head));
    std::push_heap(heads_.begin(), heads_.end(), Later);
  }
  static bool Later(const Head& a, const Head& b) { return a.Next() > b.Next(); }

  // Moves rows of the input that is next, as many as come before all others'.
  Status Advance() {
    std::pop_heap(heads_.begin(), heads_.end(), Later);
    Head head = std::move(heads_.back());
    heads_.pop_back();
    const int64_t room = options_.parquet.row_group_rows - group_.rows();
    auto count = head.RowsToKeep(static_cast<uint32_t>(std::min<int64_t>(head.rows() - head.row, room)));
    if (next_ < inputs_.size()) count = head.RowsBefore(NextInput(), count);
    if (!heads_.empty()) count = head.RowsBefore(heads_.front().Next(), count);
    group_.Add(&head, count);
    const int64_t last_time = head.times()[head.row - 1];
    head.SkipLeftOut();
    const bool full = group_.rows() == options_.parquet.row_group_rows;
    if (full) {
      ARC_RETURN_IF_ERROR(WriteGroup());
      head.number.reset();
      for (Head& other : heads_) other.number.reset();
    }
    if (head.row == head.rows()) return LoadBatch(std::move(head), last_time);
    PutBack(std::move(head));
    return {};
  }

  Status WriteGroup() {
    ARC_RETURN_IF_ERROR(CheckCancelled());
    std::vector<RowRange> ranges;
    ARC_ASSIGN_OR_RETURN(const auto gatherer, group_.Take(&ranges));
    ARC_RETURN_IF_ERROR(MakeOutput(*gatherer, ranges));
    ARC_RETURN_IF_ERROR(output_->WriteGroup(*gatherer, ranges));
    return output_->bytes() >= options_.target_bytes ? FinishOutput() : Status();
  }

  Status MakeOutput(const Gatherer& gatherer, std::span<const RowRange> ranges) {
    bool new_nan = false;
    for (size_t i = 0; i < choices_.size(); ++i) {
      if (choices_[i].has_nan || schema_.columns[i].type != ColumnType::kDouble) continue;
      // Another writer's statistics did not tell of it; those that this output has so far cannot be taken back.
      choices_[i].has_nan = gatherer.HasNan(i, ranges);
      new_nan |= choices_[i].has_nan;
    }
    if (new_nan && output_ != nullptr) ARC_RETURN_IF_ERROR(FinishOutput());
    if (output_ != nullptr) return {};
    const auto sample = SampleRows(ranges);
    for (size_t i = 0; i < choices_.size(); ++i) {
      if (!HasDictionaryChoice(schema_.columns[i], options_.parquet)) continue;
      ARC_ASSIGN_OR_RETURN(const auto values, FromArrow(gatherer.Column(i, sample)));
      choices_[i].dictionary = DictionaryPays(values);
    }
    const int64_t first_time = gatherer.Times()[ranges[0].batch][ranges[0].first];
    ARC_ASSIGN_OR_RETURN(output_,
                         DataFileStream::Create(store_, next_key_(first_time), schema_, choices_, options_.parquet));
    return {};
  }

  Status FinishOutput() {
    ARC_ASSIGN_OR_RETURN(auto file, output_->Finish());
    output_.reset();
    outputs_.push_back(std::move(file));
    return {};
  }

  ObjectStore& store_;
  const std::span<const MergeInput> inputs_;
  const MergeOptions& options_;
  const std::function<std::string(int64_t)>& next_key_;
  std::vector<MergeRefusal>& refused_;
  const Schema& schema_;
  std::vector<ColumnChoice> choices_;
  size_t next_ = 0;          // the first input not opened yet
  std::vector<Head> heads_;  // a heap, the input with the next row first
  Group group_;
  std::unique_ptr<DataFileStream> output_;
  std::vector<WrittenFile> outputs_;
};

}  // namespace

int64_t MergeGroupRows(size_t columns, int64_t memory_bytes) {
  const int64_t row_bytes = static_cast<int64_t>(columns) * kDecodedValueBytes;
  return std::clamp(memory_bytes / 4 / row_bytes, kLeastGroupRows, kFullGroupRows);
}

// The rows on their way to a row group, and once more while it is encoded.
int64_t MergeBytesOfOutput(size_t columns, int64_t memory_bytes) {
  return 2 * MergeGroupRows(columns, memory_bytes) * static_cast<int64_t>(columns) * kDecodedValueBytes;
}

int64_t MergeBytesOfInput(int64_t file_bytes, int64_t rows, size_t columns) {
  rows = std::max<int64_t>(rows, 1);
  const int64_t group_rows = std::min(rows, kFullGroupRows);
  const double group_share = static_cast<double>(group_rows) / static_cast<double>(rows);
  const int64_t compressed =
      file_bytes <= kWholeFileBytes ? file_bytes : static_cast<int64_t>(static_cast<double>(file_bytes) * group_share);
  const int64_t decoded_rows = group_rows + std::min(rows, SortedFileBatchRows(columns));
  return compressed + decoded_rows * static_cast<int64_t>(columns) * kDecodedValueBytes;
}

Result<std::vector<WrittenFile>> MergeDataFiles(ObjectStore& store, const Schema& schema,
                                                std::span<const MergeInput> inputs, const MergeOptions& options,
                                                const std::function<std::string(int64_t first_time)>& next_key,
                                                std::vector<MergeRefusal>* refused) {
  if (options.parquet.row_group_rows <= 0) return InvalidArgument("row groups need at least one row");
  ARC_CHECK(std::is_sorted(inputs.begin(), inputs.end(),
                           [](const MergeInput& a, const MergeInput& b) { return a.min_time < b.min_time; }));
  refused->clear();
  return Merge(store, schema, inputs, options, next_key, refused).Run();
}

}  // namespace arc
