// Line protocol, CSV and JSON files in pieces.
#pragma once

#include "arc/transfer/piece_reader.h"

namespace arc {

// JSON: an array of items, or items one after the other (JSON lines). An item is what the server takes as one.
Result<std::unique_ptr<PieceReader>> OpenTextPieces(const std::string& path, FileFormat format,
                                                    const PieceOptions& options);

}  // namespace arc
