#include "arc/catalog/table.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "arc/catalog/alignment.h"

namespace arc {
namespace {

// Whether the buffer may take the batch under this schema.
bool Fits(const Schema& schema, const Batch& batch) {
  return std::all_of(batch.columns.begin(), batch.columns.end(), [&](const BatchColumn& column) {
    return std::any_of(schema.columns.begin(), schema.columns.end(), [&](const Column& known) {
      return known.name == column.name && known.type == column.type && known.role == column.role;
    });
  });
}

// Columns that the batch brings and whose values the table's column of the name cannot take, under names of their own.
Batch ApartFrom(const Schema& schema, Batch batch) {
  for (auto& column : batch.columns) {
    if (column.role == ColumnRole::kTime) continue;
    const int at = schema.Find(column.name);
    if (at < 0 || schema.columns[static_cast<size_t>(at)].type == column.type) continue;
    std::string type(SqlTypeName(column.type));
    std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
    column.name += "_" + type;
  }
  return batch;
}

}  // namespace

std::shared_ptr<const FileEntry> EntryOf(const WrittenFile& file) {
  return std::make_shared<const FileEntry>(FileEntry{file.key, file.bytes, file.rows, file.min_time, file.max_time});
}

Table::Table(TableRef ref, ByteBudget* budget, Clock& clock, Schema schema, std::shared_ptr<const FileIndex> files,
             Lsn flushed)
    : clock_(clock),
      schema_(std::make_shared<const Schema>(std::move(schema))),
      committed_(files ? std::move(files) : std::make_shared<const FileIndex>()),
      files_(committed_),
      buffer_(budget),
      flushed_(flushed),
      applied_(flushed) {
  ARC_CHECK(!schema_->columns.empty() && schema_->columns[0].role == ColumnRole::kTime);
  refs_.push_back(std::make_unique<const TableRef>(std::move(ref)));
  ref_ = refs_.back().get();
  Publish();
}

void Table::Rename(const std::string& database, const std::string& name) {
  std::lock_guard lock(mutex_);
  refs_.push_back(std::make_unique<const TableRef>(TableRef{ref().id, database, name}));
  ref_.store(refs_.back().get(), std::memory_order_release);
}

Result<AlignedBatch> Table::Align(const Batch& batch) {
  // The common case changes nothing and needs no lock: an aligned batch stays valid under every later schema that Arc
  // itself makes, and Apply looks again where another engine changed it.
  const auto current = Current();
  if (!current->unwritable.empty()) {
    return InvalidArgument("table " + ref().database + "." + ref().name + " takes no rows: " + current->unwritable);
  }
  if (MatchesExactly(*current->schema, batch)) return AlignedBatch{batch, {}, 0, {}};
  std::lock_guard growth(growth_mutex_);
  std::lock_guard lock(mutex_);
  return AlignLocked(batch);
}

Result<AlignedBatch> Table::AlignLocked(const Batch& batch) {
  Schema next = *schema_;
  ARC_ASSIGN_OR_RETURN(auto aligned, AlignBatch(ref(), batch, &next));
  if (next.version != schema_->version) {
    // Ids that columns had which are gone, or that Arc does not show, are taken for ever.
    int32_t last_id = std::max(last_column_id_, schema_->last_field_id());
    for (size_t i = schema_->columns.size(); i < next.columns.size(); ++i) next.columns[i].field_id = ++last_id;
    schema_ = std::make_shared<const Schema>(std::move(next));
    Publish();
  }
  return aligned;
}

Result<AlignedBatch> Table::AlignLogged(const Batch& batch) {
  std::lock_guard growth(growth_mutex_);
  std::lock_guard lock(mutex_);
  if (Fits(*schema_, batch)) return AlignedBatch{batch, {}, 0, {}};
  Schema scratch = *schema_;
  ARC_ASSIGN_OR_RETURN(const auto trial, AlignBatch(ref(), batch, &scratch));
  return AlignLocked(trial.refused == 0 ? batch : ApartFrom(*schema_, batch));
}

Result<AlignedBatch> Table::TryAlign(const Batch& batch) const {
  Schema scratch = *Current()->schema;
  return AlignBatch(ref(), batch, &scratch);
}

void Table::Apply(Lsn lsn, const Batch& batch, ByteLease lease) {
  std::unique_lock lock(mutex_);
  if (lsn <= flushed_) return;
  ARC_CHECK(lsn > applied_);
  // It may have been aligned to columns that are not the table's any more.
  const Batch* fitting = &batch;
  std::optional<Batch> realigned;
  while (reshaped_ && !Fits(*schema_, *fitting)) {
    lock.unlock();
    auto again = AlignLogged(*fitting);
    ARC_CHECK(again.ok());
    fitting = &realigned.emplace(std::move(again->batch));
    lock.lock();
  }
  buffer_.Append(*schema_, *fitting, lsn, std::move(lease));
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
  FixTypes();
  Publish();
  input.schema = schema_;
  if (auto sealed = Current()->hot.sealed) input.chunks = *sealed;
  input.last = applied_;
  return input;
}

// Not only the columns of sealed chunks: a commit writes the whole schema, and Iceberg cannot turn a long into a double
// later.
void Table::FixTypes() {
  if (std::all_of(schema_->columns.begin(), schema_->columns.end(), [](const Column& c) { return c.type_fixed; })) {
    return;
  }
  Schema fixed = *schema_;
  ++fixed.version;
  for (auto& column : fixed.columns) column.type_fixed = true;
  schema_ = std::make_shared<const Schema>(std::move(fixed));
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

std::unique_lock<std::mutex> Table::HoldSchema() {
  std::unique_lock growth(growth_mutex_);
  std::lock_guard lock(mutex_);
  FixTypes();
  return growth;
}

bool Table::CanAdopt(const Schema& schema) const {
  std::lock_guard lock(mutex_);
  if (buffer_.rows() == 0 && staged_.empty()) return true;
  return std::all_of(schema_->columns.begin(), schema_->columns.end(), [&](const Column& column) {
    const int at = schema.FindById(column.field_id);
    if (at < 0) return true;
    const Column& next = schema.columns[static_cast<size_t>(at)];
    return next.type == column.type && next.role == column.role;
  });
}

void Table::Adopt(CommittedTable committed) {
  std::lock_guard lock(mutex_);
  Schema next = std::move(committed.schema);
  for (const auto& column : schema_->columns) {
    const int at = next.FindById(column.field_id);
    if (at < 0 && column.field_id > committed.last_column_id) {
      next.columns.push_back(column);
    } else if (at < 0 || next.columns[static_cast<size_t>(at)].name != column.name ||
               next.columns[static_cast<size_t>(at)].type != column.type ||
               next.columns[static_cast<size_t>(at)].role != column.role) {
      reshaped_ = true;
    }
  }
  next.version = schema_->version + 1;
  schema_ = std::make_shared<const Schema>(std::move(next));
  committed_ = std::move(committed.files);
  last_column_id_ = committed.last_column_id;
  unreadable_ = std::move(committed.unreadable);
  unwritable_ = std::move(committed.unwritable);
  ShowFiles();
  Publish();
}

void Table::Refuse(const std::string& reason) {
  std::lock_guard lock(mutex_);
  unreadable_ = unwritable_ = reason;
  Publish();
}

void Table::SetUnreadable(const std::string& reason) {
  std::lock_guard lock(mutex_);
  if (unreadable_ == reason) return;
  unreadable_ = reason;
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
  version->unreadable = unreadable_;
  version->unwritable = unwritable_;
  current_.store(std::move(version), std::memory_order_release);
}

}  // namespace arc
