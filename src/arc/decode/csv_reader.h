// CSV text -> records of cells, by RFC 4180.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/decode/record_cut.h"

namespace arc {

// Reads record by record; nothing is copied. Lines end with LF or CR LF; blank lines and a byte order mark at the start
// are skipped. Not thread-safe.
class CsvReader {
 public:
  // A cell without the quotes around it; `escaped`: "" stands for " in it.
  struct Cell {
    std::string_view text;
    bool escaped = false;
  };

  // A record of more cells is a fault; as many as a batch may have columns.
  static constexpr size_t kMaxCells = 10'000;

  CsvReader(std::string_view text, char delimiter);

  // Moves to the next record; false at the end.
  bool Next();
  const std::vector<Cell>& cells() const { return cells_; }
  // Where the record begins, in lines from 1.
  uint32_t line() const { return line_; }
  // What is wrong with the record, or empty. The next record begins at the next line that can begin one.
  const std::string& fault() const { return fault_; }
  // The fault is a quote that nothing up to the end closes.
  bool unclosed() const { return unclosed_; }
  // Bytes up to here are read.
  const char* position() const { return at_; }

 private:
  void ReadPlain();
  bool ReadQuoted();
  void SkipLine(const char* from);
  bool AtEndOfLine(const char* p) const;

  const char* at_;
  const char* const end_;
  const char delimiter_;
  const char* record_;
  uint32_t line_ = 0;
  uint32_t next_line_ = 1;
  std::vector<Cell> cells_;
  std::string fault_;
  bool unclosed_ = false;
};

// The cell's text, unescaped into `scratch` if need be.
std::string_view TextOf(const CsvReader::Cell& cell, std::string* scratch);

// The first whole records of a text that may be cut anywhere, at most `max_records`.
RecordCut CutCsv(std::string_view text, char delimiter, size_t max_records);

// Names in one CSV record with commas, such as `host,"region, zone"`; none for an empty text.
Result<std::vector<std::string>> ParseNameList(std::string_view text);

// The names of a record, as `cells` has them.
std::vector<std::string> NamesOf(const std::vector<CsvReader::Cell>& cells);

}  // namespace arc
