#include "arc/transfer/piece_reader.h"

#include <array>
#include <cctype>
#include <utility>

#include "arc/transfer/table_pieces.h"
#include "arc/transfer/text_pieces.h"

namespace arc {

std::string_view FileFormatName(FileFormat format) {
  switch (format) {
    case FileFormat::kLineProtocol: return "lp";
    case FileFormat::kCsv: return "csv";
    case FileFormat::kJson: return "json";
    case FileFormat::kParquet: return "parquet";
    case FileFormat::kArrow: return "arrow";
  }
  return "";
}

std::optional<FileFormat> FileFormatOf(const std::string& path) {
  static constexpr std::array<std::pair<std::string_view, FileFormat>, 14> kSuffixes = {{
      {".lp", FileFormat::kLineProtocol},
      {".line", FileFormat::kLineProtocol},
      {".influx", FileFormat::kLineProtocol},
      {".txt", FileFormat::kLineProtocol},
      {".csv", FileFormat::kCsv},
      {".tsv", FileFormat::kCsv},
      {".json", FileFormat::kJson},
      {".jsonl", FileFormat::kJson},
      {".ndjson", FileFormat::kJson},
      {".parquet", FileFormat::kParquet},
      {".arrow", FileFormat::kArrow},
      {".arrows", FileFormat::kArrow},
      {".ipc", FileFormat::kArrow},
      {".feather", FileFormat::kArrow},
  }};
  std::string name = path;
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string_view compressed : {".gz", ".zst"}) {
    if (name.ends_with(compressed)) name.resize(name.size() - compressed.size());
  }
  for (const auto& [suffix, format] : kSuffixes) {
    if (name.ends_with(suffix)) return format;
  }
  return std::nullopt;
}

Result<std::unique_ptr<PieceReader>> OpenPieces(const std::string& path, FileFormat format,
                                                const PieceOptions& options) {
  switch (format) {
    case FileFormat::kParquet:
    case FileFormat::kArrow: return OpenTablePieces(path, format, options);
    case FileFormat::kLineProtocol:
    case FileFormat::kCsv:
    case FileFormat::kJson: break;
  }
  return OpenTextPieces(path, format, options);
}

}  // namespace arc
