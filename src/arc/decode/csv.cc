#include "arc/decode/csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "arc/decode/batch_builder.h"
#include "arc/decode/csv_reader.h"
#include "arc/decode/scalar.h"

namespace arc {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The whole of `text` as a number; kText when it is none.
Scalar NumberOrText(std::string_view text) {
  const char* const end = text.data() + text.size();
  const bool sign = text[0] == '-' || text[0] == '+';
  const char* const digits = text.data() + (sign ? 1 : 0);
  // What from_chars takes: no plus sign.
  const char* const begin = text[0] == '+' ? digits : text.data();
  if (digits == end || (sign && (*digits == '-' || *digits == '+'))) return Scalar::OfText(text);
  if (end - digits > 1 && digits[0] == '0' && IsDigit(digits[1])) return Scalar::OfText(text);
  int64_t whole = 0;
  auto [stopped, fault] = std::from_chars(begin, end, whole);
  if (stopped == end && fault == std::errc()) return Scalar::Of(ScalarKind::kInt, static_cast<uint64_t>(whole));
  uint64_t large = 0;
  if (const auto read = std::from_chars(begin, end, large); read.ptr == end && read.ec == std::errc()) {
    return Scalar::Of(ScalarKind::kUInt, large);
  }
  double value = 0;
  const auto read = std::from_chars(begin, end, value);
  if (read.ptr != end || read.ec == std::errc::invalid_argument) return Scalar::OfText(text);
  if (read.ec == std::errc::result_out_of_range) {
    // Said of too small and too large alike: too small is zero or the nearest denormal.
    value = std::strtod(std::string(begin, end).c_str(), nullptr);
    if (std::isinf(value)) return Scalar::OfText(text);
  }
  return Scalar::OfDouble(value);
}

// What a cell that is not empty means by itself.
Scalar ScalarOf(std::string_view text) {
  const char first = text[0];
  if (IsDigit(first) || first == '-' || first == '+' || first == '.') return NumberOrText(text);
  switch (first) {
    case 't':
    case 'T':
      if (text == "true" || text == "True" || text == "TRUE") return Scalar::Of(ScalarKind::kBool, 1);
      break;
    case 'f':
    case 'F':
      if (text == "false" || text == "False" || text == "FALSE") return Scalar::Of(ScalarKind::kBool, 0);
      break;
    case 'n':
    case 'N':
    case 'i':
    case 'I': return NumberOrText(text);
    default: break;
  }
  return Scalar::OfText(text);
}

// Own records and cells: Arrow's CSV reader gives up a whole block at its first bad cell and cannot say on which line,
// and its types are the block's, so that neither keeping the good rows nor naming the bad ones could be had from it.
class CsvDecoder {
 public:
  CsvDecoder(std::string_view body, const CsvOptions& options, RequestBuilder* request)
      : options_(options), body_(body), reader_(body, options.delimiter), request_(request) {}

  Status Run() {
    ARC_RETURN_IF_ERROR(ReadHeader());
    Added why = Added::kOk;
    const std::string& name = options_.table.measurement;
    while (reader_.Next()) {
      if (measurement_ == nullptr) {
        ExpectRows();
        measurement_ = request_->Measurement(name, name.data() + name.size(), &why);
        if (measurement_ == nullptr) return InvalidArgument(DescribeRefusal(why, "measurement", name));
      }
      if (!TakeRecord()) ARC_RETURN_IF_ERROR(request_->AddError(reader_.line(), std::move(error_)));
    }
    return {};
  }

 private:
  // The columns of one variant's builder, found by place instead of by name.
  struct Variant {
    BatchBuilder* batch;
    std::vector<ColumnBuilder*> columns;
  };

  Status ReadHeader() {
    names_ = options_.columns;
    if (names_.empty()) {
      if (!reader_.Next()) return InvalidArgument("the CSV has no header line");
      if (!reader_.fault().empty()) return InvalidArgument("header: " + reader_.fault());
      names_ = NamesOf(reader_.cells());
    }
    ARC_ASSIGN_OR_RETURN(layout_, LayOutTableBody(names_, options_.table));
    return {};
  }

  // Guessed from the length of the first record.
  void ExpectRows() {
    const auto& last = reader_.cells().empty() ? std::string_view() : reader_.cells().back().text;
    const auto& first = reader_.cells().empty() ? std::string_view() : reader_.cells().front().text;
    const auto bytes = static_cast<size_t>(last.data() + last.size() - first.data()) + 1;
    if (last.data() != nullptr) request_->ExpectRows(body_.size() / bytes + 1);
  }

