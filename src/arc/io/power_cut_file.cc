#include "arc/io/power_cut_file.h"

#include <algorithm>
#include <cstring>

namespace arc {
namespace {

// Versions kept of one sector: enough to mix old and new, bounded for sectors written thousands of times.
constexpr size_t kVersionsKept = 8;

}  // namespace

size_t PowerCutFile::ReadAt(int64_t offset, std::span<uint8_t> bytes) const {
  if (offset >= size()) return 0;
  size_t length = std::min(bytes.size(), current_.size() - static_cast<size_t>(offset));
  if (length > 0) std::memcpy(bytes.data(), current_.data() + offset, length);
  return length;
}

void PowerCutFile::WriteAt(int64_t offset, std::span<const uint8_t> bytes) {
  if (bytes.empty()) return;
  int64_t end = offset + static_cast<int64_t>(bytes.size());
  if (end > size()) Resize(end);
  std::memcpy(current_.data() + offset, bytes.data(), bytes.size());
  for (int64_t sector = offset / kSectorBytes; sector * kSectorBytes < end; ++sector) AddVersion(sector);
  ++next_sequence_;
}

void PowerCutFile::Resize(int64_t new_size) {
  if (new_size == size()) return;
  current_.resize(static_cast<size_t>(new_size));
  size_changes_.push_back({next_sequence_++, new_size});
}

void PowerCutFile::AddVersion(int64_t number) {
  Sector& sector = sectors_[number];
  sector.dirty = true;
  if (sector.versions.size() == kVersionsKept) sector.versions.erase(sector.versions.begin() + 1);
  Version& version = sector.versions.emplace_back();
  version.sequence = next_sequence_;
  version.bytes.fill(0);
  int64_t begin = number * kSectorBytes;
  int64_t length = std::min(kSectorBytes, size() - begin);
  std::memcpy(version.bytes.data(), current_.data() + begin, static_cast<size_t>(length));
}

void PowerCutFile::ZeroCutOff(int64_t number, SizeChanges changes, Version* version) {
  int64_t begin = number * kSectorBytes;
  for (const SizeChange& change : changes) {
    if (change.sequence < version->sequence || change.size >= begin + kSectorBytes) continue;
    std::fill(version->bytes.begin() + std::max<int64_t>(0, change.size - begin), version->bytes.end(), uint8_t{0});
  }
}

// Whether the sector had been cut off between what is found of the sizes and this version: then the version went to
// blocks that the found file does not have.
bool PowerCutFile::CutOff(int64_t number, SizeChanges changes, const Version& version) {
  return std::any_of(changes.begin(), changes.end(), [&](const SizeChange& change) {
    return change.sequence < version.sequence && change.size <= number * kSectorBytes;
  });
}

void PowerCutFile::Sync() {
  for (const SizeChange& change : size_changes_) durable_.resize(static_cast<size_t>(change.size));
  for (auto at = sectors_.begin(); at != sectors_.end();) {
    int64_t begin = at->first * kSectorBytes;
    if (begin >= size() || at->second.dirty) {
      if (begin < size()) {
        auto length = static_cast<size_t>(std::min(kSectorBytes, size() - begin));
        std::memcpy(durable_.data() + begin, current_.data() + begin, length);
      }
      at = sectors_.erase(at);
      continue;
    }
    for (Version& version : at->second.versions) ZeroCutOff(at->first, size_changes_, &version);
    ++at;
  }
  size_changes_.clear();
}

void PowerCutFile::FailSync() {
  for (auto& [number, sector] : sectors_) sector.dirty = false;
}

void PowerCutFile::Cut(CutMode mode, RandomSource& random) {
  size_t changes_found = 0;
  if (mode == CutMode::kEverything) changes_found = size_changes_.size();
  if (mode == CutMode::kMixture) changes_found = random.NextU64() % (size_changes_.size() + 1);
  for (size_t i = 0; i < changes_found; ++i) durable_.resize(static_cast<size_t>(size_changes_[i].size));
  if (mode != CutMode::kNothing) {
    for (const auto& [number, sector] : sectors_) ChooseSector(number, sector, changes_found, mode, random);
  }
  current_ = durable_;
  sectors_.clear();
  size_changes_.clear();
}

void PowerCutFile::ChooseSector(int64_t number, const Sector& sector, size_t changes_found, CutMode mode,
                                RandomSource& random) {
  int64_t begin = number * kSectorBytes;
  if (begin >= static_cast<int64_t>(durable_.size())) return;
  SizeChanges changes(size_changes_);
  std::vector<const Version*> candidates;
  for (const Version& version : sector.versions) {
    if (!CutOff(number, changes.subspan(changes_found), version)) candidates.push_back(&version);
  }
  if (candidates.empty()) return;
  size_t chosen = mode == CutMode::kEverything ? candidates.size() : random.NextU64() % (candidates.size() + 1);
  if (chosen == 0) return;
  Version version = *candidates[chosen - 1];
  ZeroCutOff(number, changes.first(changes_found), &version);
  auto length = std::min<size_t>(kSectorBytes, durable_.size() - static_cast<size_t>(begin));
  std::memcpy(durable_.data() + begin, version.bytes.data(), length);
}

}  // namespace arc
