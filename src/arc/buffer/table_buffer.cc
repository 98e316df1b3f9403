#include "arc/buffer/table_buffer.h"

#include <arrow/array.h>

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "arc/base/check.h"
#include "arc/buffer/adopted_chunk.h"
#include "arc/buffer/batch_source.h"
#include "arc/buffer/chunk_memory.h"
#include "arc/buffer/open_chunk.h"

namespace arc {
namespace {

// A chunk of a very wide table gets fewer rows than its turn, so that one chunk cannot eat the budget.
constexpr int64_t kMaxChunkBytes = int64_t{16} << 20;

struct Bounds {
  int64_t min;
  int64_t max;
};

Bounds TimeBounds(const SourceColumn& time, int64_t from, int64_t rows) {
  const int64_t* values = (*time.array)->data()->GetValues<int64_t>(1) + from;
  const auto [min, max] = std::minmax_element(values, values + rows);
  return {*min, *max};
}

int64_t BytesOf(const Chunk& chunk) {
  // Of sealed chunks only: nobody appends to the arena.
  return chunk.memory()->fixed_bytes() + chunk.memory()->arena().bytes();
}

}  // namespace

struct TableBuffer::Impl {
  explicit Impl(ByteBudget* budget) : budget(budget), preparer(budget) {}

  void Copy(std::span<const SourceColumn> source, const Schema& schema, const Batch& batch, Lsn lsn);
  void StartChunk(std::span<const SourceColumn> source, const Schema& schema, int64_t rows);
  void SealOpen(bool trim);
  void CutOpen();
  void PushSealed(ChunkView view);

  ByteBudget* const budget;
  BatchPreparer preparer;
  std::vector<ChunkView> sealed;
  mutable std::shared_ptr<const std::vector<ChunkView>> sealed_shared;  // of `sealed`; null: to be made
  std::unique_ptr<OpenChunk> open;
  std::vector<ColumnLayout> last_layout;   // of this generation's last open chunk: the next one likely needs it too
  uint32_t next_capacity = kMinChunkRows;  // of this generation
  uint64_t sealed_rows = 0;
  int64_t sealed_bytes = 0;
  std::vector<std::weak_ptr<const TagDictionary>> old_dictionaries;  // of sealed generations: their chunks hold them
  Lsn last_lsn;
};

TableBuffer::TableBuffer(ByteBudget* budget) : impl_(std::make_unique<Impl>(budget)) {}
TableBuffer::~TableBuffer() = default;

void TableBuffer::Append(const Schema& schema, const Batch& batch, Lsn lsn, ByteLease lease) {
  if (batch.rows == 0) return;
  ARC_CHECK(lsn >= impl_->last_lsn);
  impl_->last_lsn = lsn;
  const std::span<const SourceColumn> source = impl_->preparer.Prepare(schema, batch);
  if (batch.rows >= kAdoptRows && batch.rows <= UINT32_MAX) {
    if (const auto bytes = AdoptableBytes(source)) {
      impl_->CutOpen();
      impl_->PushSealed(AdoptBatch(source, batch.rows, batch.min_time, batch.max_time, lsn, *bytes, impl_->budget));
      return;
    }
  }
  impl_->Copy(source, schema, batch, lsn);
  lease.Release();  // only now, after what the chunks took: the budget never shows less than what is held
}

void TableBuffer::Impl::Copy(std::span<const SourceColumn> source, const Schema& schema, const Batch& batch, Lsn lsn) {
  if (open != nullptr && !open->Takes(source)) CutOpen();
  for (int64_t from = 0; from < batch.rows;) {
    if (open == nullptr) StartChunk(source, schema, batch.rows - from);
    const int64_t rows = std::min<int64_t>(open->room(), batch.rows - from);
    const Bounds times =
        rows == batch.rows ? Bounds{batch.min_time, batch.max_time} : TimeBounds(source[0], from, rows);
    open->Append(source, from, rows, times.min, times.max, lsn);
    if (open->full()) {
      next_capacity = std::min(open->View().chunk->capacity() * 2, kMaxChunkRows);
      SealOpen(true);
    }
    from += rows;
  }
}

void TableBuffer::Impl::StartChunk(std::span<const SourceColumn> source, const Schema& schema, int64_t rows) {
  std::vector<ColumnLayout> layout;
  int64_t row_bytes = 0;
  size_t next = 0;
  std::unordered_map<int32_t, ColumnType> before;
  for (const auto& known : last_layout) before.emplace(known.field_id, known.type);
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const Column& column = schema.columns[i];
    const bool in_batch = next < source.size() && source[next].schema_index == static_cast<int>(i);
    if (in_batch) ++next;
    const auto known = before.find(column.field_id);
    if (!in_batch && (known == before.end() || known->second != column.type)) continue;
    layout.push_back({column.field_id, column.type, column.role, preparer.DictionaryOf(column.field_id)});
    row_bytes += layout.back().value_bytes();
  }
  auto capacity = std::max<uint64_t>(next_capacity, std::bit_ceil(static_cast<uint64_t>(rows)));
  capacity = std::min<uint64_t>(capacity, kMaxChunkRows);
  while (capacity > kMinChunkRows && static_cast<int64_t>(capacity) * row_bytes > kMaxChunkBytes) capacity /= 2;
  open = std::make_unique<OpenChunk>(std::move(layout), static_cast<uint32_t>(capacity), budget);
}