  bool TakeRecord() {
    if (!reader_.fault().empty()) return error_ = reader_.fault(), false;
    const auto& cells = reader_.cells();
    if (cells.size() != names_.size()) {
      error_ =
          "the line has " + std::to_string(cells.size()) + " cells for " + std::to_string(names_.size()) + " columns";
      return false;
    }
    int64_t time = 0;
    if (!Time(cells[layout_.time], &time)) return false;
    const Added added = measurement_->InSomeVariant([&](BatchBuilder& batch) { return Row(batch, time); });
    if (added == Added::kTooManyKinds) error_ = DescribeRefusal(added, "measurement", measurement_->name());
    return added == Added::kOk;
  }

  bool Time(const CsvReader::Cell& cell, int64_t* micros) {
    const std::string& name = names_[layout_.time];
    if (cell.text.empty()) return error_ = "column " + Snippet(name) + ": there is no time", false;
    const Scalar value = ScalarOf(TextOf(cell, &scratch_));
    std::string why;
    auto time = TimeOfScalar(value, options_.table.precision, &why);
    // Programs that write CSV leave out the zone where it is UTC.
    if (!time && value.kind == ScalarKind::kText) time = ParseRfc3339(std::string(value.text()) + "Z");
    if (!time) return error_ = "column " + Snippet(name) + ": " + why, false;
    *micros = *time;
    return true;
  }

  std::vector<ColumnBuilder*>& ColumnsOf(BatchBuilder& batch) {
    for (Variant& variant : variants_) {
      if (variant.batch == &batch) return variant.columns;
    }
    // As a column of every variant takes 8 bytes of each name, few variants of very many columns stay small.
    request_->budget()->Take(static_cast<int64_t>(names_.size() * sizeof(ColumnBuilder*)));
    return variants_.emplace_back(Variant{&batch, std::vector<ColumnBuilder*>(names_.size(), nullptr)}).columns;
  }

  Added Row(BatchBuilder& batch, int64_t time) {
    std::vector<ColumnBuilder*>& columns = ColumnsOf(batch);
    const auto& cells = reader_.cells();
    batch.BeginRow();
    for (size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].text.empty() || i == layout_.time) continue;
      const std::string& name = names_[i];
      Added added = Added::kOk;
      if (columns[i] == nullptr) {
        columns[i] =
            batch.Column(name, layout_.roles[i], name.data() + name.size(), options_.table.tags.has_value(), &added);
      }
      if (columns[i] != nullptr) added = Cell(*columns[i], batch.row(), cells[i], layout_.roles[i]);
      if (added == Added::kOk) continue;
      if (added != Added::kConflict) error_ = DescribeRefusal(added, RoleName(layout_.roles[i]), name);
      return added;
    }
    batch.CommitRow(time, reader_.line());
    return Added::kOk;
  }

  Added Cell(ColumnBuilder& column, uint32_t row, const CsvReader::Cell& cell, ColumnRole role) {
    const std::string_view text = TextOf(cell, &scratch_);
    if (role == ColumnRole::kTag) {
      return column.AddTag(row, text, cell.escaped ? text.data() + text.size() : body_.data() + body_.size());
    }
    const Scalar value = ScalarOf(text);
    const Added added = AddFieldScalar(column, row, value);
    if (added != Added::kConflict || value.kind == ScalarKind::kText) return added;
    return column.AddString(row, text);
  }

  const CsvOptions& options_;
  const std::string_view body_;
  CsvReader reader_;
  RequestBuilder* const request_;
  MeasurementBuilder* measurement_ = nullptr;
  std::vector<std::string> names_;
  TableBodyLayout layout_;
  std::vector<Variant> variants_;
  std::string scratch_;
  std::string error_;
};

}  // namespace

Result<WriteRequest> DecodeCsv(std::string_view body, const CsvOptions& options) {
  return DecodeGuarded(body, [&]() -> Result<WriteRequest> {
    RequestBuilder request(body.size());
    CsvDecoder decoder(body, options, &request);
    ARC_RETURN_IF_ERROR(decoder.Run());
    return request.Finish("line");
  });
}

}  // namespace arc
