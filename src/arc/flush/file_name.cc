#include "arc/flush/file_name.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "arc/catalog/catalog.h"

namespace arc {
namespace {

constexpr int64_t kHourMicros = 3'600'000'000;
constexpr int64_t kDayMicros = 24 * kHourMicros;
constexpr size_t kNamePrefixBytes = 128;  // of the measurement in a file name: file systems take 255 bytes in all

int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

std::tm UtcOf(int64_t micros) {
  std::time_t seconds = FloorDivide(micros, 1'000'000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return utc;
}

// "<folder>/cpu_20251016_140001_"
std::string KeyStart(const TableRef& table, FlushedFile::Partition partition, int64_t value, int64_t first_time) {
  return fmt::format("{}/{}_{:%Y%m%d_%H%M%S}_", PartitionFolder(table, partition, value),
                     EncodePathElement(table.name).substr(0, kNamePrefixBytes), UtcOf(first_time));
}

}  // namespace

std::string PartitionFolder(const TableRef& table, FlushedFile::Partition partition, int64_t value) {
  const std::string folder = TableFolder(table);
  if (partition == FlushedFile::Partition::kDay)
    return fmt::format("{}/{:%Y/%m/%d}", folder, UtcOf(value * kDayMicros));
  return fmt::format("{}/{:%Y/%m/%d/%H}", folder, UtcOf(value * kHourMicros));
}

std::string FlushedFileKey(const TableRef& table, FlushedFile::Partition partition, int64_t value, int64_t first_time,
                           int64_t rows, const std::string& lineage8, Lsn first, int number) {
  return fmt::format("{}{}_{}-{}-{}.parquet", KeyStart(table, partition, value, first_time), rows, lineage8,
                     first.value, number);
}

std::string CompactedFileKey(const TableRef& table, FlushedFile::Partition partition, int64_t value, int64_t first_time,
                             const Uuid& job, int number) {
  return fmt::format("{}{}-{}.compacted.parquet", KeyStart(table, partition, value, first_time), job.ToString(),
                     number);
}

std::string RewrittenFileKey(const TableRef& table, FlushedFile::Partition partition, int64_t value, int64_t first_time,
                             const Uuid& job, int number) {
  return fmt::format("{}{}-{}.rewritten.parquet", KeyStart(table, partition, value, first_time), job.ToString(),
                     number);
}

}  // namespace arc
