#include "arc/query/session.h"

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>

#include "arc/base/uuid.h"
#include "arc/query/arc_catalog.h"
#include "arc/query/bounded_functions.h"
#include "arc/query/bounded_memory.h"
#include "arc/query/delete_plan.h"
#include "arc/query/duck_error.h"
#include "arc/query/plan_guard.h"
#include "arc/query/result_builder.h"
#include "arc/query/show_functions.h"
#include "arc/query/statement.h"
#include "arc/query/store_file_system.h"
#include "duckdb/catalog/catalog_search_path.hpp"
#include "duckdb/common/arrow/arrow_converter.hpp"
#include "duckdb/common/arrow/arrow_type_extension.hpp"
#include "duckdb/common/arrow/arrow_util.hpp"
#include "duckdb/common/virtual_file_system.hpp"
#include "duckdb/main/chunk_scan_state/query_result.hpp"
#include "duckdb/main/client_data.hpp"
#include "duckdb/main/connection.hpp"
#include "duckdb/storage/object_cache.hpp"

namespace arc {
namespace {

// The first batch is one vector, so that the first rows are out at once; later ones are as large as the caches hold.
constexpr duckdb::idx_t kFirstBatchRows = STANDARD_VECTOR_SIZE;
constexpr duckdb::idx_t kBatchRows = 4 * STANDARD_VECTOR_SIZE;
// A batch ends with the vector that brings its text over this.
constexpr int64_t kBatchTextBytes = 1 << 20;
// Of Parquet footers kept between queries, by DuckDB's estimate, which is about half of what they take.
constexpr duckdb::idx_t kKeptFooterBytes = 32 << 20;

Error FromArrow(const arrow::Status& status) { return Internal("result batch: " + status.ToString()); }

class DuckSession : public Session {
 public:
  DuckSession(std::shared_ptr<Database> owner, duckdb::DuckDB& database, const QuerySources& sources)
      : owner_(std::move(owner)), sources_(sources), connection_(database), client_(ClientState::Of(context())) {
    // A name that is no table is an error, never a file or a variable.
    context().config.use_replacement_scans = false;
  }
  ~DuckSession() override { Finish(); }

  Result<std::shared_ptr<arrow::Schema>> Start(const QueryRequest& request) override {
    std::string sql;
    if (request.sql.find('\0') != std::string::npos) {
      return InvalidArgument("the statement holds a NUL");  // DuckDB would read no further
    }
    try {
      sql = QuoteDefault(request.sql);
      Result<std::shared_ptr<arrow::Schema>> schema = StartChecked(sql, request);
      if (!schema.ok()) Finish();
      return schema;
    } catch (...) {
      Error error = FromCurrentException(sql);
      Finish();
      return error;
    }
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    try {
      if (pending_) {
        result_ = pending_->Execute();
        pending_.reset();
        if (result_->HasError()) return Fail(result_->GetErrorObject(), "");
        if (!builder_) scan_ = duckdb::make_uniq<duckdb::QueryResultChunkScanState>(*result_);
      }
      if (builder_) return NextBuilt();
      if (!scan_) return std::shared_ptr<arrow::RecordBatch>();
      ::ArrowArray array{};
      duckdb::idx_t rows = 0;
      duckdb::ErrorData error;
      bool ok =
          duckdb::ArrowUtil::TryFetchChunk(*scan_, properties_, batch_rows_, &array, rows, error, extension_types_);
      if (!ok) return Fail(std::move(error), "");
      batch_rows_ = kBatchRows;
      if (rows == 0) return std::shared_ptr<arrow::RecordBatch>();
      auto batch = arrow::ImportRecordBatch(&array, schema_);
      if (!batch.ok()) return FromArrow(batch.status());
      return std::move(*batch);
    } catch (...) {
      return FromCurrentException("");
    }
  }

  void Interrupt() override { connection_.Interrupt(); }

  void Finish() override {
    scan_.reset();
    result_.reset();
    pending_.reset();
    builder_.reset();
    schema_.reset();
    try {
      if (in_transaction_) {
        in_transaction_ = false;
        client_.trusted = true;
        connection_.Rollback();
      }
      // Ends what a half-read result left running and gives back what its transaction pinned.
      context().Destroy();
      DropOldFooters();
    } catch (...) {
      // A rollback that fails leaves a connection that cannot be trusted with the next query.
      broken_ = true;
    }
    client_.trusted = false;
    client_.delete_target.reset();
  }

  bool broken() const override { return broken_; }

 private:
  duckdb::ClientContext& context() { return *connection_.context; }

