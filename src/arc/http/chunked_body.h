// The chunked transfer coding (RFC 9112 section 7.1), decoded incrementally.
#pragma once

#include <cstdint>
#include <string_view>

namespace arc {

// Strict where leniency would let two parsers disagree about where a request ends: sizes are hexadecimal digits only,
// lines end in CRLF. Chunk extensions and trailer fields are skipped within bounds. Not thread-safe.
class ChunkedBody {
 public:
  enum class Step { kNeedMore, kData, kDone, kBad };

  // Takes bytes from the front of `*in`. kData: `*data` (inside what was taken) belongs to the body; call again.
  Step Next(std::string_view* in, std::string_view* data);
  // Bytes of the current chunk still to come: the reader may read them straight into its own buffer…
  uint64_t chunk_remaining() const { return state_ == State::kData ? remaining_ : 0; }
  // …and tells how many it did.
  void Skip(uint64_t bytes);

 private:
  enum class State : uint8_t {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailer,
    kTrailerLine,
    kTrailerLf,
    kEndLf,
    kDone
  };
  Step Byte(char c);

  State state_ = State::kSize;
  uint64_t remaining_ = 0;
  int digits_ = 0;
  int line_bytes_ = 0;     // of the extension
  int trailer_bytes_ = 0;  // of all trailer fields
};

}  // namespace arc
