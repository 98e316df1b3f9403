#include "arc/maintain/file_mover.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "arc/io/cold_key.h"
#include "arc/maintain/checked_copy.h"

namespace arc {
namespace {

constexpr std::string_view kParquet = ".parquet";

bool IsLive(const Table& table, const std::string& key) {
  const auto files = table.committed_files();
  return std::any_of(files->files().begin(), files->files().end(), [&](const auto& file) { return file->key == key; });
}

}  // namespace

Status FileMover::Move(const Files& files) {
  std::vector<MovedFile> copies;
  int64_t bytes = 0;
  Status copied;
  for (const auto& file : files) {
    copied = CopyOne(file, &copies);
    if (!copied.ok()) break;
    bytes += file->bytes;
    if (copies.size() < kCommitFiles && bytes < kCommitBytes) continue;
    ARC_RETURN_IF_ERROR(Commit(std::exchange(copies, {})));
    bytes = 0;
  }
  // What is copied already need not be copied again.
  ARC_RETURN_IF_ERROR(Commit(std::move(copies)));
  return copied;
}

Status FileMover::CopyOne(const std::shared_ptr<const FileEntry>& file, std::vector<MovedFile>* copies) {
  MovedFile copy{file, CopyKey(file->key)};
  const auto copied = CopyChecked(store_, file->key, copy.key, file->bytes, events_.is_cancelled);
  if (copied.ok()) {
    copies->push_back(std::move(copy));
    return {};
  }
  const Error& error = copied.error();
  const bool is_gone = error.kind == ErrorKind::kNotFound && IsMissing(file->key);
  // A merge, a deletion or retention took it, and its last snapshot has expired meanwhile.
  if (is_gone && !IsLive(table_, file->key)) return {};
  if (!is_gone && error.kind != ErrorKind::kCorruption) return error;
  events_.unmoved(*file, error);
  return {};
}

Status FileMover::Commit(std::vector<MovedFile> copies) {
  std::unordered_set<std::string_view> live;
  const auto committed = table_.committed_files();
  for (const auto& file : committed->files()) live.insert(file->key);
  std::erase_if(copies, [&](const MovedFile& copy) {
    if (live.contains(copy.file->key)) return false;
    Remove(copy);
    return true;
  });
  if (copies.empty()) return {};
  FileReplacement replacement;
  replacement.moved = copies;
  replacement.summary["arc.tiering"] = "cold";
  const auto snapshot = catalog_.CommitReplace(table_, replacement);
  if (snapshot.ok()) {
    events_.moved(copies);
    return {};
  }
  const ErrorKind kind = snapshot.error().kind;
  if (kind == ErrorKind::kUnknownOutcome) return snapshot.error();  // the copies may be the table's
  const bool one_is_to_blame = kind == ErrorKind::kNotFound || kind == ErrorKind::kUnsupported;
  if (one_is_to_blame && copies.size() > 1) return CommitEach(copies);
  for (const auto& copy : copies) Remove(copy);
  if (kind == ErrorKind::kNotFound) return {};  // taken out at the last moment
  if (kind != ErrorKind::kUnsupported) return snapshot.error();
  events_.unmoved(*copies[0].file, snapshot.error());
  return {};
}

Status FileMover::CommitEach(const std::vector<MovedFile>& copies) {
  for (size_t i = 0; i < copies.size(); ++i) {
    auto committed = Commit({copies[i]});
    if (committed.ok()) continue;
    for (size_t rest = i + 1; rest < copies.size(); ++rest) Remove(copies[rest]);
    return committed;
  }
  return {};
}

// Not so when it is the cold store's bucket that is not there.
bool FileMover::IsMissing(const std::string& key) {
  const auto opened = store_.Open(key);
  return !opened.ok() && opened.error().kind == ErrorKind::kNotFound;
}

// Best effort: what stays is an orphan.
void FileMover::Remove(const MovedFile& copy) { (void)store_.Delete(copy.key); }

std::string FileMover::CopyKey(const std::string& key) const {
  std::string_view stem = key;
  if (!stem.ends_with(kParquet)) return ColdKey(key) + "." + tag_;
  stem.remove_suffix(kParquet.size());
  return ColdKey(stem) + "." + tag_ + std::string(kParquet);
}

}  // namespace arc
