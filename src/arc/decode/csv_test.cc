#include "arc/decode/csv.h"

#include <gtest/gtest.h>

#include <string>

#include "arc/decode/batch_builder.h"
#include "arc/decode/batch_invariants.h"
#include "arc/decode/csv_reader.h"
#include "arc/decode/request_text.h"

namespace arc {
namespace {

CsvOptions For(const std::string& measurement) {
  CsvOptions options;
  options.table.measurement = measurement;
  return options;
}

std::string Decoded(std::string_view body, const CsvOptions& options = For("m")) {
  auto decoded = DecodeCsv(body, options);
  if (!decoded.ok()) return "error: " + decoded.error().message;
  EXPECT_EQ(BrokenRequest(*decoded), "");
  EXPECT_EQ(decoded->position_name, "line");
  return RequestText(*decoded);
}

TEST(Csv, TypesAreThoseOfTheValues) {
  EXPECT_EQ(Decoded("time,n,x,b,s\n1,5,1.5,true,word\n2,-6,2e3,FALSE,a b\n"),
            "m@2 time=1000000 n?=5i x?=1.5 b?=true s?=\"word\"\n"
            "m@3 time=2000000 n?=-6i x?=2000 b?=false s?=\"a b\"\n");
  EXPECT_EQ(Decoded("time,a,b,c,d,e,f\n1,18446744073709551615,18446744073709551616,nan,-inf,007,+5\n"),
            "m@2 time=1000000 a?=18446744073709551615u b?=18446744073709551616 c?=nan d?=-inf e?=\"007\" f?=5i\n");
  EXPECT_EQ(Decoded("time,a,b,c,d,e,f\n1,-,.,1e999,1e-999,tRue,1.\n"),
            "m@2 time=1000000 a?=\"-\" b?=\".\" c?=\"1e999\" d?=0 e?=\"tRue\" f?=1\n");
}

TEST(Csv, AnIntegerAmongDoublesIsRemembered) {
  EXPECT_EQ(Decoded("time,v\n1,1\n2,2.5\n"), "m@2 time=1000000 v?=1~\nm@3 time=2000000 v?=2.5\n");
}

TEST(Csv, AColumnOfTextTakesEveryCellAsText) {
  EXPECT_EQ(Decoded("time,s\n1,x\n2,12\n3,true\n"),
            "m@2 time=1000000 s?=\"x\"\nm@3 time=2000000 s?=\"12\"\nm@4 time=3000000 s?=\"true\"\n");
}

TEST(Csv, RowsOfAnotherKindGoIntoABatchOfTheirOwn) {
  // The table's type then decides which of them stays, as for line protocol.
  auto decoded = DecodeCsv("time,v\n1,1\n2,x\n3,3\n", For("m"));
  ASSERT_TRUE(decoded.ok());
  ASSERT_EQ(decoded->batches.size(), 2u);
  EXPECT_EQ(decoded->batches[0].batch.rows, 2);
  EXPECT_EQ(decoded->batches[1].batch.PositionOf(0), 3u);
}

TEST(Csv, EmptyCellsAreNull) {
  EXPECT_EQ(Decoded("time,a,b\n1,,\"\"\n2,1,x\n"), "m@2 time=1000000 a?=- b?=-\nm@3 time=2000000 a?=1i b?=\"x\"\n");
}

TEST(Csv, QuotesFollowTheRfc) {
  EXPECT_EQ(Decoded("time,s,t\n1,\"a,\"\"b\"\"\",\"x\ny\"\n2,c\"d,e\n"),
            "m@2 time=1000000 s?=\"a,\"b\"\" t?=\"x\ny\"\nm@4 time=2000000 s?=\"c\"d\" t?=\"e\"\n");
  // Numbers in quotes are numbers.
  EXPECT_EQ(Decoded("\"time\",\"v\"\n\"1\",\"2\"\n"), "m@2 time=1000000 v?=2i\n");
}

TEST(Csv, LineEndsBlankLinesAndTheByteOrderMark) {
  EXPECT_EQ(Decoded("\xEF\xBB\xBFtime,v\r\n\r\n1,\"x\"\r\n\n2,y"),
            "m@3 time=1000000 v?=\"x\"\nm@5 time=2000000 v?=\"y\"\n");
  EXPECT_EQ(Decoded("time,v\n1,2\r"), "m@2 time=1000000 v?=2i\n");
  EXPECT_EQ(Decoded("time,v\n"), "");
}

TEST(Csv, TagsAreTheColumnsSaid) {
  CsvOptions options = For("m");
  options.table.tags = {"host", "id"};
  EXPECT_EQ(Decoded("time,host,v,id\n1,a,5,7\n2,,6,\n", options),
            "m@2 time=1000000 tag:host=a v=5i tag:id=7\nm@3 time=2000000 tag:host=- v=6i tag:id=-\n");
  options.table.tags = {"rack"};
  EXPECT_EQ(Decoded("time,host\n1,a\n", options), "error: there is no column 'rack' to be a tag");
  options.table.tags = {"time"};
  EXPECT_EQ(Decoded("time,host\n1,a\n", options), "error: column 'time' holds the times and cannot be a tag");
}

TEST(Csv, TimesInEveryForm) {
  EXPECT_EQ(Decoded("v,timestamp\n1,2024-05-01T12:00:00Z\n2,2024-05-01 14:00:00.25+02:00\n3,2024-05-01 12:00:00\n"),
            "m@2 time=1714564800000000 v?=1i\nm@3 time=1714564800250000 v?=2i\nm@4 time=1714564800000000 v?=3i\n");
  CsvOptions options = For("m");
  options.table.time_column = "when";
  options.table.precision = TimePrecision::kMillis;
  // A field called time is then one like others.
  EXPECT_EQ(Decoded("when,time\n5,6\n", options), "m@2 time=5000 time?=6i\n");
  EXPECT_EQ(Decoded("_time,v\n5,6\n", options), "error: there is no column 'when' to take the times from");
}

TEST(Csv, BadRowsAreNamedAndTheOthersStay) {
  EXPECT_EQ(Decoded("time,v,w\n"
                    "1,1,1\n"
                    "2,2\n"
                    "later,3,3\n"
                    ",4,4\n"
                    "5,\"5\"x,5\n"
                    "6,6,6,6\n"
                    "7,\xFF,7\n"
                    "9999999999999999999999,8,8\n"
                    "9,9,9\n"),
            "m@2 time=1000000 v?=1i w?=1i\n"
            "m@10 time=9000000 v?=9i w?=9i\n"
            "3! the line has 2 cells for 3 columns\n"
            "4! column 'time': time 'later' is no RFC 3339 timestamp of the years 1 to 9999\n"
            "5! column 'time': there is no time\n"
            "6! cell 2 goes on behind its closing quote\n"
            "7! the line has 4 cells for 3 columns\n"
            "8! field 'v' is not valid UTF-8\n"
            "9! column 'time': time 1e+22 is outside the years 1 to 9999 (is it in another unit?)\n");
}

TEST(Csv, AQuoteNeverClosedCostsItsLineOnly) {
  EXPECT_EQ(Decoded("time,s\n1,\"x\n2,y\n3,z"),
            "m@3 time=2000000 s?=\"y\"\nm@4 time=3000000 s?=\"z\"\n"
            "2! the quote that opens cell 2 is never closed\n");
}

TEST(Csv, HeadersThatCannotBe) {
  EXPECT_EQ(Decoded(""), "error: the CSV has no header line");
  EXPECT_EQ(Decoded("time,v,v\n"), "error: column 'v' is there twice");
  EXPECT_EQ(Decoded("time,,v\n"), "error: column 2 has no name");
  EXPECT_EQ(Decoded("a,b\n1,2\n"),
            "error: no column is named time, timestamp or _time: say with time_column which one holds the times");
  EXPECT_EQ(Decoded("time\n1\n"), "error: there is no column beside 'time'");
  EXPECT_EQ(Decoded("time,v\n1,1\n", For("")), "error: the parameter measurement is missing");
  std::string wide = "time";
  for (int i = 0; i < kMaxColumns; ++i) wide += ",c" + std::to_string(i);
  EXPECT_EQ(Decoded(wide + "\n"), "error: header: the line has more than 10000 cells");
}

TEST(Csv, NamesMayComeFromOutside) {
  CsvOptions options = For("m");
  options.columns = {"time", "v"};
  options.delimiter = '\t';
  EXPECT_EQ(Decoded("1\t2\n3\t4\n", options), "m@1 time=1000000 v?=2i\nm@2 time=3000000 v?=4i\n");
}

TEST(Csv, ALineOfCommasTakesNoMemoryToSpeakOf) {
  const std::string body = "time,v\n" + std::string(5'000'000, ',') + "\n1,2\n";
  EXPECT_EQ(Decoded(body), "m@3 time=1000000 v?=2i\n2! the line has more than 10000 cells\n");
}

TEST(Csv, CutAnywhereNothingIsReadPastTheEnd) {
  const std::string whole = "time,host,\"a \"\"b\"\"\"\r\n1,\"x\ny\",2.5\n2024-05-01T12:00:00Z,\"\",nan\n3,z,true\n";
  for (size_t size = 0; size <= whole.size(); ++size) {
    const std::string exact(whole, 0, size);  // its own allocation: the sanitizers see one byte too many
    auto decoded = DecodeCsv(exact, For("m"));
    if (decoded.ok()) {
      EXPECT_EQ(BrokenRequest(*decoded), "") << size;
    }
  }
}

TEST(CsvReader, ListsOfNames) {
  EXPECT_EQ(*ParseNameList("a,\"b,c\",d"), (std::vector<std::string>{"a", "b,c", "d"}));
  EXPECT_TRUE(ParseNameList("")->empty());
  EXPECT_FALSE(ParseNameList("a\nb").ok());
  EXPECT_FALSE(ParseNameList("\"a").ok());
}

TEST(CsvReader, CutsBehindWholeRecords) {
  const std::string text = "1,a\n\n2,\"x\ny\"\n3,c\n4,\"d";
  EXPECT_EQ(CutCsv(text, ',', 100).bytes, text.find("4,"));
  EXPECT_EQ(CutCsv(text, ',', 100).records, 3u);
  EXPECT_EQ(CutCsv(text, ',', 2).bytes, text.find("3,"));
  EXPECT_EQ(CutCsv("1,a", ',', 9).bytes, 0u);
  // Wherever a text is cut, the pieces hold the same records.
  for (size_t size = 0; size <= text.size(); ++size) {
    const RecordCut cut = CutCsv(std::string_view(text).substr(0, size), ',', 100);
    EXPECT_LE(cut.bytes, size);
    CsvReader rest(std::string_view(text).substr(cut.bytes), ',');
    size_t records = cut.records;
    while (rest.Next()) ++records;
    EXPECT_EQ(records, 4u) << size;
  }
}

}  // namespace
}  // namespace arc
