// The rows of fixture.lp, and a long series, in one of several layouts.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "arc/io/object_store.h"
#include "arc/query/catalog_for_test.h"
#include "arc/query/query_engine.h"

namespace arc {

enum class Layout { kHot, kFiles, kMixed, kManyFiles };
inline constexpr Layout kLayouts[] = {Layout::kHot, Layout::kFiles, Layout::kMixed, Layout::kManyFiles};
std::string LayoutName(Layout layout);

class SqlFixture {
 public:
  explicit SqlFixture(Layout layout);
  ~SqlFixture();

  QueryEngine& engine() { return *engine_; }
  CatalogForTest& catalog() { return catalog_; }
  Result<std::vector<std::string>> Run(const QueryRequest& request);
  // As an administrator, in database `default`.
  Result<std::vector<std::string>> Run(const std::string& sql);
  // Line protocol with times in seconds. With FlushAll, called by one thread at a time.
  void Write(const std::string& database, const std::string& lines);
  void FlushAll();

 private:
  void Load(const std::string& path);
  // Table default.series: 6,000 rows, 30 s apart, over 50 hours from 2024-03-01.
  void LoadSeries();
  void FlushPoint();
  void Flush(Table& table);

  const Layout layout_;
  int flush_points_ = 0;
  int files_ = 0;
  std::filesystem::path folder_;
  std::unique_ptr<ObjectStore> store_;
  CatalogForTest catalog_;
  std::unique_ptr<QueryEngine> engine_;
};

}  // namespace arc
