#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "arc/base/clock.h"
#include "arc/server/api_client.h"
#include "arc/server/commands.h"
#include "arc/server/resume_file.h"
#include "arc/server/server_access.h"
#include "arc/server/write_progress.h"
#include "arc/transfer/piece_reader.h"

namespace arc {

namespace {

constexpr int64_t kPatienceNanos = 300LL * 1'000'000'000;  // for one piece, until the server takes it
constexpr int64_t kLongestWaitSeconds = 30;
constexpr size_t kShownReasons = 5;

std::string MeasurementOf(const WriteCommand& command) {
  if (!command.measurement.empty()) return command.measurement;
  const std::string name = std::filesystem::path(command.file).filename().string();
  return name.substr(0, name.find('.', 1));
}

std::string DatabaseOf(const WriteCommand& command) {
  if (!command.database.empty()) return command.database;
  const char* database = std::getenv("ARC_DATABASE");
  return database == nullptr || *database == '\0' ? "default" : database;
}

// The path with all that says how the server is to read the bodies.
std::string WritePath(const WriteCommand& command, FileFormat format, const std::string& delimiter) {
  std::string path = "/api/v1/write/";
  switch (format) {
    case FileFormat::kLineProtocol: path += "line-protocol"; break;
    case FileFormat::kJson: path += "json"; break;
    case FileFormat::kCsv: path += "csv"; break;
    case FileFormat::kParquet:
    case FileFormat::kArrow: path += "arrow"; break;
  }
  path += "?db=" + PercentEncode(DatabaseOf(command));
  if (!command.precision.empty()) path += "&precision=" + PercentEncode(command.precision);
  if (format == FileFormat::kLineProtocol || format == FileFormat::kJson) return path;
  path += "&measurement=" + PercentEncode(MeasurementOf(command));
  if (command.tags) path += "&tags=" + PercentEncode(*command.tags);
  if (!command.time_column.empty()) path += "&time_column=" + PercentEncode(command.time_column);
  if (format == FileFormat::kCsv && !delimiter.empty()) path += "&delimiter=" + PercentEncode(delimiter);
  return path;
}

std::string_view ContentType(FileFormat format) {
  switch (format) {
    case FileFormat::kJson: return "application/json";
    case FileFormat::kCsv: return "text/csv";
    case FileFormat::kParquet:
    case FileFormat::kArrow: return "application/vnd.apache.arrow.stream";
    case FileFormat::kLineProtocol: break;
  }
  return "text/plain; charset=utf-8";
}

int64_t NumberIn(const std::map<std::string, std::string>& headers, const char* name, int64_t otherwise) {
  const auto found = headers.find(name);
  if (found == headers.end()) return otherwise;
  int64_t number = otherwise;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
  return number;
}

// One file on its way to one server.
class Upload {
 public:
  Upload(const WriteCommand& command, const Console& console, ApiClient& client, std::string path, FileFormat format,
         ResumeState state)
      : file_(command.file),
        console_(console),
        client_(client),
        path_(std::move(path)),
        content_type_(ContentType(format)),
        state_(std::move(state)),
        progress_(console.problems, ::isatty(STDERR_FILENO) != 0, SystemClock()) {}

  // Until the end of the file; what is acknowledged is noted in the progress file, piece by piece.
  Status Run(PieceReader& reader) {
    Piece piece;
    progress_.Show(0, reader.done(), reader.total());
    while (true) {
      ARC_ASSIGN_OR_RETURN(const bool more, reader.Next(&piece));
      if (!more) break;
      ARC_RETURN_IF_ERROR(Send(&piece));
      state_.place = piece.next;
      ARC_RETURN_IF_ERROR(SaveResume(SystemDisk(), file_, state_));
      progress_.Show(rows_, reader.done(), reader.total());
    }
    progress_.Clear();
    return RemoveResume(SystemDisk(), file_);
  }