void TableBuffer::Impl::SealOpen(bool trim) {
  if (open == nullptr) return;
  last_layout = open->UsedLayout();
  PushSealed(open->Seal(trim, budget));
  open.reset();
}

// Seals the open chunk before it is full. Sizes start over: who cuts often must not leave large chunks behind.
void TableBuffer::Impl::CutOpen() {
  SealOpen(true);
  next_capacity = kMinChunkRows;
}

void TableBuffer::Impl::PushSealed(ChunkView view) {
  sealed_rows += view.rows;
  sealed_bytes += BytesOf(*view.chunk);
  sealed.push_back(std::move(view));
  sealed_shared.reset();
}

HotRows TableBuffer::View() const {
  HotRows rows;
  if (!impl_->sealed.empty() && impl_->sealed_shared == nullptr) {
    impl_->sealed_shared = std::make_shared<const std::vector<ChunkView>>(impl_->sealed);
  }
  rows.sealed = impl_->sealed_shared;
  if (impl_->open != nullptr) rows.open = impl_->open->View();
  rows.rows = this->rows();
  return rows;
}

void TableBuffer::Seal() {
  if (impl_->open == nullptr && impl_->last_layout.empty() && impl_->preparer.bytes() == 0) return;
  // Not trimmed: a flush follows and frees the whole chunk soon.
  impl_->SealOpen(false);
  impl_->last_layout.clear();
  impl_->next_capacity = kMinChunkRows;
  for (auto& dictionary : impl_->preparer.StartGeneration()) impl_->old_dictionaries.push_back(std::move(dictionary));
}

void TableBuffer::Release(Lsn through) {
  auto& sealed = impl_->sealed;
  const auto kept =
      std::find_if(sealed.begin(), sealed.end(), [&](const auto& view) { return view.last_lsn > through; });
  for (auto it = sealed.begin(); it != kept; ++it) {
    impl_->sealed_rows -= it->rows;
    impl_->sealed_bytes -= BytesOf(*it->chunk);
  }
  if (kept != sealed.begin()) {
    sealed.erase(sealed.begin(), kept);
    impl_->sealed_shared.reset();
  }
  std::erase_if(impl_->old_dictionaries, [](const auto& dictionary) { return dictionary.expired(); });
}

uint64_t TableBuffer::rows() const { return impl_->sealed_rows + (impl_->open != nullptr ? impl_->open->rows() : 0); }

int64_t TableBuffer::bytes() const {
  int64_t bytes = impl_->sealed_bytes + impl_->preparer.bytes();
  if (impl_->open != nullptr) bytes += impl_->open->bytes();
  for (const auto& weak : impl_->old_dictionaries) {
    if (const auto dictionary = weak.lock()) bytes += dictionary->bytes();
  }
  return bytes;
}

Lsn TableBuffer::first_lsn() const {
  if (!impl_->sealed.empty()) return impl_->sealed.front().first_lsn;
  return impl_->open != nullptr ? impl_->open->View().first_lsn : Lsn{};
}

}  // namespace arc
