#include "arc/io/power_cut_disk.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>

#include "arc/base/thread.h"
#include "arc/io/path.h"

namespace arc {
namespace {

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

template <typename T>
std::optional<ErrorKind> KindOf(const Result<T>& result) {
  if (result.ok()) return std::nullopt;
  return result.error().kind;
}

std::unique_ptr<DiskFile> MustOpen(LocalDisk& disk, const std::string& path) {
  Result<std::unique_ptr<DiskFile>> file = disk.Open(path, OpenMode::kCreate);
  EXPECT_TRUE(file.ok()) << file.error().message;
  return std::move(*file);
}

// A file whose name and content are durable.
std::unique_ptr<DiskFile> DurableFileWith(PowerCutDisk& disk, const std::string& path, std::string_view text) {
  std::unique_ptr<DiskFile> file = MustOpen(disk, path);
  EXPECT_TRUE(file->WriteAt(0, Bytes(text)).ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(disk.SyncDirectory(ParentFolder(path)).ok());
  return file;
}

// "(none)" when nothing is at the path.
std::string Found(PowerCutDisk& disk, const std::string& path) {
  Result<std::string> text = ReadWholeFile(disk, path);
  return text.ok() ? *text : "(none)";
}

// Everything that restarts find of `describe`, over many draws of the same history.
std::set<std::string> Outcomes(const std::function<void(PowerCutDisk&)>& history,
                               const std::function<std::string(PowerCutDisk&)>& describe, int draws = 400) {
  std::set<std::string> outcomes;
  for (int seed = 0; seed < draws; ++seed) {
    PowerCutDisk disk;
    history(disk);
    SeededRandom random(static_cast<uint64_t>(seed));
    disk.Restart(random);
    outcomes.insert(describe(disk));
  }
  return outcomes;
}

using Set = std::set<std::string>;
const auto kFoundAtF = [](PowerCutDisk& disk) { return Found(disk, "/f"); };
const auto kNames = [](PowerCutDisk& disk) {
  std::string names;
  std::vector<std::string> found = *disk.List("/");
  for (const std::string& name : found) names += name + " ";
  return names;
};

TEST(PowerCutDisk, SyncedDataAndNamesStay) {
  EXPECT_EQ(Outcomes([](PowerCutDisk& disk) { DurableFileWith(disk, "/f", "text"); }, kFoundAtF), Set{"text"});
  EXPECT_EQ(Outcomes(
                [](PowerCutDisk& disk) {
                  std::unique_ptr<DiskFile> file = DurableFileWith(disk, "/f", "text");
                  EXPECT_TRUE(file->WriteAt(4, Bytes(" more")).ok());
                  EXPECT_TRUE(file->SyncData().ok());
                },
                kFoundAtF),
            Set{"text more"});
}

TEST(PowerCutDisk, SyncOfTheFileDoesNotSyncItsName) {
  EXPECT_EQ(Outcomes(
                [](PowerCutDisk& disk) {
                  std::unique_ptr<DiskFile> file = MustOpen(disk, "/f");
                  EXPECT_TRUE(file->WriteAt(0, Bytes("text")).ok());
                  EXPECT_TRUE(file->Sync().ok());
                },
                kFoundAtF),
            (Set{"(none)", "text"}));
}

TEST(PowerCutDisk, UnsyncedDataIsFoundOrNotAndSizeBySize) {
  EXPECT_EQ(Outcomes(
                [](PowerCutDisk& disk) {
                  std::unique_ptr<DiskFile> file = DurableFileWith(disk, "/f", "old");
                  EXPECT_TRUE(file->WriteAt(0, Bytes("newer")).ok());
                },
                kFoundAtF),
            (Set{"old", "new", std::string("old\0\0", 5), "newer"}));
}

TEST(PowerCutDisk, SectorsPersistOutOfOrder) {
  std::string old_text(3 * 512, 'o');
  std::string new_text(3 * 512, 'n');
  auto describe = [&](PowerCutDisk& disk) {
    std::string text = Found(disk, "/f");
    for (size_t i = 0; i < 3; ++i) {  // each is whole
      EXPECT_EQ(text.substr(i * 512, 512), std::string(512, text[i * 512]));
    }
    return std::string{text[0], text[512], text[1024]};
  };
  EXPECT_EQ(Outcomes(
                [&](PowerCutDisk& disk) {
                  std::unique_ptr<DiskFile> file = DurableFileWith(disk, "/f", old_text);
                  EXPECT_TRUE(file->WriteAt(0, Bytes(new_text)).ok());
                },
                describe),
            (Set{"ooo", "oon", "ono", "onn", "noo", "non", "nno", "nnn"}));
}

TEST(PowerCutDisk, AnyVersionOfASectorMayBeFound) {
  EXPECT_EQ(Outcomes(
                [](PowerCutDisk& disk) {
                  std::unique_ptr<DiskFile> file = DurableFileWith(disk, "/f", "0");
                  for (const char* text : {"1", "2", "3"}) EXPECT_TRUE(file->WriteAt(0, Bytes(text)).ok());
                },
                kFoundAtF),
            (Set{"0", "1", "2", "3"}));
}

TEST(PowerCutDisk, TruncatingAndRewritingNeverMixesOldBlocksIn) {
  std::string old_text(1024, 'o');
  std::string new_text(1024, 'n');
  Set outcomes = Outcomes(
      [&](PowerCutDisk& disk) {
        std::unique_ptr<DiskFile> file = DurableFileWith(disk, "/f", old_text);
        EXPECT_TRUE(file->Truncate(0).ok());
        EXPECT_TRUE(file->WriteAt(0, Bytes(new_text)).ok());
      },
      kFoundAtF);
  std::string zeros(512, '\0');
  EXPECT_EQ(outcomes, (Set{old_text, "", new_text, std::string(1024, '\0'), std::string(512, 'n') + zeros,
                           zeros + std::string(512, 'n')}));
}

TEST(PowerCutDisk, WhatATruncationCutOffIsZeroWhenTheFileGrowsAgain) {
  EXPECT_EQ(Outcomes(
                [](PowerCutDisk& disk) {
                  std::unique_ptr<DiskFile> file = DurableFileWith(disk, "/f", "abcdef");
                  EXPECT_TRUE(file->Truncate(2).ok());
                  EXPECT_TRUE(file->Truncate(4).ok());
                },
                kFoundAtF),
            (Set{"abcdef", "ab", std::string("ab\0\0", 4)}));
}

TEST(PowerCutDisk, PreallocatedSpaceReadsAsZerosAndNeedsASync) {
  std::string zeros(2000, '\0');
  EXPECT_EQ(Outcomes(
                [](PowerCutDisk& disk) {
                  std::unique_ptr<DiskFile> file = DurableFileWith(disk, "/f", "");
                  EXPECT_TRUE(file->Preallocate(2000).ok());
                },
                kFoundAtF),
            (Set{"", zeros}));
}

TEST(PowerCutDisk, ARenameIsWholeAndOldOrNew) {
  auto history = [](PowerCutDisk& disk) {
    DurableFileWith(disk, "/f", "old");
    std::unique_ptr<DiskFile> file = MustOpen(disk, "/tmp");
    EXPECT_TRUE(file->WriteAt(0, Bytes("new")).ok());
    EXPECT_TRUE(file->Sync().ok());
    EXPECT_TRUE(disk.Rename("/tmp", "/f").ok());
  };
  auto describe = [](PowerCutDisk& disk) { return Found(disk, "/f") + "+" + Found(disk, "/tmp"); };
  EXPECT_EQ(Outcomes(history, describe), (Set{"old+(none)", "old+new", "new+(none)"}));
  EXPECT_EQ(Outcomes(
                [&](PowerCutDisk& disk) {
                  history(disk);
                  EXPECT_TRUE(disk.SyncDirectory("/").ok());
                },
                describe),
            Set{"new+(none)"});
}

TEST(PowerCutDisk, ARenameWithoutASyncMayShowAnEmptyFile) {
  Set outcomes = Outcomes(
      [](PowerCutDisk& disk) {
        DurableFileWith(disk, "/f", "old");
        std::unique_ptr<DiskFile> file = MustOpen(disk, "/tmp");
        EXPECT_TRUE(file->WriteAt(0, Bytes("new")).ok());
        EXPECT_TRUE(disk.Rename("/tmp", "/f").ok());
        EXPECT_TRUE(disk.SyncDirectory("/").ok());
      },
      kFoundAtF);
  EXPECT_EQ(outcomes, (Set{"", "new", std::string(3, '\0')}));
}

TEST(PowerCutDisk, DifferentNamesPersistOutOfOrder) {
  EXPECT_EQ(Outcomes(
                [](PowerCutDisk& disk) {
                  MustOpen(disk, "/a");
                  MustOpen(disk, "/b");
                },
                kNames),
            (Set{"", "a ", "b ", "a b "}));
  EXPECT_EQ(Outcomes(
                [](PowerCutDisk& disk) {
                  DurableFileWith(disk, "/a", "");
                  MustOpen(disk, "/b");
                  EXPECT_TRUE(disk.Remove("/a").ok());
                },
                kNames),
            (Set{"", "a ", "b ", "a b "}));
}

TEST(PowerCutDisk, OneNameKeepsItsOrder) {
  auto describe = [](PowerCutDisk& disk) { return Found(disk, "/a") + "+" + Found(disk, "/b"); };
  // The file that moves from a to b must not vanish because a new one took the name a.
  EXPECT_EQ(Outcomes(
                [](PowerCutDisk& disk) {
                  DurableFileWith(disk, "/a", "first");
                  EXPECT_TRUE(disk.Rename("/a", "/b").ok());
                  std::unique_ptr<DiskFile> file = MustOpen(disk, "/a");
                  EXPECT_TRUE(file->WriteAt(0, Bytes("second")).ok());
                  EXPECT_TRUE(file->Sync().ok());
                },
                describe),
            (Set{"first+(none)", "(none)+first", "second+first"}));
}

TEST(PowerCutDisk, AFolderNeedsItsParentSynced) {
  EXPECT_EQ(Outcomes(
                [](PowerCutDisk& disk) {
                  EXPECT_TRUE(disk.CreateDirectories("/made").ok());
                  EXPECT_TRUE(disk.Rename("/made", "/d").ok());
                  DurableFileWith(disk, "/d/f", "x");
                },
                kNames),
            (Set{"d ", "made "}));
}

TEST(PowerCutDisk, CreateDirectoriesIsDurableAtEveryLevel) {
  EXPECT_EQ(Outcomes([](PowerCutDisk& disk) { EXPECT_TRUE(disk.CreateDirectories("/a/b/c").ok()); },
                     [](PowerCutDisk& disk) { return *disk.IsDirectory("/a/b/c") ? "there" : "gone"; }),
            Set{"there"});
}

TEST(PowerCutDisk, MovingBetweenFoldersIsSettledByEither) {
  auto describe = [](PowerCutDisk& disk) { return Found(disk, "/x/f") + "+" + Found(disk, "/y/f"); };
  auto history = [](PowerCutDisk& disk) {
    EXPECT_TRUE(disk.CreateDirectories("/x").ok());
    EXPECT_TRUE(disk.CreateDirectories("/y").ok());
    DurableFileWith(disk, "/x/f", "F");
    EXPECT_TRUE(disk.Rename("/x/f", "/y/f").ok());
  };
  EXPECT_EQ(Outcomes(history, describe), (Set{"F+(none)", "(none)+F"}));
  for (const char* folder : {"/x", "/y"}) {
    EXPECT_EQ(Outcomes(
                  [&](PowerCutDisk& disk) {
                    history(disk);
                    EXPECT_TRUE(disk.SyncDirectory(folder).ok());
                  },
                  describe),
              Set{"(none)+F"});
  }
}

TEST(PowerCutDisk, RemovingAFolderImpliesRemovingWhatWasInIt) {
  EXPECT_EQ(Outcomes(
                [](PowerCutDisk& disk) {
                  EXPECT_TRUE(disk.CreateDirectories("/d").ok());
                  DurableFileWith(disk, "/d/f", "F");
                  EXPECT_TRUE(disk.Remove("/d/f").ok());
                  EXPECT_TRUE(disk.Remove("/d").ok());
                },
                [](PowerCutDisk& disk) { return kNames(disk) + Found(disk, "/d/f"); }),
            (Set{"d F", "d (none)", "(none)"}));
}

TEST(PowerCutDisk, AFailedSyncLosesForGood) {
  auto history = [](PowerCutDisk& disk) {
    std::unique_ptr<DiskFile> file = DurableFileWith(disk, "/f", "old");
    EXPECT_TRUE(file->WriteAt(0, Bytes("new")).ok());
    disk.FailSyncs(1);
    EXPECT_EQ(KindOf(file->SyncData()), ErrorKind::kUnknownOutcome);
    EXPECT_EQ(Found(disk, "/f"), "new");    // the page cache
    EXPECT_TRUE(file->SyncData().ok());     // lies
    EXPECT_TRUE(file->Sync().ok());         // lies
    EXPECT_TRUE(file->Truncate(600).ok());  // synced in truth
    EXPECT_TRUE(file->WriteAt(512, Bytes("end")).ok());
    EXPECT_TRUE(file->SyncData().ok());
  };
  auto describe = [](PowerCutDisk& disk) { return Found(disk, "/f").substr(0, 3) + Found(disk, "/f").substr(512, 3); };
  EXPECT_EQ(Outcomes(history, describe), (Set{"oldend", "newend"}));
  EXPECT_EQ(Outcomes(
                [&](PowerCutDisk& disk) {
                  history(disk);
                  std::unique_ptr<DiskFile> file = MustOpen(disk, "/f");
                  EXPECT_TRUE(file->WriteAt(0, Bytes("anew")).ok());  // dirty again
                  EXPECT_TRUE(file->SyncData().ok());
                },
                describe),
            Set{"aneend"});
}

TEST(PowerCutDisk, AFailedFolderSyncSettlesNothing) {
  EXPECT_EQ(Outcomes(
                [](PowerCutDisk& disk) {
                  MustOpen(disk, "/a");
                  disk.FailDirectorySyncs(1);
                  EXPECT_EQ(KindOf(disk.SyncDirectory("/")), ErrorKind::kUnknownOutcome);
                },
                kNames),
            (Set{"", "a "}));
}

TEST(PowerCutDisk, PlantedBugsLoseWhatWasSynced) {
  EXPECT_TRUE(Outcomes(
                  [](PowerCutDisk& disk) {
                    disk.IgnoreSync(true);
                    DurableFileWith(disk, "/f", "text");
                  },
                  kFoundAtF)
                  .contains(""));
  EXPECT_TRUE(Outcomes(
                  [](PowerCutDisk& disk) {
                    disk.IgnoreDirectorySync(true);
                    DurableFileWith(disk, "/f", "text");
                  },
                  kFoundAtF)
                  .contains("(none)"));
}

TEST(PowerCutDisk, TheNthOperationIsTheLast) {
  PowerCutDisk disk;
  std::unique_ptr<DiskFile> file = DurableFileWith(disk, "/f", "text");  // create, write, sync, sync folder
  EXPECT_EQ(disk.operations(), 4u);
  std::unique_ptr<DiskLock> lock = *disk.Lock("/f");
  disk.CutAfter(2);
  EXPECT_TRUE(file->WriteAt(0, Bytes("TEXT")).ok());
  EXPECT_EQ(KindOf(file->SyncData()), ErrorKind::kUnavailable);
  EXPECT_FALSE(disk.power_is_on());
  EXPECT_EQ(disk.last_operation(), "sync /f");
  uint8_t byte;
  EXPECT_EQ(KindOf(file->ReadAt(0, {&byte, 1})), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(file->WriteAt(0, Bytes("x"))), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(disk.Open("/f", OpenMode::kRead)), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(disk.Exists("/f")), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(disk.List("/")), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(disk.Stat("/f")), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(disk.IsDirectory("/f")), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(disk.Rename("/f", "/g")), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(disk.Remove("/f")), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(disk.CreateDirectories("/d")), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(disk.SyncDirectory("/")), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(disk.Lock("/l")), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(disk.FreeBytes("/")), ErrorKind::kUnavailable);
  EXPECT_EQ(disk.operations(), 6u);
  SeededRandom random(1);
  disk.Restart(random);
  EXPECT_TRUE(disk.power_is_on());
  EXPECT_EQ(KindOf(file->WriteAt(0, Bytes("x"))), ErrorKind::kUnavailable);  // of before the cut
  EXPECT_EQ(KindOf(file->Size()), ErrorKind::kUnavailable);
  std::unique_ptr<DiskLock> again = *disk.Lock("/f");
  lock.reset();  // must not release the new one
  EXPECT_EQ(KindOf(disk.Lock("/f")), ErrorKind::kConflict);
}

TEST(PowerCutDisk, OperationsAndOutcomesRepeat) {
  auto run = [](uint64_t seed) {
    PowerCutDisk disk;
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(DurablePut(disk, "/d/f" + std::to_string(i % 3), Bytes(std::string(1500, 'a' + i))).ok());
      MustOpen(disk, "/d/g" + std::to_string(i))->WriteAt(0, Bytes(std::string(2000, 'a' + i))).ok();
    }
    uint64_t operations = disk.operations();
    SeededRandom random(seed);
    disk.Restart(random);
    std::string state = std::to_string(operations);
    std::vector<std::string> names = *disk.List("/d");
    for (const std::string& name : names) {
      if (!name.starts_with(kTemporaryPrefix)) state += "|" + name + "=" + Found(disk, "/d/" + name);
    }
    return state;
  };
  std::set<std::string> states;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    EXPECT_EQ(run(seed), run(seed));
    states.insert(run(seed));
  }
  EXPECT_GT(states.size(), 3u);
}

TEST(PowerCutDisk, AFullDisk) {
  PowerCutDisk disk;
  std::unique_ptr<DiskFile> file = DurableFileWith(disk, "/f", "0123456789");
  disk.SetFreeBytes(5);
  EXPECT_EQ(*disk.FreeBytes("/"), 5);
  EXPECT_EQ(KindOf(file->Preallocate(16)), ErrorKind::kDiskFull);
  EXPECT_EQ(*file->Size(), 10);
  EXPECT_TRUE(file->WriteAt(0, Bytes("overwrites")).ok());
  EXPECT_EQ(KindOf(file->WriteAt(8, Bytes("too long for it"))), ErrorKind::kDiskFull);
  EXPECT_EQ(Found(disk, "/f"), "overwrittoo lon");
  EXPECT_EQ(*disk.FreeBytes("/"), 0);
  EXPECT_EQ(KindOf(file->WriteAt(100, Bytes("x"))), ErrorKind::kDiskFull);
  EXPECT_TRUE(file->Truncate(12).ok());
  EXPECT_EQ(*disk.FreeBytes("/"), 3);
  EXPECT_TRUE(MustOpen(disk, "/g")->WriteAt(0, Bytes("abc")).ok());
  EXPECT_TRUE(disk.Remove("/g").ok());
  EXPECT_EQ(*disk.FreeBytes("/"), 3);
  disk.SetFreeBytes(std::nullopt);
  EXPECT_TRUE(file->Preallocate(100'000).ok());
}

TEST(PowerCutDisk, SeveralThreadsUntilTheCut) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    PowerCutDisk disk;
    ASSERT_TRUE(disk.CreateDirectories("/d").ok());
    disk.CutAfter(50 + seed);
    std::map<std::string, int> acknowledged;
    std::mutex mutex;
    {
      std::vector<Thread> threads;
      for (int t = 0; t < 3; ++t) {
        threads.emplace_back("put", [&, t] {
          std::string path = "/d/" + std::to_string(t);
          for (int i = 0; DurablePut(disk, path, Bytes(std::to_string(i))).ok(); ++i) {
            std::lock_guard lock(mutex);
            acknowledged[path] = i;
          }
        });
      }
    }
    SeededRandom random(seed);
    disk.Restart(random);
    for (const auto& [path, last] : acknowledged) {
      std::string found = Found(disk, path);
      EXPECT_TRUE(found == std::to_string(last) || found == std::to_string(last + 1)) << path << " " << found;
    }
  }
}

// Random histories: a name untouched since its folder was synced is found as it was, with the content of its last sync
// if it was not written since; a file that was durable once and never removed is found under some name.
TEST(PowerCutDisk, RandomHistoriesKeepWhatWasSettled) {
  struct Tracked {
    std::string content;
    bool data_settled = false;
    bool durable = false;  // was found under a settled name with settled data
  };
  for (uint64_t seed = 0; seed < 300; ++seed) {
    PowerCutDisk disk;
    SeededRandom random(seed);
    std::map<std::string, Tracked> files;
    std::set<std::string> unsettled;  // names changed since the last folder sync
    auto settle = [&](Tracked& file, const std::string& name) {
      file.durable = file.durable || (file.data_settled && !unsettled.contains(name));
    };
    for (int step = 0; step < 40; ++step) {
      std::string name(1, static_cast<char>('a' + random.NextU64() % 4));
      std::string other(1, static_cast<char>('a' + random.NextU64() % 4));
      bool there = files.contains(name);
      switch (random.NextU64() % 6) {
        case 0:
        case 1: {
          Tracked& file = files[name];
          file.content = std::to_string(step) + std::string(600, static_cast<char>('A' + step % 26));
          file.data_settled = file.durable = false;
          std::unique_ptr<DiskFile> handle = MustOpen(disk, "/" + name);
          ASSERT_TRUE(handle->Truncate(0).ok());
          ASSERT_TRUE(handle->WriteAt(0, Bytes(file.content)).ok());
          if (!there) unsettled.insert(name);
          break;
        }
        case 2:
          if (!there) break;
          ASSERT_TRUE(MustOpen(disk, "/" + name)->SyncData().ok());
          files[name].data_settled = true;
          settle(files[name], name);
          break;
        case 3:
          ASSERT_TRUE(disk.SyncDirectory("/").ok());
          unsettled.clear();
          for (auto& [found_name, file] : files) settle(file, found_name);
          break;
        case 4:
          if (!there || name == other) break;
          ASSERT_TRUE(disk.Rename("/" + name, "/" + other).ok());
          files[other] = files[name];
          files.erase(name);
          unsettled.insert({name, other});
          break;
        case 5:
          if (!there) break;
          ASSERT_TRUE(disk.Remove("/" + name).ok());
          files.erase(name);
          unsettled.insert(name);
      }
    }
    disk.Restart(random);
    std::set<std::string> contents;
    for (const char* name : {"a", "b", "c", "d"}) {
      std::string found = Found(disk, std::string("/") + name);
      contents.insert(found);
      auto tracked = files.find(name);
      if (unsettled.contains(name)) continue;
      ASSERT_EQ(found != "(none)", tracked != files.end()) << "seed " << seed << " name " << name;
      if (tracked != files.end() && tracked->second.data_settled) {
        ASSERT_EQ(found, tracked->second.content) << "seed " << seed << " name " << name;
      }
    }
    for (const auto& [name, file] : files) {
      ASSERT_TRUE(!file.durable || contents.contains(file.content)) << "seed " << seed << " name " << name;
    }
  }
}

}  // namespace
}  // namespace arc