  // Left alone, DuckDB keeps them until the whole pool is full.
  void DropOldFooters() {
    duckdb::ObjectCache& cache = duckdb::ObjectCache::GetObjectCache(context());
    const duckdb::idx_t kept = cache.GetCurrentMemory();
    if (kept > kKeptFooterBytes) cache.EvictToReduceMemory(kept - kKeptFooterBytes);
  }

  Result<std::shared_ptr<arrow::Schema>> StartChecked(const std::string& sql, const QueryRequest& request) {
    client_.principal = request.principal;
    client_.delete_target = request.delete_target;
    client_.trusted = false;
    if (client_.database != request.database) {
      client_.database = request.database;
      duckdb::ClientData::Get(context()).catalog_search_path->Set(
          duckdb::CatalogSearchEntry(kArcCatalog, request.database), duckdb::CatalogSetPathType::SET_DIRECTLY);
    }
    const auto options = context().GetParserOptions();
    CheckedStatement checked = request.delete_target == nullptr
                                   ? CheckStatement(sql, options, sources_.catalog)
                                   : CheckDelete(sql, options, sources_.catalog, request.database);
    if (!checked.before.empty()) {
      client_.trusted = true;
      connection_.BeginTransaction();
      in_transaction_ = true;
      client_.trusted = false;
      for (auto& statement : checked.before) {
        auto done = connection_.Query(std::move(statement));
        if (done->HasError()) return Fail(done->GetErrorObject(), "");
      }
    }
    // Planned now and running on DuckDB's threads; this thread joins in with the first Next.
    pending_ = connection_.PendingQuery(std::move(checked.statement),
                                        duckdb::QueryParameters(duckdb::QueryResultOutputType::ALLOW_STREAMING));
    if (pending_->HasError()) return Fail(pending_->GetErrorObject(), sql);
    ::ArrowSchema c_schema{};
    properties_ = context().GetClientProperties();
    duckdb::ArrowConverter::ToArrowSchema(&c_schema, pending_->types, pending_->names, properties_);
    auto schema = arrow::ImportSchema(&c_schema);
    if (!schema.ok()) return FromArrow(schema.status());
    schema_ = std::move(*schema);
    extension_types_ = duckdb::ArrowTypeExtensionData::GetExtensionTypes(context(), pending_->types);
    builder_ = ResultBuilder::Make(pending_->types, schema_);
    batch_rows_ = kFirstBatchRows;
    return schema_;
  }

  Result<std::shared_ptr<arrow::RecordBatch>> NextBuilt() {
    if (!result_) return std::shared_ptr<arrow::RecordBatch>();
    const auto rows = static_cast<int64_t>(std::exchange(batch_rows_, kBatchRows));
    builder_->Expect(rows);
    while (builder_->rows() + STANDARD_VECTOR_SIZE <= rows && builder_->text_bytes() < kBatchTextBytes) {
      duckdb::unique_ptr<duckdb::DataChunk> chunk;
      duckdb::ErrorData error;
      if (!result_->TryFetch(chunk, error)) return Fail(std::move(error), "");
      if (!chunk || chunk->size() == 0) {
        result_.reset();
        break;
      }
      ARC_RETURN_IF_ERROR(builder_->Append(*chunk));
    }
    if (builder_->rows() == 0) return std::shared_ptr<arrow::RecordBatch>();
    return builder_->Finish();
  }

  Error Fail(duckdb::ErrorData error, const std::string& sql) {
    if (error.Type() == duckdb::ExceptionType::FATAL) broken_ = true;
    return FromDuckError(std::move(error), sql);
  }

  const std::shared_ptr<Database> owner_;  // the connection must not outlive its instance
  const QuerySources& sources_;
  duckdb::Connection connection_;
  ClientState& client_;
  duckdb::ClientProperties properties_;
  duckdb::unique_ptr<duckdb::PendingQueryResult> pending_;  // until the first Next
  duckdb::unique_ptr<duckdb::QueryResult> result_;
  std::unique_ptr<ResultBuilder> builder_;                      // null: the result is DuckDB's to convert…
  duckdb::unique_ptr<duckdb::QueryResultChunkScanState> scan_;  // …with this
  duckdb::unordered_map<duckdb::idx_t, const duckdb::shared_ptr<duckdb::ArrowTypeExtensionData>> extension_types_;
  std::shared_ptr<arrow::Schema> schema_;
  duckdb::idx_t batch_rows_ = kFirstBatchRows;
  bool in_transaction_ = false;
  bool broken_ = false;
};

// Knows about cgroups, unlike sysconf.
int64_t MachineMemoryBytes() {
  auto file_system = duckdb::FileSystem::CreateLocal();
  return static_cast<int64_t>(duckdb::DBConfig::GetSystemAvailableMemory(*file_system));
}

int64_t MemoryLimit(const QueryOptions& options) {
  return options.memory_limit_bytes > 0 ? options.memory_limit_bytes : MachineMemoryBytes() / 10 * 6;
}

// DuckDB's own limit is its buffer pool's; what is computed beside it gets half as much.
int64_t MemoryWithValues(const QueryOptions& options) { return MemoryLimit(options) / 2 * 3; }

class DuckDatabase : public Database, public std::enable_shared_from_this<DuckDatabase> {
 public:
  DuckDatabase(const CatalogView& catalog, ObjectStore& store) : sources_{catalog, store, NewCapability()} {}