  void Summarize() {
    progress_.Clear();
    const double seconds = progress_.seconds();
    const auto rate = static_cast<int64_t>(seconds > 0 ? static_cast<double>(rows_) / seconds : 0);
    char text[32];
    std::snprintf(text, sizeof(text), "%.2f", seconds);
    console_.out << Grouped(rows_) << " rows written, " << Grouped(refused_) << " refused, in " << text << " s ("
                 << Grouped(rate) << " rows/s)\n";
    if (state_.rows_written != rows_ || state_.rows_refused != refused_) {
      console_.out << "with earlier runs: " << Grouped(state_.rows_written) << " rows written, "
                   << Grouped(state_.rows_refused) << " refused\n";
    }
    for (const std::string& reason : reasons_) console_.problems << "refused: " << reason << "\n";
    if (refused_ > static_cast<int64_t>(reasons_.size()) && !reasons_.empty()) console_.problems << "refused: ...\n";
  }
  int64_t refused() const { return state_.rows_refused; }

 private:
  // Sends until the server has taken the piece or refused its rows.
  Status Send(Piece* piece) {
    ApiRequest request{"POST", path_, std::move(piece->body), content_type_};
    const int64_t started = SystemClock().MonotonicNanos();
    for (bool told = false;;) {
      auto answer = client_.Exchange(request);
      int64_t wait_seconds = 1;
      std::string why;
      if (answer.ok()) {
        if (answer->status != 503 && answer->status != 429) return Account(*answer, *piece);
        wait_seconds = std::clamp<int64_t>(NumberIn(answer->headers, "retry-after", 1), 1, kLongestWaitSeconds);
        why = ErrorTextOf(answer->body);
      } else {
        // Nothing was sent: trying again cannot double anything. After that, only a person can say.
        if (answer.error().kind != ErrorKind::kUnavailable) return Broken(answer.error());
        why = answer.error().message;
      }
      if (SystemClock().MonotonicNanos() - started > kPatienceNanos) {
        return MakeError(ErrorKind::kOverloaded, "the server takes no more: " + why);
      }
      if (!std::exchange(told, true)) {
        progress_.Clear();
        console_.problems << "waiting for the server: " << why << std::endl;
      }
      SystemClock().SleepFor(std::chrono::seconds(wait_seconds));
    }
  }

  static Error Broken(const Error& error) {
    return MakeError(error.kind, error.message +
                                     "; whether the last rows sent were taken is not known, running the command again "
                                     "sends them again");
  }

  Status Account(const ApiAnswer& answer, const Piece& piece) {
    if (answer.status >= 200 && answer.status < 300) {
      Count(NumberIn(answer.headers, "x-arc-rows", 0), 0);
      return {};
    }
    const std::string why = ErrorTextOf(answer.body);
    if (answer.status >= 500) return Broken(MakeError(ErrorKind::kUnknownOutcome, why));
    if (answer.status == 413) return MakeError(ErrorKind::kTooLarge, why + "; try fewer --batch-rows");
    if (answer.status != 400) return InvalidArgument(why);
    const nlohmann::json json = nlohmann::json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.contains("rows_written") && json.contains("rows_refused")) {
      Count(json["rows_written"].get<int64_t>(), json["rows_refused"].get<int64_t>());
      for (const auto& error : json.value("errors", nlohmann::json::array())) AddReason(error, piece.shift);
      return {};
    }
    // Nothing was taken. "line 3: …" says that rows are at fault; without it the request as a whole is wrong. Where no
    // row was ever taken, the arguments are the likelier reason.
    auto reason = InFile(why, piece.shift);
    if (!reason || state_.rows_written == 0) return InvalidArgument(reason.value_or(why));
    Count(0, piece.rows);
    if (reasons_.size() < kShownReasons) reasons_.push_back(*std::move(reason));
    return {};
  }

  // "line 3: …" or "row 3: …" of a request, with the file's line or row; nothing for other texts.
  static std::optional<std::string> InFile(const std::string& text, int64_t shift) {
    const size_t blank = text.find(' ');
    const std::string_view word = std::string_view(text).substr(0, blank);
    if (word != "line" && word != "row") return std::nullopt;
    int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + blank + 1, end, number);
    if (read.ec != std::errc() || read.ptr == end || *read.ptr != ':') return std::nullopt;
    return std::string(word) + " " + std::to_string(number + shift) + std::string(read.ptr, end);
  }

  void Count(int64_t rows, int64_t refused) {
    rows_ += rows;
    refused_ += refused;
    state_.rows_written += rows;
    state_.rows_refused += refused;
  }

