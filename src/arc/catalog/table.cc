#include "arc/catalog/table.h"

#include <utility>

#include "arc/catalog/alignment.h"

namespace arc {

Table::Table(TableRef ref, ByteBudget* budget, Clock& clock, Schema schema, std::shared_ptr<const FileIndex> files,
             Lsn flushed)
    : ref_(std::move(ref)),
      clock_(clock),
      schema_(std::make_shared<const Schema>(std::move(schema))),
      files_(files ? std::move(files) : std::make_shared<const FileIndex>()),
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
  files_ = std::move(files);
  flushed_ = flushed;
  buffer_.Release(flushed);
  hot_since_nanos_ = unsealed_since_nanos_;
  Publish();
}

Lsn Table::flushed() const {
  std::lock_guard lock(mutex_);
  return flushed_;
}

Lsn Table::first_unflushed() const {
  std::lock_guard lock(mutex_);
  return buffer_.first_lsn();
}

int64_t Table::hot_bytes() const {
  std::lock_guard lock(mutex_);
  return buffer_.bytes();
}

uint64_t Table::hot_rows() const {
  std::lock_guard lock(mutex_);
  return buffer_.rows();
}

int64_t Table::hot_since_nanos() const {
  std::lock_guard lock(mutex_);
  return buffer_.rows() == 0 ? 0 : hot_since_nanos_;
}

void Table::Publish() {
  auto version = std::make_shared<TableVersion>();
  version->schema = schema_;
  version->files = files_;
  version->hot = buffer_.View();
  version->applied = applied_;
  version->number = ++version_number_;
  current_.store(std::move(version), std::memory_order_release);
}

}  // namespace arc
