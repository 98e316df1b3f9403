#include "arc/catalog/table.h"

#include <utility>

#include "arc/catalog/alignment.h"

namespace arc {

std::shared_ptr<const FileEntry> EntryOf(const WrittenFile& file) {
  return std::make_shared<const FileEntry>(FileEntry{file.key, file.bytes, file.rows, file.min_time, file.max_time});
}

Table::Table(TableRef ref, ByteBudget* budget, Clock& clock, Schema schema, std::shared_ptr<const FileIndex> files,
             Lsn flushed)
    : ref_(std::move(ref)),
      clock_(clock),
      schema_(std::make_shared<const Schema>(std::move(schema))),
      committed_(files ? std::move(files) : std::make_shared<const FileIndex>()),
      files_(committed_),
      buffer_(budget),
      flushed_(flushed),
      applied_(flushed) {
  ARC_CHECK(!schema_->columns.empty() && schema_->columns[0].role == ColumnRole::kTime);
  Publish();
}

Result<AlignedBatch> Table::Align(const Batch& batch) {
  // The common case changes nothing and needs no lock: an aligned batch stays valid under every later schema.
  if (MatchesExactly(*Current()->schema, batch)) return AlignedBatch{batch, {}, 0, {}};
  std::lock_guard lock(mutex_);
  Schema next = *schema_;
  ARC_ASSIGN_OR_RETURN(auto aligned, AlignBatch(ref_, batch, &next));
  if (next.version != schema_->version) {
    schema_ = std::make_shared<const Schema>(std::move(next));
    Publish();
  }
  return aligned;
}

Result<AlignedBatch> Table::TryAlign(const Batch& batch) const {
  Schema scratch = *Current()->schema;
  return AlignBatch(ref_, batch, &scratch);
}

void Table::Apply(Lsn lsn, const Batch& batch, ByteLease lease) {
  std::lock_guard lock(mutex_);
  if (lsn <= flushed_) return;
  ARC_CHECK(lsn > applied_);
  buffer_.Append(*schema_, batch, lsn, std::move(lease));
  applied_ = lsn;
  if (unsealed_since_nanos_ == 0) unsealed_since_nanos_ = clock_.MonotonicNanos() + 1;
  if (hot_since_nanos_ == 0) hot_since_nanos_ = unsealed_since_nanos_;
  Publish();
}

Table::FlushInput Table::BeginFlush() {
  std::lock_guard lock(mutex_);
  FlushInput input;
  if (buffer_.rows() == 0) return input;
  buffer_.Seal();
  unsealed_since_nanos_ = 0;
  bool all_fixed = true;
  for (const auto& column : schema_->columns) all_fixed = all_fixed && column.type_fixed;
  if (!all_fixed) {
    // Not only the columns of the sealed chunks: the commit writes the whole schema, and Iceberg cannot turn a long
    // into a double later.
    Schema fixed = *schema_;
    ++fixed.version;
    for (auto& column : fixed.columns) column.type_fixed = true;
    schema_ = std::make_shared<const Schema>(std::move(fixed));
  }
  Publish();
  input.schema = schema_;
  if (auto sealed = Current()->hot.sealed) input.chunks = *sealed;
  input.last = applied_;
  return input;
}

void Table::CommitFlush(std::shared_ptr<const FileIndex> files, Lsn flushed) {
  std::lock_guard lock(mutex_);
  ARC_CHECK(flushed >= flushed_ && flushed <= applied_);
  committed_ = std::move(files);
  flushed_ = flushed;
  // A run's rows left the buffer when it was staged; what is hot now came later.
  bool was_staged = !staged_.empty() && flushed <= staged_.back()->last;
  std::erase_if(staged_, [&](const auto& run) { return run->last <= flushed; });
  ShowFiles();
  if (!was_staged) {
    buffer_.Release(flushed);
    hot_since_nanos_ = unsealed_since_nanos_;
  }
  Publish();
}

void Table::ReplaceFiles(std::shared_ptr<const FileIndex> files) {
  std::lock_guard lock(mutex_);
  committed_ = std::move(files);
  ShowFiles();
  Publish();
}

void Table::Stage(std::shared_ptr<const StagedRun> run) {
  std::lock_guard lock(mutex_);
  ARC_CHECK(run->last > flushed_ && run->last <= applied_);
  ARC_CHECK(staged_.empty() || run->first > staged_.back()->last);
  buffer_.Release(run->last);
  hot_since_nanos_ = unsealed_since_nanos_;
  staged_.push_back(std::move(run));
  ShowFiles();
  Publish();
}

std::vector<std::shared_ptr<const StagedRun>> Table::staged() const {
  std::lock_guard lock(mutex_);
  return staged_;
}

std::shared_ptr<const FileIndex> Table::committed_files() const {
  std::lock_guard lock(mutex_);
  return committed_;
}

void Table::ShowFiles() {
  std::vector<std::shared_ptr<const FileEntry>> entries;
  for (const auto& run : staged_) {
    for (const auto& file : run->files) entries.push_back(EntryOf(file.file));
  }
  files_ = entries.empty() ? committed_ : committed_->With(std::move(entries));
}

Lsn Table::flushed() const {
  std::lock_guard lock(mutex_);
  return flushed_;
}

HotState Table::hot() const {
  std::lock_guard lock(mutex_);
  return hot_;
}

void Table::Publish() {
  auto version = std::make_shared<TableVersion>();
  version->schema = schema_;
  version->files = files_;
  version->hot = buffer_.View();
  version->applied = applied_;
  version->number = ++version_number_;
  hot_.rows = buffer_.rows();
  hot_.bytes = buffer_.bytes();
  hot_.since_nanos = hot_.rows == 0 ? 0 : hot_since_nanos_;
  hot_.first = buffer_.first_lsn();
  hot_.first_unflushed = staged_.empty() ? hot_.first : staged_.front()->first;
  current_.store(std::move(version), std::memory_order_release);
}

}  // namespace arc