  // {"line": 3, "message": …} or {"row": …}, counted in the request.
  void AddReason(const nlohmann::json& error, int64_t shift) {
    if (reasons_.size() >= kShownReasons || !error.is_object()) return;
    for (const char* position : {"line", "row"}) {
      if (!error.contains(position)) continue;
      reasons_.push_back(std::string(position) + " " + std::to_string(error[position].get<int64_t>() + shift) + ": " +
                         error.value("message", ""));
    }
  }

  const std::string file_;
  const Console& console_;
  ApiClient& client_;
  const std::string path_;
  const std::string content_type_;
  ResumeState state_;
  WriteProgress progress_;
  int64_t rows_ = 0;  // of this run
  int64_t refused_ = 0;
  std::vector<std::string> reasons_;
};

// Where to go on from: the beginning, or the place that an interrupted run of the same file to the same target noted.
Result<ResumeState> StartFrom(const WriteCommand& command, std::string target) {
  ARC_ASSIGN_OR_RETURN(ResumeState start, DescribeFile(command.file));
  start.target = std::move(target);
  if (command.restart) return start;
  ARC_ASSIGN_OR_RETURN(auto earlier, LoadResume(SystemDisk(), command.file));
  if (!earlier) return start;
  const std::string remedy = "; to send it from its beginning, use --restart (rows already written are then doubled)";
  if (earlier->bytes != start.bytes || earlier->modified_nanos != start.modified_nanos) {
    return InvalidArgument(command.file + " has changed since an earlier run was interrupted" + remedy);
  }
  if (earlier->target != start.target) {
    return InvalidArgument("an interrupted run of " + command.file +
                           " had another target or options: " + earlier->target + remedy);
  }
  return *earlier;
}

}  // namespace

int RunWrite(const WriteCommand& given, const Console& console) {
  const auto usage = [&](const Error& error) {
    Fail(console, error);
    return kExitUsage;
  };
  Result<Config> config = LoadConfig(given.config, nullptr);
  if (!config.ok()) return usage(config.error());
  WriteCommand command = given;
  std::error_code ignored;
  command.file = std::filesystem::absolute(given.file, ignored).string();
  const auto format = command.format ? command.format : FileFormatOf(command.file);
  if (!format) return usage(InvalidArgument("the name of " + given.file + " does not tell its format: use --format"));
  const bool tabs =
      command.delimiter == "tab" || (command.delimiter.empty() && command.file.find(".tsv") != std::string::npos);
  if (command.delimiter.size() > 1 && !tabs) return usage(InvalidArgument("--delimiter is one byte, or tab"));

  const std::string path = WritePath(command, *format, tabs ? "tab" : command.delimiter);
  const std::string data_folder = config->Text("storage.data_dir");
  ServerAccess access = FindServer(command.server, data_folder, LocalRight::kWrite);
  // A server found through its data folder may have another port the next time.
  const bool found = command.server.url.empty() && std::getenv("ARC_URL") == nullptr;
  const std::string server = found ? std::filesystem::absolute(data_folder, ignored).string() : access.url;
  Result<ResumeState> start = StartFrom(command, server + path);
  if (!start.ok())
    return start.error().kind == ErrorKind::kInvalidArgument ? usage(start.error()) : Fail(console, start.error());

  PieceOptions options;
  options.rows = command.batch_rows;
  if (tabs)
    options.delimiter = '\t';
  else if (!command.delimiter.empty())
    options.delimiter = command.delimiter[0];
  auto reader = OpenPieces(command.file, *format, options);
  if (!reader.ok()) return Fail(console, WithContext(std::move(reader).error(), given.file));
  if (start->place.offset > 0) {
    if (Status sought = (*reader)->Seek(start->place); !sought.ok()) return Fail(console, sought.error());
    console.problems << "going on behind " << Grouped(start->rows_written) << " rows that an earlier run wrote\n";
  }
  ApiClient client(access.url, access.token);
  Upload upload(command, console, client, path, *format, *start);
  const Status status = upload.Run(**reader);
  upload.Summarize();
  if (!status.ok()) return Fail(console, status.error());
  return upload.refused() == 0 ? kExitSuccess : kExitFailure;
}

}  // namespace arc
