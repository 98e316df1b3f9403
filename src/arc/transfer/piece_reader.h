// A file on its way to a server: cut into pieces that are one request each, in bounded memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "arc/base/result.h"

namespace arc {

enum class FileFormat { kLineProtocol, kCsv, kJson, kParquet, kArrow };

std::string_view FileFormatName(FileFormat format);  // "lp", "csv", "json", "parquet", "arrow"
// By the name: .lp .line .influx .txt, .csv .tsv, .json .jsonl .ndjson, .parquet, .arrow .arrows .ipc .feather; the
// texts and Arrow streams also with .gz or .zst behind.
std::optional<FileFormat> FileFormatOf(const std::string& path);

struct PieceOptions {
  int64_t rows = 50'000;    // at most so many in a piece
  int64_t bytes = 8 << 20;  // about so large; one record may be larger
  char delimiter = ',';     // CSV
};

// Where a piece begins: all that is needed to go on from there another time.
struct PiecePlace {
  int64_t offset = 0;   // bytes of the (decompressed) text, or rows of a Parquet or Arrow file
  int64_t counted = 0;  // lines (line protocol, CSV) or rows (the others) before it in the file
};

struct Piece {
  std::string body;
  int64_t rows = 0;   // records in it
  int64_t shift = 0;  // added to a position that the server tells, it is the line or row of the file
  PiecePlace next;    // of what follows it
};

// Reads forward. Not thread-safe.
class PieceReader {
 public:
  virtual ~PieceReader() = default;
  // Goes on at a place that a Piece of the same file told; once, before the first Next.
  virtual Status Seek(const PiecePlace& place) = 0;
  // False at the end. kInvalidArgument: the file is not of its format; kUnavailable: it cannot be read.
  virtual Result<bool> Next(Piece* piece) = 0;
  // Bytes of the file that were read, of as many as it has; rows instead where the file says how many it has.
  virtual int64_t done() const = 0;
  virtual int64_t total() const = 0;
};

Result<std::unique_ptr<PieceReader>> OpenPieces(const std::string& path, FileFormat format,
                                                const PieceOptions& options);

}  // namespace arc
