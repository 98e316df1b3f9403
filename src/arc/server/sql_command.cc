#include <arrow/api.h>
#include <arrow/ipc/api.h>

#include <cstdlib>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "arc/base/clock.h"
#include "arc/server/api_client.h"
#include "arc/server/commands.h"
#include "arc/server/server_access.h"
#include "arc/server/table_printer.h"

namespace arc {

namespace {

// Hands what an Arrow IPC stream holds to a printer, as the bytes arrive.
class StreamPrinter : public arrow::ipc::Listener {
 public:
  explicit StreamPrinter(TablePrinter& printer) : printer_(printer) {}

  arrow::Status OnSchemaDecoded(std::shared_ptr<arrow::Schema> schema) override {
    printer_.Begin(*schema);
    return arrow::Status::OK();
  }
  arrow::Status OnRecordBatchDecoded(std::shared_ptr<arrow::RecordBatch> batch) override {
    Status printed = printer_.Rows(*batch);
    return printed.ok() ? arrow::Status::OK() : arrow::Status::ExecutionError(printed.error().message);
  }
  arrow::Status OnEOS() override {
    ended_ = true;
    return arrow::Status::OK();
  }
  bool ended() const { return ended_; }

 private:
  TablePrinter& printer_;
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
  request.path = command.format == SqlFormat::kJson  ? "/api/v1/query"
                 : command.format == SqlFormat::kCsv ? "/api/v1/query/stream"
                                                     : "/api/v1/query/arrow";
  request.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return request;
}

// Whoever read the output has seen enough (`arc sql … | head`).
Error OutputClosed() { return MakeError(ErrorKind::kCancelled, "the output is closed"); }

// Everything but tables goes through as the server sends it.
Status PassThrough(ApiClient& client, const ApiRequest& request, std::ostream& out) {
  return client.Send(request, [&](std::string_view piece) -> Status {
    out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    return out.good() ? Status() : OutputClosed();
  });
}

Status Print(ApiClient& client, const ApiRequest& request, TablePrinter& printer, std::ostream& out) {
  auto listener = std::make_shared<StreamPrinter>(printer);
  arrow::ipc::StreamDecoder decoder(listener);
  const int64_t start = SystemClock().MonotonicNanos();
  ARC_RETURN_IF_ERROR(client.Send(request, [&](std::string_view piece) -> Status {
    auto buffer = arrow::Buffer::FromString(std::string(piece));
    arrow::Status consumed = decoder.Consume(std::move(buffer));
    if (!consumed.ok()) return Corruption("the answer is no Arrow stream: " + consumed.message());
    return out.good() ? Status() : OutputClosed();
  }));
  if (!listener->ended()) return Unavailable("the answer ended early");
  printer.End(static_cast<double>(SystemClock().MonotonicNanos() - start) / 1e6);
  return {};
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
  ServerAccess access = FindServer(command.server, config->Text("storage.data_dir"), LocalRight::kRead);
  ApiClient client(access.url, access.token);
  const ApiRequest request = RequestOf(command, sql);
  Status status;
  if (command.format == SqlFormat::kTable) {
    TablePrinter printer(console.out, command.max_rows);
    status = Print(client, request, printer, console.out);
  } else {
    status = PassThrough(client, request, console.out);
    if (command.format == SqlFormat::kJson) console.out << "\n";
  }
  console.out.flush();
  if (status.ok()) return kExitSuccess;
  return status.error().kind == ErrorKind::kCancelled ? kExitFailure : Fail(console, status.error());
}

}  // namespace arc
