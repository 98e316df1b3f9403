#include "arc/server/resume_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>

#include "arc/io/durable_file.h"

namespace arc {

std::string ResumePath(const std::string& file) { return file + ".arc-progress"; }

Result<ResumeState> DescribeFile(const std::string& file) {
  struct stat found{};
  if (::stat(file.c_str(), &found) != 0) return NotFound(file + ": " + std::strerror(errno));
  if (!S_ISREG(found.st_mode)) return InvalidArgument(file + " is no regular file");
  ResumeState state;
  state.bytes = found.st_size;
  state.modified_nanos = int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec;
  return state;
}

Result<std::optional<ResumeState>> LoadResume(LocalDisk& disk, const std::string& file) {
  const std::string path = ResumePath(file);
  ARC_ASSIGN_OR_RETURN(const bool there, disk.Exists(path));
  if (!there) return std::optional<ResumeState>();
  ARC_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(disk, path));
  const Error damaged = Corruption(path + " is damaged; remove it, or begin anew with --restart");
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return damaged;
  ResumeState state;
  for (auto [name, value] :
       {std::pair{"bytes", &state.bytes}, std::pair{"modified_nanos", &state.modified_nanos},
        std::pair{"offset", &state.place.offset}, std::pair{"counted", &state.place.counted},
        std::pair{"rows_written", &state.rows_written}, std::pair{"rows_refused", &state.rows_refused}}) {
    if (!json.contains(name) || !json[name].is_number_integer()) return damaged;
    *value = json[name].get<int64_t>();
  }
  if (!json.contains("target") || !json["target"].is_string()) return damaged;
  state.target = json["target"].get<std::string>();
  return std::optional(state);
}

Status SaveResume(LocalDisk& disk, const std::string& file, const ResumeState& state) {
  const nlohmann::json json = {{"bytes", state.bytes},
                               {"modified_nanos", state.modified_nanos},
                               {"target", state.target},
                               {"offset", state.place.offset},
                               {"counted", state.place.counted},
                               {"rows_written", state.rows_written},
                               {"rows_refused", state.rows_refused}};
  const std::string text = json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return DurablePut(disk, ResumePath(file), std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

Status RemoveResume(LocalDisk& disk, const std::string& file) {
  auto removed = disk.Remove(ResumePath(file));
  return !removed.ok() && removed.error().kind == ErrorKind::kNotFound ? Status() : removed;
}

}  // namespace arc
