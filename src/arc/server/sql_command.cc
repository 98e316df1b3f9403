#include <arrow/api.h>
#include <arrow/ipc/api.h>

#include <cstdlib>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "arc/base/clock.h"
#include "arc/server/api_client.h"
#include "arc/server/commands.h"
#include "arc/server/result_printer.h"
#include "arc/server/server_access.h"

namespace arc {

namespace {

// Hands what an Arrow IPC stream holds to a printer, as the bytes arrive.
class StreamPrinter : public arrow::ipc::Listener {
 public:
  explicit StreamPrinter(ResultPrinter& printer) : printer_(printer) {}

  arrow::Status OnSchemaDecoded(std::shared_ptr<arrow::Schema> schema) override {
    return Note(printer_.Begin(*schema));
  }
  arrow::Status OnRecordBatchDecoded(std::shared_ptr<arrow::RecordBatch> batch) override {
    return Note(printer_.Rows(*batch));
  }
  arrow::Status OnEOS() override {
    ended_ = true;
    return arrow::Status::OK();
  }
  bool ended() const { return ended_; }

 private:
  static arrow::Status Note(const Status& status) {
    return status.ok() ? arrow::Status::OK() : arrow::Status::ExecutionError(status.error().message);
  }
  ResultPrinter& printer_;
  bool ended_ = false;
};

std::string DatabaseOf(const SqlCommand& command) {
  if (!command.database.empty()) return command.database;
  const char* database = std::getenv("ARC_DATABASE");
  return database == nullptr ? "" : database;
}

ApiRequest RequestOf(const SqlCommand& command, const std::string& sql) {
  nlohmann::json body = {{"sql", sql}};
  if (std::string database = DatabaseOf(command); !database.empty()) body["database"] = database;
  ApiRequest request;
  request.method = "POST";
  request.path = "/api/v1/query/arrow";
  if (command.format == SqlFormat::kJson) {
    request.path = "/api/v1/query";
    body["format"] = "json";
  }
  request.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return request;
}

// JSON and Arrow go through as the server sends them.
Status PassThrough(ApiClient& client, const ApiRequest& request, std::ostream& out) {
  return client.Send(request, [&](std::string_view piece) -> Status {
    out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    return out.good() ? Status() : Unavailable("the output cannot be written");
  });
}

Status Print(ApiClient& client, const ApiRequest& request, ResultPrinter& printer, std::ostream& out) {
  auto listener = std::make_shared<StreamPrinter>(printer);
  arrow::ipc::StreamDecoder decoder(listener);
  const int64_t start = SystemClock().MonotonicNanos();
  ARC_RETURN_IF_ERROR(client.Send(request, [&](std::string_view piece) -> Status {
    auto buffer = arrow::Buffer::FromString(std::string(piece));
    arrow::Status consumed = decoder.Consume(std::move(buffer));
    if (!consumed.ok()) return Corruption("the answer is no Arrow stream: " + consumed.message());
    return out.good() ? Status() : Unavailable("the output cannot be written");
  }));
  if (!listener->ended()) return Unavailable("the answer ended early");
  return printer.End(static_cast<double>(SystemClock().MonotonicNanos() - start) / 1e6);
}

}  // namespace

int RunSql(const SqlCommand& command, const Console& console) {
  Result<Config> config = LoadConfig(command.config, nullptr);
  if (!config.ok()) {
    Fail(console, config.error());
    return kExitUsage;
  }
  std::string sql = command.sql;
  if (sql.empty() || sql == "-") sql.assign(std::istreambuf_iterator<char>(std::cin), {});
  if (sql.find_first_not_of(" \t\r\n;") == std::string::npos) {
    Fail(console, InvalidArgument("no SQL was given"));
    return kExitUsage;
  }
  ServerAccess access = FindServer(command.server, config->Text("storage.data_dir"), /*admin=*/false);
  ApiClient client(access.url, access.token);
  const ApiRequest request = RequestOf(command, sql);
  Status status;
  if (command.format == SqlFormat::kTable) {
    status = Print(client, request, *MakeTablePrinter(console.out, command.max_rows), console.out);
  } else if (command.format == SqlFormat::kCsv) {
    status = Print(client, request, *MakeCsvPrinter(console.out), console.out);
  } else {
    status = PassThrough(client, request, console.out);
    if (command.format == SqlFormat::kJson) console.out << "\n";
  }
  console.out.flush();
  return status.ok() ? kExitSuccess : Fail(console, status.error());
}

}  // namespace arc
