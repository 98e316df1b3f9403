#include "arc/http/influx_predicate.h"

#include <gtest/gtest.h>

namespace arc {
namespace {

std::string Parsed(const std::string& text) {
  const auto predicate = ParseInfluxPredicate(text);
  if (!predicate.ok()) return "error";
  std::string result = predicate->measurement;
  for (const auto& [name, value] : predicate->tags) result += "|" + name + "=" + value;
  return result;
}

TEST(InfluxPredicate, NamesAndValues) {
  EXPECT_EQ(Parsed(""), "");
  EXPECT_EQ(Parsed("  "), "");
  EXPECT_EQ(Parsed("_measurement=\"cpu\""), "cpu");
  EXPECT_EQ(Parsed("_measurement = cpu and host='a b' AND \"re gion\"=\"e\\\"u\""), "cpu|host=a b|re gion=e\"u");
  EXPECT_EQ(Parsed("host=\"a\""), "|host=a");
  EXPECT_EQ(Parsed("host=\"\""), "|host=");
}

TEST(InfluxPredicate, AllElseIsRefused) {
  for (const char* text :
       {"host", "host=", "=a", "host!=\"a\"", "host=\"a", "host=a OR host=b", "host=a host=b", "host=a AND", "(host=a)",
        "host=~/a/", "_measurement=a AND _measurement=b", "_field=usage", "_time=1"}) {
    EXPECT_EQ(Parsed(text), "error") << text;
  }
}

}  // namespace
}  // namespace arc
