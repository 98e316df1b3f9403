// The parser behind DecodeLineProtocol: one pass over the text, values straight into column builders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "arc/decode/batch_builder.h"
#include "arc/decode/line_protocol.h"
#include "arc/decode/number_text.h"

namespace arc {

// Where the record that starts at `p` ends (its newline), by the rules of quotes; null when past `last_newline`.
const char* EndOfLineRecord(const char* p, const char* last_newline);

// Parses records from a text whose last byte is a newline with kReadAhead readable bytes behind it, so that no loop
// has to look for the end: every scan stops at a newline. Not thread-safe.
class LineDecoder {
 public:
  static constexpr size_t kReadAhead = 64;

  LineDecoder(const LineProtocolOptions& options, RequestBuilder* request) : options_(options), request_(request) {}

  // Parses [p, last_newline]. When `final` is false and a quoted string runs past `last_newline`, stops before that
  // record. Returns where it stopped.
  Result<const char*> Run(const char* p, const char* last_newline, bool final);

 private:
  // Parses one record and moves past it; false when it runs past the end of a text that is not final.
  Result<bool> Record(const char** p);
  // Finds the measurement named at `*p` and moves behind the name; null when the record is refused.
  MeasurementBuilder* Measurement(const char** p);
  // Tags, fields and time of the record at `p` (behind the measurement) into `batch`. On kOk the row is committed.
  Added Row(BatchBuilder& batch, const char* p);

  // The parts of a record, each from where it begins. They return where it ends, or null when the record is refused:
  // refused_ (and error_) then say why. The position is handed on in a register, as all that follows waits for it.
  const char* Tags(BatchBuilder& batch, const char* p, ColumnBuilder*** link);
  const char* TagValue(ColumnBuilder& column, uint32_t row, const char* p);
  const char* LongTagValue(ColumnBuilder& column, uint32_t row, const char* p);  // or escaped, or wrong
  const char* Fields(BatchBuilder& batch, const char* p, ColumnBuilder** link);
  const char* FieldValue(ColumnBuilder& column, uint32_t row, const char* p);
  const char* StringValue(ColumnBuilder& column, uint32_t row, const char* p);
  const char* BoolValue(ColumnBuilder& column, uint32_t row, const char* p);
  const char* BadNumber(const ColumnBuilder& column, NumberFault fault, const char* p);
  const char* Time(const char* p, int64_t* micros);
  // The column named at `*p`, which moves behind the =; null when the record is refused.
  ColumnBuilder* NamedColumn(BatchBuilder& batch, ColumnRole role, const char** p);

  // The unescaped text of [begin, end), in scratch_ if it has escapes of `set`.
  std::string_view Unescape(const char* begin, const char* end, std::string_view set);
  const char* LimitOf(std::string_view text) const;
  // EndOfLineRecord up to last_newline_; where a quote is never closed, the first newline.
  const char* EndOfRecord(const char* p) const;
  // Remember what is wrong; return null.
  std::nullptr_t Fault(const char* at, std::string what);
  std::nullptr_t Refused(const char* at, Added added, std::string_view what, std::string_view name);

  const LineProtocolOptions options_;
  RequestBuilder* const request_;
  MeasurementBuilder* measurement_ = nullptr;  // of the record before
  const char* last_newline_ = nullptr;
  bool final_ = false;
  uint32_t line_ = 1;                 // of the record at hand
  const char* record_ = nullptr;      // its start
  const char* record_end_ = nullptr;  // its newline, once Row has come to it
  uint32_t inner_newlines_ = 0;       // in its quoted strings
  bool crosses_end_ = false;          // it runs past last_newline_
  bool unterminated_ = false;         // its quote is never closed
  Added refused_ = Added::kOk;
  std::string error_;
  std::string scratch_;
};

}  // namespace arc
