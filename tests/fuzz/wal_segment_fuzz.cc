// Any bytes as the only segment of a log: recovery takes it, cuts its tail or refuses it and names the place; what it
// took it takes again; what it refused for damage, a repair makes a log again.
#include <arrow/array.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/log.h"
#include "arc/base/uuid.h"
#include "arc/io/crc32c.h"
#include "arc/io/power_cut_disk.h"
#include "arc/wal/file_names.h"
#include "arc/wal/inspect.h"
#include "arc/wal/recovery.h"

namespace {

using namespace arc;

const std::string kFolder = "/wal";
constexpr Lsn kBase{1};

void Require(bool good, const std::string& what) {
  if (good) return;
  std::fprintf(stderr, "broken: %s\n", what.c_str());
  std::abort();
}

void Put(LocalDisk& disk, const std::string& path, std::span<const uint8_t> bytes) {
  auto file = disk.Open(path, OpenMode::kCreate);
  Require(file.ok() && (*file)->WriteAt(0, bytes).ok() && (*file)->Sync().ok(), "the test disk");
}

// Writes `crc` as eight digits behind the last `key` of the head.
void PutCrc(std::span<uint8_t> head, std::string_view key, uint32_t crc) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()), kFrameBytes);
  const size_t at = text.rfind(key);
  if (at == std::string_view::npos || at + key.size() + 8 > kFrameBytes) return;
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08x", crc);
  std::memcpy(head.data() + at + key.size(), digits, 8);
}

// Makes the checksums right wherever a message seems to stand, so that what is behind them is tried too.
void Reseal(std::span<uint8_t> bytes) {
  for (size_t at = 0; at + kFrameBytes <= bytes.size(); at += 8) {
    const auto head_bytes = FramedHeadBytes(bytes.subspan(at));
    if (!head_bytes || *head_bytes > static_cast<int64_t>(bytes.size() - at)) continue;
    const auto head = bytes.subspan(at, static_cast<size_t>(*head_bytes));
    const auto seal = [&] {
      PutCrc(head, " crc=", 0);
      PutCrc(head, " crc=", Crc32c(head));
    };
    seal();
    const auto frame = ParseFrame(head);
    const auto rest = bytes.subspan(at + head.size());
    if (!frame || frame->body_bytes > static_cast<int64_t>(rest.size())) continue;
    PutCrc(head, " body=", Crc32c(rest.first(static_cast<size_t>(frame->body_bytes))));
    seal();
  }
}

void CheckRecord(Lsn, const LogRecord& record) {
  if (record.kind != LogRecord::Kind::kRows) return;
  for (const auto& column : record.batch.columns) {
    const auto valid = column.values->ValidateFull();
    Require(valid.ok() && column.values->length() == record.batch.rows, column.name + ": " + valid.ToString());
  }
}

Result<Recovery> Recover(LocalDisk& disk, Clock& clock, RandomSource& random) {
  return RecoverLog(disk, clock, random, kFolder, {}, [](Lsn lsn, LogRecord&& record) -> Status {
    CheckRecord(lsn, record);
    return {};
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool quiet = (SetLogLevel(LogLevel::kError), true);
  (void)quiet;
  if (size == 0) return 0;
  // The first byte: whether the checksums are made right, and whether the checkpoint knows of records behind the bytes.
  std::vector<uint8_t> bytes(data + 1, data + size);
  if ((data[0] & 1) != 0) Reseal(bytes);

  ManualClock clock(1'754'000'000'000'000);
  SeededRandom random(1);
  PowerCutDisk disk;
  Require(disk.CreateDirectories(kFolder).ok(), "the test disk");
  Put(disk, kFolder + "/" + SegmentName(kBase), bytes);
  // The lineage is what the first group says, as after the loss of a checkpoint.
  Checkpoint checkpoint;
  (void)WalkLog(disk, kFolder, checkpoint, true, [&](const WalkedSegment&, const GroupView& group) -> Status {
    auto streams = SummarizeGroup(group);
    if (!streams.ok()) return std::move(streams).error();
    checkpoint.lineage = streams->front().meaning.lineage;
    return Corruption("enough");
  });
  if ((data[0] & 2) != 0) checkpoint.logged = Lsn{5};
  Require(WriteCheckpoint(disk, kFolder, checkpoint).ok(), "the test disk");

  (void)InspectLog(disk, kFolder);
  auto recovery = Recover(disk, clock, random);
  if (!recovery.ok()) {
    const Error& error = recovery.error();
    Require(error.kind == ErrorKind::kCorruption, "an error that is no damage: " + error.message);
    const bool named = error.message.find(SegmentName(kBase) + " at byte ") != std::string::npos ||
                       error.message.find("are missing") != std::string::npos ||
                       error.message.find("is missing") != std::string::npos;
    Require(named, "damage without its place: " + error.message);
    if (!RepairLog(disk, clock, random, kFolder).ok()) return 0;
    recovery = Recover(disk, clock, random);
    // A repair looks at frames only; what they hold is refused again.
    if (!recovery.ok()) {
      Require(recovery.error().message.find("the write-ahead log is damaged") == std::string::npos,
              "damage behind a repair: " + recovery.error().message);
      return 0;
    }
  }
  auto again = Recover(disk, clock, random);
  Require(again.ok(), "a log that recovered once does not again");
  Require(again->last == recovery->last && again->report.records == recovery->report.records &&
              again->report.rows == recovery->report.rows && again->report.cut_bytes == 0,
          "a second recovery finds something else");
  return 0;
}
