#include "arc/parquet/table_file.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace arc {
namespace {

TEST(TableFile, ReadsFromAnyRowOn) {
  std::string folder = (std::filesystem::temp_directory_path() / "arc-table-file-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/t.parquet";
  arrow::Int64Builder values;
  for (int64_t i = 0; i < 1000; ++i) ASSERT_TRUE(values.Append(i).ok());
  const auto table = arrow::Table::Make(arrow::schema({arrow::field("v", arrow::int64())}),
                                        arrow::ArrayVector{values.Finish().ValueOrDie()});
  auto out = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out, 300).ok() && out->Close().ok());

  auto file = OpenTableFile(path);
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ((*file)->rows(), 1000);
  for (const int64_t first : {0, 1, 299, 300, 301, 650, 999, 1000}) {
    auto reader = (*file)->Read(first, 70);
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    int64_t expected = first;
    while (true) {
      std::shared_ptr<arrow::RecordBatch> batch;
      ASSERT_TRUE((*reader)->ReadNext(&batch).ok());
      if (batch == nullptr) break;
      EXPECT_LE(batch->num_rows(), 70);
      const auto& numbers = static_cast<const arrow::Int64Array&>(*batch->column(0));
      for (int64_t i = 0; i < numbers.length(); ++i) ASSERT_EQ(numbers.Value(i), expected++);
    }
    EXPECT_EQ(expected, 1000) << "from row " << first;
  }

  std::ofstream(path) << "no Parquet";
  EXPECT_EQ(OpenTableFile(path).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(OpenTableFile(folder + "/none").error().kind, ErrorKind::kUnavailable);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace arc
