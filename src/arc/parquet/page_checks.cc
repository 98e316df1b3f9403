#include "arc/parquet/page_checks.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "arc/parquet/object_file.h"

namespace arc {
namespace {

constexpr int64_t kBufferBytes = 256 << 10;  // of a chunk that is read for its check alone

// Of the library; exceptions end here. `file` may have had an error of the store's.
template <typename Step>
Status Guarded(const std::string& key, const ObjectFile& file, Step&& step) {
  try {
    return step();
  } catch (const std::bad_alloc&) {
    return MakeError(ErrorKind::kOverloaded, "no memory to check " + key);
  } catch (const std::exception& exception) {
    if (file.error()) return WithContext(*file.error(), "data file " + key);
    return Corruption("data file " + key + " is damaged: " + exception.what());
  }
}

}  // namespace

Result<std::shared_ptr<FilePages>> FilePages::Read(const std::string& key, const std::shared_ptr<ObjectReader>& file) {
  std::shared_ptr<FilePages> pages(new FilePages(key));
  auto object = std::make_shared<ObjectFile>(file);
  auto& chunks = pages->chunks_;
  const Status read = Guarded(key, *object, [&]() -> Status {
    const auto metadata = parquet::ReadMetaData(object);
    for (int group = 0; group < metadata->num_row_groups(); ++group) {
      const auto row_group = metadata->RowGroup(group);
      for (int column = 0; column < row_group->num_columns(); ++column) {
        const auto chunk = row_group->ColumnChunk(column);
        int64_t begin = chunk->data_page_offset();
        if (chunk->has_dictionary_page() && chunk->dictionary_page_offset() > 0) {
          begin = std::min(begin, chunk->dictionary_page_offset());
        }
        chunks.push_back({begin, begin + chunk->total_compressed_size(), chunk->num_values()});
      }
    }
    return {};
  });
  if (!read.ok() && read.error().kind != ErrorKind::kCorruption) return read.error();
  std::sort(chunks.begin(), chunks.end(), [](const Chunk& a, const Chunk& b) { return a.begin < b.begin; });
  int64_t end = 0;
  for (const Chunk& chunk : chunks) {
    const bool sane = chunk.begin >= end && chunk.end > chunk.begin && chunk.end <= file->bytes();
    if (!read.ok() || !sane) {
      chunks.clear();
      break;
    }
    end = chunk.end;
  }
  return pages;
}

Status FilePages::Check(const std::shared_ptr<ObjectReader>& file, int64_t offset, std::span<const uint8_t> content) {
  const int64_t end = offset + static_cast<int64_t>(content.size());
  auto at = std::upper_bound(chunks_.begin(), chunks_.end(), offset,
                             [](int64_t position, const Chunk& chunk) { return position < chunk.end; });
  for (; at != chunks_.end() && at->begin < end; ++at) {
    {
      std::lock_guard lock(mutex_);
      if (at->good) continue;
    }
    ARC_RETURN_IF_ERROR(CheckChunk(*at, file, offset, content));
    std::lock_guard lock(mutex_);
    at->good = true;
  }
  return {};
}

Status FilePages::CheckChunk(const Chunk& chunk, const std::shared_ptr<ObjectReader>& file, int64_t offset,
                             std::span<const uint8_t> content) const {
  auto object = std::make_shared<ObjectFile>(file);
  return Guarded(key_, *object, [&]() -> Status {
    parquet::ReaderProperties properties;
    properties.set_page_checksum_verification(true);
    std::shared_ptr<arrow::io::InputStream> stream;
    if (offset <= chunk.begin && chunk.end <= offset + static_cast<int64_t>(content.size())) {
      stream = std::make_shared<arrow::io::BufferReader>(
          std::make_shared<arrow::Buffer>(content.data() + (chunk.begin - offset), chunk.end - chunk.begin));
    } else {
      properties.enable_buffered_stream();
      properties.set_buffer_size(kBufferBytes);
      stream = properties.GetStream(object, chunk.begin, chunk.end - chunk.begin);
    }
    // Checksums are of pages as they are in the file: nothing has to be decompressed, or understood.
    const parquet::ColumnDescriptor any(parquet::schema::ByteArray("any"), 1, 0);
    const auto pages =
        parquet::PageReader::Open(std::move(stream), chunk.values, parquet::Compression::UNCOMPRESSED, properties, any);
    int64_t values = 0;
    while (const auto page = pages->NextPage()) {
      const bool has_values =
          page->type() == parquet::PageType::DATA_PAGE || page->type() == parquet::PageType::DATA_PAGE_V2;
      if (has_values) values += static_cast<const parquet::DataPage&>(*page).num_values();
    }
    if (values == chunk.values) return {};
    return Corruption("data file " + key_ + " is damaged: a column chunk has " + std::to_string(values) +
                      " values instead of " + std::to_string(chunk.values));
  });
}

Result<std::shared_ptr<FilePages>> PageChecks::Of(const std::string& key, const std::shared_ptr<ObjectReader>& file) {
  {
    std::lock_guard lock(mutex_);
    if (const auto found = files_.find(key); found != files_.end()) {
      by_use_.splice(by_use_.begin(), by_use_, found->second.place);
      return found->second.pages;
    }
  }
  ARC_ASSIGN_OR_RETURN(auto pages, FilePages::Read(key, file));
  std::lock_guard lock(mutex_);
  if (const auto found = files_.find(key); found != files_.end()) return found->second.pages;
  by_use_.push_front(key);
  files_[key] = {pages, by_use_.begin()};
  chunks_ += 1 + pages->chunks();
  while (chunks_ > max_chunks_ && files_.size() > 1) {
    const auto oldest = files_.find(by_use_.back());
    chunks_ -= 1 + oldest->second.pages->chunks();
    files_.erase(oldest);
    by_use_.pop_back();
  }
  return pages;
}

}  // namespace arc