  // Throws DuckDB's exceptions.
  void Open(const QueryOptions& options, const std::string& temp_folder) {
    duckdb::DBConfig config;
    RegisterArcCatalog(config, sources_);
    if (options.threads > 0) config.SetOptionByName("threads", duckdb::Value::BIGINT(options.threads));
    config.allocator = BoundMemory(MemoryWithValues(options));
    config.SetOptionByName("memory_limit", duckdb::Value(std::to_string(MemoryLimit(options)) + "B"));
    config.SetOptionByName("temp_directory", duckdb::Value(temp_folder));
    config.SetOptionByName("autoinstall_known_extensions", duckdb::Value::BOOLEAN(false));
    config.SetOptionByName("autoload_known_extensions", duckdb::Value::BOOLEAN(false));
    database_ = std::make_unique<duckdb::DuckDB>(nullptr, &config);
    database_->GetFileSystem().RegisterSubSystem(MakeStoreFileSystem(sources_));
    RegisterShowFunctions(*database_->instance, sources_);
    duckdb::Connection connection(*database_);
    functions_ = BoundFunctions(connection);
    for (const char* statement : {
             "ATTACH '' AS arc (TYPE arc)",
             // Times are UTC by convention; plan_guard.cc relies on it too.
             "SET GLOBAL TimeZone = 'UTC'",
             // Files never change under a name, so their footers are worth keeping.
             "SET GLOBAL parquet_metadata_cache = true",
             // It would keep all that queries have ever read, up to the memory limit. The page cache does better.
             "SET GLOBAL enable_external_file_cache = false",
             // From here on nothing but the store's scheme can be opened, and nothing can be changed back.
             "SET GLOBAL allowed_directories = ['arc://']",
             "SET GLOBAL enable_external_access = false",
             "SET GLOBAL lock_configuration = true",
         }) {
      auto result = connection.Query(statement);
      if (result->HasError()) result->ThrowError();
    }
    RegisterPlanGuard(duckdb::DBConfig::GetConfig(*database_->instance));
    RegisterDeletePlan(duckdb::DBConfig::GetConfig(*database_->instance));
  }

  Result<std::unique_ptr<Session>> Connect() override {
    try {
      return std::unique_ptr<Session>(std::make_unique<DuckSession>(shared_from_this(), *database_, sources_));
    } catch (...) {
      return FromCurrentException("");
    }
  }

 private:
  static std::string NewCapability() {
    return Uuid::Random(SystemRandom()).ToString() + Uuid::Random(SystemRandom()).ToString();
  }

  const QuerySources sources_;
  std::shared_ptr<const BoundedFunctions> functions_;  // outlive what calls them
  std::unique_ptr<duckdb::DuckDB> database_;
};

}  // namespace

ProcessLimits Database::LimitsOf(const QueryOptions& options) {
  // The program itself, and what allocators keep.
  constexpr int64_t kRest = 512 << 20;
  const int64_t machine = MachineMemoryBytes();
  ProcessLimits limits;
  limits.usual_bytes = std::min(MemoryWithValues(options) + options.other_memory_bytes + kRest, machine / 4 * 3);
  limits.least_share_bytes = std::min(MemoryWithValues(options) / 2 * 3, limits.usual_bytes / 2);
  limits.ceiling_bytes = std::max(limits.usual_bytes, machine / 8 * 7);
  return limits;
}

Result<std::shared_ptr<Database>> Database::Open(const QueryOptions& options, const std::string& temp_folder,
                                                 const CatalogView& catalog, ObjectStore& store) {
  try {
    auto database = std::make_shared<DuckDatabase>(catalog, store);
    database->Open(options, temp_folder);
    return std::shared_ptr<Database>(std::move(database));
  } catch (...) {
    return WithContext(FromCurrentException(""), "opening the query engine");
  }
}

}  // namespace arc
