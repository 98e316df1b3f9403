#include "arc/io/path.h"

#include <gtest/gtest.h>

#include "arc/base/uuid.h"
#include "arc/io/object_store.h"

namespace arc {
namespace {

TEST(Path, Parents) {
  EXPECT_EQ(ParentFolder("/a/b"), "/a");
  EXPECT_EQ(ParentFolder("/a/b/"), "/a");
  EXPECT_EQ(ParentFolder("/a//b"), "/a");
  EXPECT_EQ(ParentFolder("/a"), "/");
  EXPECT_EQ(ParentFolder("/"), "/");
  EXPECT_EQ(ParentFolder("a"), ".");
  EXPECT_EQ(ParentFolder("a/b"), "a");
}

TEST(Path, JoinsWithOneSlash) {
  EXPECT_EQ(JoinPath("/a", "b"), "/a/b");
  EXPECT_EQ(JoinPath("/a/", "b"), "/a/b");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
}

TEST(Path, AbsoluteIsNormal) {
  EXPECT_EQ(AbsolutePath("/a//b/../c/./"), "/a/c");
  EXPECT_EQ(AbsolutePath("/"), "/");
  EXPECT_EQ(AbsolutePath("/.."), "/");
  EXPECT_EQ(AbsolutePath("/a/.."), "/");
  EXPECT_TRUE(AbsolutePath("x").starts_with("/"));
  EXPECT_TRUE(AbsolutePath("x").ends_with("/x"));
  EXPECT_EQ(AbsolutePath(""), AbsolutePath("."));
}

TEST(PathElement, EncodesWhatIsNotPlain) {
  EXPECT_EQ(EncodePathElement("cpu_load-1.5"), "cpu_load-1.5");
  EXPECT_EQ(EncodePathElement("a/b"), "a%2Fb");
  EXPECT_EQ(EncodePathElement("100%"), "100%25");
  EXPECT_EQ(EncodePathElement("."), "%2E");
  EXPECT_EQ(EncodePathElement(".."), "%2E.");
  EXPECT_EQ(EncodePathElement(".hidden"), "%2Ehidden");
  EXPECT_EQ(EncodePathElement("é"), "%C3%A9");
  EXPECT_EQ(EncodePathElement(std::string_view("a\0b", 3)), "a%00b");
  EXPECT_EQ(EncodePathElement(""), "%");
}

TEST(PathElement, EveryNameComesBackAndIsSafe) {
  SeededRandom random(1);
  for (int i = 0; i < 5000; ++i) {
    std::string name(random.NextU64() % 6, '\0');
    for (char& c : name) {
      c = random.NextU64() % 2 ? static_cast<char>(random.NextU64()) : "./%a"[random.NextU64() % 4];
    }
    std::string element = EncodePathElement(name);
    EXPECT_FALSE(element.empty());
    EXPECT_NE(element[0], '.');
    EXPECT_EQ(element.find('/'), std::string::npos);
    EXPECT_EQ(element.find('\0'), std::string::npos);
    Result<std::string> back = DecodePathElement(element);
    ASSERT_TRUE(back.ok()) << element;
    EXPECT_EQ(*back, name);
  }
}

TEST(PathElement, OnlyWhatArcWritesIsDecoded) {
  for (std::string_view element :
       {"", ".", "..", ".a", "a/b", "%2", "%2f", "a%", "%41", "%zz", "a b", "%%", "%2E%2E", "\xc3\xa9"}) {
    Result<std::string> name = DecodePathElement(element);
    ASSERT_FALSE(name.ok()) << element;
    EXPECT_EQ(name.error().kind, ErrorKind::kInvalidArgument);
  }
}

}  // namespace
}  // namespace arc
