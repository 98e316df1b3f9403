#include "arc/wal/checkpoint.h"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <span>

#include "arc/wal/file_names.h"

namespace arc {
namespace {

std::string FormatTime(int64_t wall_micros) {
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(wall_micros)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[64];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

// The raw text of a member's value. Our own file has no nested members of the same names and no escapes.
Result<std::string_view> Member(std::string_view json, const std::string& name) {
  const std::string quoted = '"' + name + '"';
  size_t at = json.find(quoted);
  if (at != std::string_view::npos) at = json.find_first_not_of(" \t\r\n", at + quoted.size());
  if (at == std::string_view::npos || json[at] != ':') return Corruption("lacks \"" + name + "\"");
  at = json.find_first_not_of(" \t\r\n", at + 1);
  const size_t end = at == std::string_view::npos ? at : json.find_first_of(",}\r\n", at);
  if (end == std::string_view::npos) return Corruption("breaks off after \"" + name + "\"");
  auto value = json.substr(at, end - at);
  value = value.substr(0, value.find_last_not_of(" \t") + 1);
  return value;
}

Result<uint64_t> Number(std::string_view json, const std::string& name) {
  ARC_ASSIGN_OR_RETURN(auto text, Member(json, name));
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Corruption("\"" + name + "\" is not a whole number");
  }
  return number;
}

}  // namespace

std::string FormatCheckpoint(const Checkpoint& checkpoint) {
  return "{\n  \"checkpoint\": {\n    \"wal_lsn\": " + std::to_string(checkpoint.logged.value) +
         ",\n    \"duckdb_lsn\": " + std::to_string(checkpoint.applied.value) +
         ",\n    \"iceberg_lsn\": " + std::to_string(checkpoint.flushed.value) + ",\n    \"timestamp\": \"" +
         FormatTime(checkpoint.wall_micros) + "\",\n    \"timestamp_us\": " + std::to_string(checkpoint.wall_micros) +
         ",\n    \"lineage\": \"" + checkpoint.lineage.ToString() + "\"\n  }\n}\n";
}

Result<Checkpoint> ParseCheckpoint(std::string_view json) {
  Checkpoint checkpoint;
  ARC_ASSIGN_OR_RETURN(checkpoint.logged.value, Number(json, "wal_lsn"));
  ARC_ASSIGN_OR_RETURN(checkpoint.applied.value, Number(json, "duckdb_lsn"));
  ARC_ASSIGN_OR_RETURN(checkpoint.flushed.value, Number(json, "iceberg_lsn"));
  ARC_ASSIGN_OR_RETURN(auto micros, Number(json, "timestamp_us"));
  checkpoint.wall_micros = static_cast<int64_t>(micros);
  ARC_ASSIGN_OR_RETURN(auto lineage, Member(json, "lineage"));
  if (lineage.size() != 38 || lineage.front() != '"' || lineage.back() != '"') {
    return Corruption("\"lineage\" is not a UUID");
  }
  auto uuid = Uuid::Parse(lineage.substr(1, 36));
  if (!uuid.ok()) return Corruption("\"lineage\" is not a UUID");
  checkpoint.lineage = *uuid;
  return checkpoint;
}

Result<std::optional<Checkpoint>> ReadCheckpoint(LocalDisk& disk, const std::string& folder) {
  const std::string path = folder + "/" + kCheckpointName;
  ARC_ASSIGN_OR_RETURN(bool exists, disk.Exists(path));
  if (!exists) return std::optional<Checkpoint>();
  ARC_ASSIGN_OR_RETURN(auto json, ReadWholeFile(disk, path));
  auto checkpoint = ParseCheckpoint(json);
  if (!checkpoint.ok()) return WithContext(std::move(checkpoint).error(), path);
  return std::optional<Checkpoint>(*checkpoint);
}

Status WriteCheckpoint(LocalDisk& disk, const std::string& folder, const Checkpoint& checkpoint) {
  const std::string json = FormatCheckpoint(checkpoint);
  return DurablePut(disk, folder + "/" + kCheckpointName,
                    std::span(reinterpret_cast<const uint8_t*>(json.data()), json.size()));
}

}  // namespace arc
