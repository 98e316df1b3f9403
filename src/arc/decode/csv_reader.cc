#include "arc/decode/csv_reader.h"

#include <algorithm>
#include <cstring>

namespace arc {

namespace {
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
}  // namespace

CsvReader::CsvReader(std::string_view text, char delimiter)
    : at_(text.data() + (text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0)),
      end_(text.data() + text.size()),
      delimiter_(delimiter),
      record_(at_) {}

bool CsvReader::AtEndOfLine(const char* p) const {
  if (p == end_ || *p == '\n') return true;
  return *p == '\r' && (p + 1 == end_ || p[1] == '\n');
}

bool CsvReader::Next() {
  cells_.clear();
  fault_.clear();
  unclosed_ = false;
  while (at_ < end_ && AtEndOfLine(at_)) {
    at_ += *at_ == '\r' ? 1 : 0;
    if (at_ < end_) ++at_;
    ++next_line_;
  }
  if (at_ == end_) return false;
  record_ = at_;
  line_ = next_line_;
  while (true) {
    if (cells_.size() == kMaxCells) {
      fault_ = "the line has more than " + std::to_string(kMaxCells) + " cells";
      SkipLine(at_);
      return true;
    }
    if (at_ < end_ && *at_ == '"') {
      if (!ReadQuoted()) return true;
    } else {
      ReadPlain();
    }
    if (at_ == end_) return true;
    if (*at_++ == delimiter_) continue;
    // A line's end: CR LF, or LF alone, or CR at the very end.
    if (at_[-1] == '\r' && at_ < end_) ++at_;
    ++next_line_;
    return true;
  }
}

void CsvReader::ReadPlain() {
  const char* p = at_;
  while (p < end_ && *p != delimiter_ && *p != '\n') ++p;
  const char* const stop = p;
  if (p > at_ && p[-1] == '\r' && AtEndOfLine(p - 1)) --p;
  cells_.push_back({{at_, static_cast<size_t>(p - at_)}, false});
  at_ = p < stop ? p : stop;
}

bool CsvReader::ReadQuoted() {
  const char* const begin = at_ + 1;
  bool escaped = false;
  const char* p = begin;
  while (true) {
    p = p == end_ ? nullptr : static_cast<const char*>(std::memchr(p, '"', static_cast<size_t>(end_ - p)));
    if (p == nullptr) {
      unclosed_ = true;
      fault_ = "the quote that opens cell " + std::to_string(cells_.size() + 1) + " is never closed";
      // Few lines can begin such a cell: the quotes behind it stand in pairs, so that each cell opened by the first of
      // a pair is closed by the second. Going back to the second line is no way to make this quadratic.
      SkipLine(record_);
      return false;
    }
    if (p + 1 == end_ || p[1] != '"') break;
    escaped = true;
    p += 2;
  }
  if (p + 1 != end_ && p[1] != delimiter_ && !AtEndOfLine(p + 1)) {
    fault_ = "cell " + std::to_string(cells_.size() + 1) + " goes on behind its closing quote";
    SkipLine(p);
    return false;
  }
  next_line_ += static_cast<uint32_t>(std::count(begin, p, '\n'));
  cells_.push_back({{begin, static_cast<size_t>(p - begin)}, escaped});
  at_ = p + 1;
  return true;
}

// Moves behind the line that `from` stands in.
void CsvReader::SkipLine(const char* from) {
  const auto* newline = static_cast<const char*>(std::memchr(from, '\n', static_cast<size_t>(end_ - from)));
  at_ = newline == nullptr ? end_ : newline + 1;
  next_line_ = line_ + static_cast<uint32_t>(std::count(record_, at_, '\n'));
}

std::string_view TextOf(const CsvReader::Cell& cell, std::string* scratch) {
  if (!cell.escaped) return cell.text;
  scratch->clear();
  for (size_t i = 0; i < cell.text.size(); ++i) {
    *scratch += cell.text[i];
    if (cell.text[i] == '"') ++i;
  }
  return *scratch;
}

RecordCut CutCsv(std::string_view text, char delimiter, size_t max_records) {
  CsvReader reader(text, delimiter);
  RecordCut cut;
  while (cut.records < max_records && reader.Next()) {
    const char* const stopped = reader.position();
    // A quote that is not closed yet may be closed by what follows.
    if (stopped[-1] != '\n' || reader.unclosed()) break;
    cut.bytes = static_cast<size_t>(stopped - text.data());
    ++cut.records;
  }
  return cut;
}

std::vector<std::string> NamesOf(const std::vector<CsvReader::Cell>& cells) {
  std::vector<std::string> names;
  std::string scratch;
  for (const CsvReader::Cell& cell : cells) names.emplace_back(TextOf(cell, &scratch));
  return names;
}

Result<std::vector<std::string>> ParseNameList(std::string_view text) {
  CsvReader reader(text, ',');
  if (!reader.Next()) return std::vector<std::string>();
  if (!reader.fault().empty()) return InvalidArgument(reader.fault());
  std::vector<std::string> names = NamesOf(reader.cells());
  if (reader.Next()) return InvalidArgument("a list of names is one line");
  return names;
}

}  // namespace arc
