// A statement that changes something, as a query of one row.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arc/base/clock.h"
#include "arc/query/query_engine.h"
#include "arc/query/row_finder.h"

namespace arc {

// The change happens in the first Next, on the caller's thread; Cancel stops it as long as it can be stopped.
class ChangeStream : public ResultStream {
 public:
  using Row = std::vector<std::optional<int64_t>>;
  // `names` of the columns, all BIGINT. The clock outlives the stream.
  ChangeStream(const std::vector<std::string>& names, Clock& clock, std::function<Result<Row>(CancelSwitch&)> change);

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  Result<std::shared_ptr<arrow::RecordBatch>> Next() override;
  void Cancel() override { cancel_.Cancel(); }
  QueryStats stats() const override { return stats_; }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  Clock& clock_;
  std::function<Result<Row>(CancelSwitch&)> change_;  // null once it was called
  CancelSwitch cancel_;
  QueryStats stats_;
};

}  // namespace arc
