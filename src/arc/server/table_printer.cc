#include "arc/server/table_printer.h"

#include <arrow/api.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace arc {

namespace {

// Decodes one UTF-8 character at `*position` and moves past it; a broken byte counts as one character.
uint32_t NextCharacter(std::string_view text, size_t* position) {
  const auto lead = static_cast<unsigned char>(text[(*position)++]);
  int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  uint32_t character = more == 0 ? lead : lead & (0x3f >> more);
  while (more-- > 0 && *position < text.size() && (static_cast<unsigned char>(text[*position]) & 0xc0) == 0x80) {
    character = character << 6 | (static_cast<unsigned char>(text[(*position)++]) & 0x3f);
  }
  return character;
}

struct CodeRange {
  uint32_t first;
  uint32_t last;
};

// Unicode's East Asian Width W and F, in blocks, with the emoji planes.
constexpr CodeRange kWide[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},  {0x3041, 0x33ff}, {0x3400, 0x4dbf},
                               {0x4e00, 0x9fff},   {0xa000, 0xa4cf},  {0xac00, 0xd7a3}, {0xf900, 0xfaff},
                               {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
                               {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
// Combining marks and characters that take no room.
constexpr CodeRange kZero[] = {{0x0300, 0x036f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},
                               {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};

template <size_t N>
bool In(const CodeRange (&ranges)[N], uint32_t character) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [&](const CodeRange& range) { return character >= range.first && character <= range.last; });
}

bool IsNumeric(const arrow::DataType& type) { return arrow::is_numeric(type.id()) || arrow::is_decimal(type.id()); }

// Line breaks and other control characters would break the frame.
std::string OneLine(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(c));
      out += escaped;
    } else {
      out.push_back(c);
    }
  }
  return out;
}

Result<std::string> CellText(const arrow::Array& column, int64_t row) {
  if (column.type_id() == arrow::Type::STRING) {
    return std::string(static_cast<const arrow::StringArray&>(column).GetView(row));
  }
  if (column.type_id() == arrow::Type::DICTIONARY) {
    const auto& dictionary = static_cast<const arrow::DictionaryArray&>(column);
    return CellText(*dictionary.dictionary(), dictionary.GetValueIndex(row));
  }
  auto scalar = column.GetScalar(row);
  if (!scalar.ok()) return Internal(scalar.status().ToString());
  return (*scalar)->ToString();
}

}  // namespace

void TablePrinter::Begin(const arrow::Schema& schema) {
  for (const auto& field : schema.fields()) {
    names_.push_back(OneLine(field->name()));
    right_.push_back(IsNumeric(*field->type()));
    widths_.push_back(std::max(1, DisplayWidth(names_.back())));
  }
}

Status TablePrinter::Rows(const arrow::RecordBatch& batch) {
  for (int64_t row = 0; row < batch.num_rows() && static_cast<int64_t>(rows_.size()) < max_rows_; ++row) {
    std::vector<std::string> cells;
    for (int column = 0; column < batch.num_columns(); ++column) {
      const arrow::Array& values = *batch.column(column);
      std::string cell = "NULL";
      if (!values.IsNull(row)) {
        ARC_ASSIGN_OR_RETURN(cell, CellText(values, row));
        cell = OneLine(cell);
      }
      auto index = static_cast<size_t>(column);
      widths_[index] = std::max(widths_[index], DisplayWidth(cell));
      cells.push_back(std::move(cell));
    }
    rows_.push_back(std::move(cells));
  }
  total_ += batch.num_rows();
  return {};
}

void TablePrinter::End(double millis) {
  if (!names_.empty()) {
    Rule("┌", "┬", "┐");
    Line(names_);
    Rule("├", "┼", "┤");
    for (const auto& row : rows_) Line(row);
    Rule("└", "┴", "┘");
  }
  out_ << GroupDigits(total_) << (total_ == 1 ? " row" : " rows");
  if (total_ > static_cast<int64_t>(rows_.size())) {
    out_ << " (" << GroupDigits(static_cast<int64_t>(rows_.size())) << " shown)";
  }
  std::array<char, 32> took;
  const bool short_time = millis < 1000;
  std::snprintf(took.data(), took.size(), short_time ? "%.1f ms" : "%.2f s", short_time ? millis : millis / 1000);
  out_ << " in " << took.data() << "\n";
  out_.flush();
}

void TablePrinter::Rule(std::string_view left, std::string_view middle, std::string_view right) {
  out_ << left;
  for (size_t i = 0; i < widths_.size(); ++i) {
    for (int dash = 0; dash < widths_[i] + 2; ++dash) out_ << "─";
    out_ << (i + 1 < widths_.size() ? middle : right);
  }
  out_ << "\n";
}

void TablePrinter::Line(const std::vector<std::string>& cells) {
  for (size_t i = 0; i < cells.size(); ++i) {
    std::string padding(static_cast<size_t>(widths_[i] - DisplayWidth(cells[i])), ' ');
    out_ << "│ " << (right_[i] ? padding + cells[i] : cells[i] + padding) << " ";
  }
  out_ << "│\n";
}

int DisplayWidth(std::string_view text) {
  int width = 0;
  for (size_t position = 0; position < text.size();) {
    uint32_t character = NextCharacter(text, &position);
    if (!In(kZero, character)) width += In(kWide, character) ? 2 : 1;
  }
  return width;
}

std::string GroupDigits(int64_t number) {
  std::string text = std::to_string(number);
  const size_t first = text.starts_with('-') ? 1 : 0;
  for (size_t at = text.size(); at > first + 3;) text.insert(at -= 3, 1, ',');
  return text;
}

}  // namespace arc
