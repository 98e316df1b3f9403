// Parquet and Arrow files in pieces, each an Arrow IPC stream.
#pragma once

#include "arc/transfer/piece_reader.h"

namespace arc {

// Arrow: the file format (also Feather 2) or a stream.
Result<std::unique_ptr<PieceReader>> OpenTablePieces(const std::string& path, FileFormat format,
                                                     const PieceOptions& options);

}  // namespace arc
