#include <memory>

#include "arc/base/check.h"
#include "arc/wal/group_encoder.h"
#include "work/input.h"
#include "work/work.h"

namespace arc::bench {
namespace {

constexpr int kGroupRecords = 8;

// As between two syncs of the log: the encoder keeps its buffer and the table's stream shape from group to group.
class GroupOfRecords {
 public:
  explicit GroupOfRecords(Shape shape) {
    TableRef table{lineage_, "default", "cpu"};
    for (const Batch& batch : BatchesOf(shape, kGroupRecords)) {
      records_.push_back({LogRecord::Kind::kRows, table, batch});
    }
    for (const LogRecord& record : records_) group_.push_back(&record);
  }
  void Encode() {
    const Status encoded = encoder_.Encode(group_, Lsn{next_}, 1'700'000'000'000'000);
    ARC_CHECK(encoded.ok());
    next_ += kGroupRecords;
    ARC_CHECK(!encoder_.Seal({1, 4096, Lsn{next_ - kGroupRecords}}).empty());
  }

 private:
  Uuid lineage_{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
  GroupEncoder encoder_{lineage_};
  uint64_t next_ = 1;
  std::vector<LogRecord> records_;
  std::vector<const LogRecord*> group_;
};

}  // namespace

std::vector<Work> WalWork() {
  std::vector<Work> all;
  for (const Shape shape : {Shape::kSmall, Shape::kTsbs}) {
    const auto prepare = [shape] { return [group = std::make_shared<GroupOfRecords>(shape)] { group->Encode(); }; };
    all.push_back({std::string("wal/encode_") + ShapeName(shape), kGroupRecords * kBatchRows, prepare});
  }
  return all;
}

}  // namespace arc::bench
