#include "arc/transfer/source_file.h"

#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>

namespace arc {

Error SourceError(const arrow::Status& status) {
  if (status.IsIOError()) return Unavailable(status.message());
  return InvalidArgument(status.message());
}

Result<SourceFile> OpenSourceFile(const std::string& path) {
  SourceFile source;
  auto opened = arrow::io::ReadableFile::Open(path);
  if (!opened.ok()) return SourceError(opened.status());
  source.file = *opened;
  auto bytes = source.file->GetSize();
  if (!bytes.ok()) return SourceError(bytes.status());
  source.bytes = *bytes;
  source.stream = source.file;
  auto compression = arrow::Compression::UNCOMPRESSED;
  if (path.ends_with(".gz")) compression = arrow::Compression::GZIP;
  if (path.ends_with(".zst")) compression = arrow::Compression::ZSTD;
  if (compression == arrow::Compression::UNCOMPRESSED) return source;
  auto codec = arrow::util::Codec::Create(compression);
  if (!codec.ok()) return SourceError(codec.status());
  auto stream = arrow::io::CompressedInputStream::Make(codec->get(), source.file);
  if (!stream.ok()) return SourceError(stream.status());
  // The stream makes its decompressor at once and needs the codec no longer.
  source.stream = *stream;
  return source;
}

}  // namespace arc
