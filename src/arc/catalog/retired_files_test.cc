#include "arc/catalog/retired_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace arc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(RetiredFiles, WhatIsReadComesBackWhenNobodyReadsIt) {
  RetiredFiles files;
  auto read = std::make_shared<const FileEntry>(FileEntry{"read", 1, 1, 0, 0});
  files.Add(read);
  EXPECT_THAT(files.Unread({"read", "other"}), ElementsAre("other"));
  EXPECT_THAT(files.Keys(), ElementsAre("read"));
  read.reset();
  EXPECT_THAT(files.Unread({}), ElementsAre("read"));
  EXPECT_THAT(files.Unread({}), IsEmpty());
}

TEST(RetiredFiles, NothingGoesWhileABackupKeepsIt) {
  RetiredFiles files;
  auto read = std::make_shared<const FileEntry>(FileEntry{"read", 1, 1, 0, 0});
  files.Add(read);
  auto first = files.KeepAll();
  auto second = files.KeepAll();
  EXPECT_THAT(files.Unread({"a", "read"}), IsEmpty());
  first.reset();
  read.reset();
  EXPECT_THAT(files.Unread({"b"}), IsEmpty());
  EXPECT_THAT(files.Keys(), UnorderedElementsAre("a", "b", "read"));  // orphan removal asks
  second.reset();
  EXPECT_THAT(files.Unread({}), UnorderedElementsAre("a", "b", "read"));
  EXPECT_THAT(files.Keys(), IsEmpty());
}

}  // namespace
}  // namespace arc
