#include "arc/transfer/text_pieces.h"

#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <algorithm>
#include <utility>

#include "arc/decode/csv_reader.h"
#include "arc/decode/line_protocol.h"
#include "arc/transfer/json_cut.h"
#include "arc/transfer/source_file.h"

namespace arc {
namespace {

constexpr int64_t kReadBytes = 1 << 20;
constexpr size_t kMaxRecordBytes = 64 << 20;  // a body of that size is still taken by a server at default settings
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class TextPieces : public PieceReader {
 public:
  TextPieces(SourceFile source, FileFormat format, const PieceOptions& options)
      : source_(std::move(source)), format_(format), options_(options) {}

  // Reads the header of a CSV file.
  Status Begin() {
    if (format_ != FileFormat::kCsv) return {};
    RecordCut header;
    while (header.bytes == 0) {
      ARC_ASSIGN_OR_RETURN(const bool more, Fill(text().size() + 1));
      header = CutCsv(text(), options_.delimiter, 1);
      if (header.bytes > 0) break;
      if (!more) {
        header.bytes = text().size();
        break;
      }
      if (text().size() > kMaxRecordBytes) return InvalidArgument("the header line is too long");
    }
    CsvReader reader(text().substr(0, header.bytes), options_.delimiter);
    if (!reader.Next()) return InvalidArgument("the CSV has no header line");
    if (!reader.fault().empty()) return InvalidArgument("header: " + reader.fault());
    header_ = text().substr(0, header.bytes);
    Skip(header.bytes);
    header_lines_ = place_.counted;
    return {};
  }

  Status Seek(const PiecePlace& place) override {
    while (place_.offset < place.offset) {
      ARC_ASSIGN_OR_RETURN(const bool more, Fill(1));
      if (!more && text().empty()) return InvalidArgument("the file ends before the place to go on from");
      const int64_t skipped = std::min<int64_t>(static_cast<int64_t>(text().size()), place.offset - place_.offset);
      begin_ += static_cast<size_t>(skipped);
      place_.offset += skipped;
    }
    if (place_.offset != place.offset) return InvalidArgument("there is no record where the last run stopped");
    place_.counted = place.counted;
    return {};
  }

  Result<bool> Next(Piece* piece) override {
    piece->body.clear();
    piece->rows = 0;
    piece->shift = place_.counted - header_lines_;
    ARC_ASSIGN_OR_RETURN(bool more, Fill(static_cast<size_t>(options_.bytes)));
    while (true) {
      if (format_ == FileFormat::kJson) {
        ARC_RETURN_IF_ERROR(TakeItems(piece));
      } else {
        TakeLines(more, piece);
      }
      if (!piece->body.empty() || !more) break;
      // Not even one whole record.
      ARC_ASSIGN_OR_RETURN(more, Fill(text().size() + kReadBytes));
    }
    piece->next = place_;
    if (format_ == FileFormat::kJson && piece->body.empty() && !text().empty()) {
      return InvalidArgument("the file ends within the item at byte " + std::to_string(place_.offset));
    }
    return !piece->body.empty();
  }

  int64_t done() const override { return source_.file->Tell().ValueOr(0); }
  int64_t total() const override { return source_.bytes; }

 private:
  std::string_view text() const { return std::string_view(buffer_).substr(begin_); }

  // Reads until there are `bytes` of text; false when the file has ended, with however many there are.
  Result<bool> Fill(size_t bytes) {
    if (begin_ > buffer_.size() / 2) buffer_.erase(0, std::exchange(begin_, 0));
    while (!ended_ && text().size() < bytes) {
      auto read = source_.stream->Read(kReadBytes);
      if (!read.ok()) return SourceError(read.status());
      ended_ = (*read)->size() == 0;
      buffer_.append(reinterpret_cast<const char*>((*read)->data()), static_cast<size_t>((*read)->size()));
      if (ended_ && last_byte_ != '\n') buffer_ += '\n';
      if (!ended_) last_byte_ = static_cast<char>((*read)->data()[(*read)->size() - 1]);
    }
    return !ended_;
  }

  // Moves behind text that was taken; it holds whole lines.
  void Skip(size_t bytes) {
    const std::string_view taken = text().substr(0, bytes);
    place_.counted += std::count(taken.begin(), taken.end(), '\n');
    place_.offset += static_cast<int64_t>(bytes);
    begin_ += bytes;
  }

  void TakeLines(bool more, Piece* piece) {
    const auto rows = static_cast<size_t>(options_.rows);
    const std::string_view some =
        text().substr(0, std::max(text().find('\n') + 1, static_cast<size_t>(options_.bytes)));
    RecordCut cut = Cut(some, rows);
    if (cut.bytes == 0 && some.size() < text().size()) cut = Cut(text(), 1);
    // What is left at the end is for the server to judge, and so is a quote that is not closed within all reason.
    if (cut.bytes == 0 && !more) cut = {text().size(), 1};
    if (cut.bytes == 0 && text().size() > kMaxRecordBytes) cut = {text().rfind('\n') + 1, 1};
    if (cut.bytes == 0) return;
    piece->body = header_;
    piece->body += text().substr(0, cut.bytes);
    piece->rows = static_cast<int64_t>(cut.records);
    Skip(cut.bytes);
  }

  RecordCut Cut(std::string_view text, size_t rows) const {
    return format_ == FileFormat::kCsv ? CutCsv(text, options_.delimiter, rows) : CutLineProtocol(text, rows);
  }

  Status TakeItems(Piece* piece) {
    while (piece->rows < options_.rows && static_cast<int64_t>(piece->body.size()) < options_.bytes) {
      size_t blank = 0;
      if (place_.offset == 0 && text().starts_with(kByteOrderMark)) blank = kByteOrderMark.size();
      while (blank < text().size() && IsBetweenJsonItems(text()[blank])) ++blank;
      begin_ += blank;
      place_.offset += static_cast<int64_t>(blank);
      if (text().empty()) break;
      if (text().front() != '{') {
        return InvalidArgument("byte " + std::to_string(place_.offset) + " of the file begins no JSON object");
      }
      const size_t length = JsonObjectLength(text());
      if (length == 0 && text().size() > kMaxRecordBytes) return InvalidArgument("a JSON item is longer than 64 MB");
      if (length == 0) break;
      piece->body += piece->body.empty() ? '[' : ',';
      piece->body += text().substr(0, length);
      ++piece->rows;
      ++place_.counted;
      begin_ += length;
      place_.offset += static_cast<int64_t>(length);
    }
    if (!piece->body.empty()) piece->body += ']';
    return {};
  }

  SourceFile source_;
  const FileFormat format_;
  const PieceOptions options_;
  std::string buffer_;
  size_t begin_ = 0;  // of what is not taken yet
  bool ended_ = false;
  char last_byte_ = '\n';
  PiecePlace place_;
  std::string header_;  // of CSV: every piece begins with it
  int64_t header_lines_ = 0;
};

}  // namespace

Result<std::unique_ptr<PieceReader>> OpenTextPieces(const std::string& path, FileFormat format,
                                                    const PieceOptions& options) {
  ARC_ASSIGN_OR_RETURN(SourceFile source, OpenSourceFile(path));
  auto pieces = std::make_unique<TextPieces>(std::move(source), format, options);
  ARC_RETURN_IF_ERROR(pieces->Begin());
  return std::unique_ptr<PieceReader>(std::move(pieces));
}

}  // namespace arc
