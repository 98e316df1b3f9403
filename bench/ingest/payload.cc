#include "ingest/payload.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <random>
#include <string_view>
#include <utility>

#include "arc/base/check.h"
#include "arc/decode/msgpack_writer.h"

namespace arc::bench {
namespace {

constexpr std::array<const char*, 2> kSmallTags = {"host", "region"};
constexpr std::array<const char*, 3> kSmallNames = {"usage_idle", "usage_user", "usage_system"};
constexpr std::array<const char*, 10> kTsbsTags = {
    "hostname", "region",          "datacenter",         "rack", "os", "arch", "team",
    "service",  "service_version", "service_environment"};
constexpr std::array<const char*, 10> kTsbsNames = {"usage_user",   "usage_system",    "usage_idle",    "usage_nice",
                                                    "usage_iowait", "usage_irq",       "usage_softirq", "usage_steal",
                                                    "usage_guest",  "usage_guest_nice"};
constexpr const char* kTimePlace = "0000000000000000000";  // nanoseconds, nineteen digits
constexpr size_t kMicrosDigits = 16;

// A record before it has a format. Values count units of the last decimal.
struct Record {
  std::vector<std::string> tags;
  std::vector<int64_t> values;
};

std::vector<std::string> TagsOf(Shape shape, int64_t host) {
  const std::string number = std::to_string(host);
  if (shape == Shape::kSmall) return {"host_" + number, "region-" + std::to_string(host % 5)};
  static const char* const kRegions[] = {"us-east-1",      "us-west-1",    "us-west-2",
                                         "eu-west-1",      "eu-central-1", "ap-southeast-1",
                                         "ap-southeast-2", "sa-east-1",    "ap-northeast-1"};
  const std::string region = kRegions[host % 9];
  return {"host_" + number,
          region,
          region + static_cast<char>('a' + host / 9 % 3),
          std::to_string(host * 31 % 100),
          host % 3 == 0   ? "Ubuntu15.10"
          : host % 3 == 1 ? "Ubuntu16.04LTS"
                          : "Ubuntu16.10",
          host % 2 == 0 ? "x64" : "x86",
          host % 4 == 0   ? "SF"
          : host % 4 == 1 ? "NYC"
          : host % 4 == 2 ? "LON"
                          : "CHI",
          std::to_string(host * 7 % 20),
          std::to_string(host % 2),
          host % 3 == 0   ? "production"
          : host % 3 == 1 ? "staging"
                          : "test"};
}

class BatchOfRecords {
 public:
  BatchOfRecords(const PayloadOptions& options, int64_t index)
      : small_(options.shape == Shape::kSmall), decimals_(small_ ? options.decimals : 0) {
    for (int i = 0; i < decimals_; ++i) scale_ *= 10;
    std::mt19937_64 random(options.seed * 0x9E3779B97F4A7C15U + static_cast<uint64_t>(index));
    const uint64_t values = small_ ? static_cast<uint64_t>(scale_) * 100 : 101;
    for (int i = 0; i < options.batch; ++i) {
      Record record;
      record.tags = TagsOf(options.shape, (index * options.batch + i) % options.series);
      for (size_t f = 0; f < fields(); ++f) record.values.push_back(static_cast<int64_t>(random() % values));
      records_.push_back(std::move(record));
    }
  }
  const std::vector<Record>& records() const { return records_; }
  size_t tags() const { return small_ ? kSmallTags.size() : kTsbsTags.size(); }
  size_t fields() const { return small_ ? kSmallNames.size() : kTsbsNames.size(); }
  const char* tag(size_t i) const { return small_ ? kSmallTags[i] : kTsbsTags[i]; }
  const char* field(size_t i) const { return small_ ? kSmallNames[i] : kTsbsNames[i]; }

  void WriteValue(int64_t value, MsgpackWriter* out) const {
    if (small_) {
      out->Double(static_cast<double>(value) / static_cast<double>(scale_));
    } else {
      out->Int(value);
    }
  }
  std::string NumberText(int64_t value) const {
    if (!small_) return std::to_string(value);
    if (decimals_ == 0) return std::to_string(value) + ".0";
    char text[48];
    std::snprintf(text, sizeof text, "%lld.%0*lld", static_cast<long long>(value / scale_), decimals_,
                  static_cast<long long>(value % scale_));
    return text;
  }
  std::string LineProtocolText(int64_t value) const { return NumberText(value) + (small_ ? "" : "i"); }

 private:
  bool small_;
  int decimals_;
  int64_t scale_ = 1;
  std::vector<Record> records_;
};

void EncodeLines(const std::string& measurement, const BatchOfRecords& batch, Payload* payload) {
  std::string& out = payload->bytes;
  for (const Record& record : batch.records()) {
    out += measurement;
    for (size_t i = 0; i < batch.tags(); ++i) out.append(",").append(batch.tag(i)).append("=").append(record.tags[i]);
    for (size_t i = 0; i < batch.fields(); ++i) {
      out.append(i == 0 ? " " : ",")
          .append(batch.field(i))
          .append("=")
          .append(batch.LineProtocolText(record.values[i]));
    }
    out += ' ';
    payload->times.push_back(static_cast<uint32_t>(out.size()));
    out.append(kTimePlace).append("\n");
  }
}

// The rows of EncodeRows.
void EncodeJson(const std::string& measurement, const BatchOfRecords& batch, Payload* payload) {
  std::string& out = payload->bytes;
  for (const Record& record : batch.records()) {
    out.append(out.empty() ? "[" : ",").append(R"({"m":")").append(measurement).append(R"(","t":)");
    payload->times.push_back(static_cast<uint32_t>(out.size()));
    out.append(kTimePlace, kMicrosDigits).append(R"(,"h":")").append(record.tags[0]).append(R"(","tags":{)");
    for (size_t i = 1; i < batch.tags(); ++i) {
      out.append(i == 1 ? "\"" : ",\"").append(batch.tag(i)).append(R"(":")").append(record.tags[i]).append("\"");
    }
    out += R"(},"fields":{)";
    for (size_t i = 0; i < batch.fields(); ++i) {
      out.append(i == 0 ? "\"" : ",\"").append(batch.field(i)).append("\":").append(batch.NumberText(record.values[i]));
    }
    out += "}}";
  }
  out += "]";
}

// A time always takes nine bytes, so that it can be written again in its place.
void PlaceTime(MsgpackWriter* out, Payload* payload) {
  out->Raw("\xCF");
  payload->times.push_back(static_cast<uint32_t>(out->bytes().size()));
  out->Big(0, 8);
}

void EncodeRows(const std::string& measurement, const BatchOfRecords& batch, Payload* payload) {
  MsgpackWriter out;
  out.Map(1).Text("batch").Array(static_cast<uint32_t>(batch.records().size()));
  for (const Record& record : batch.records()) {
    // The host goes into `h`, where the format has a place for it.
    out.Map(5).Text("m").Text(measurement).Text("t");
    PlaceTime(&out, payload);
    out.Text("h").Text(record.tags[0]).Text("tags").Map(static_cast<uint32_t>(batch.tags() - 1));
    for (size_t i = 1; i < batch.tags(); ++i) out.Text(batch.tag(i)).Text(record.tags[i]);
    out.Text("fields").Map(static_cast<uint32_t>(batch.fields()));
    for (size_t i = 0; i < batch.fields(); ++i) {
      out.Text(batch.field(i));
      batch.WriteValue(record.values[i], &out);
    }
  }
  payload->bytes = out.bytes();
}

void EncodeColumns(const std::string& measurement, const BatchOfRecords& batch, Payload* payload) {
  const auto rows = static_cast<uint32_t>(batch.records().size());
  MsgpackWriter out;
  out.Map(2).Text("m").Text(measurement);
  out.Text("columns").Map(static_cast<uint32_t>(1 + batch.tags() + batch.fields()));
  out.Text("time").Array(rows);
  for (uint32_t i = 0; i < rows; ++i) PlaceTime(&out, payload);
  for (size_t i = 0; i < batch.tags(); ++i) {
    out.Text(batch.tag(i)).Array(rows);
    for (const Record& record : batch.records()) out.Text(record.tags[i]);
  }
  for (size_t i = 0; i < batch.fields(); ++i) {
    out.Text(batch.field(i)).Array(rows);
    for (const Record& record : batch.records()) batch.WriteValue(record.values[i], &out);
  }
  payload->bytes = out.bytes();
}

// Sixteen digits of microseconds: ten of the second, which are the same for long, and six within it.
class DigitStamp {
 public:
  void Write(int64_t micros, char* to) {
    if (const int64_t second = micros / 1'000'000; second != second_) {
      second_ = second;
      digits_ = std::to_string(second);
      ARC_CHECK(digits_.size() == 10);  // the years 2001 to 2286
    }
    std::memcpy(to, digits_.data(), 10);
    auto rest = static_cast<uint32_t>(micros % 1'000'000);
    for (int digit = 15; digit >= 10; --digit) {
      to[digit] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    }
  }

 private:
  int64_t second_ = -1;
  std::string digits_;
};

}  // namespace

const char* FormatName(Format format) {
  switch (format) {
    case Format::kRows: return "rows";
    case Format::kColumns: return "columns";
    case Format::kLineProtocol: return "lp";
    case Format::kJson: return "json";
  }
  return "";
}

const char* ShapeName(Shape shape) { return shape == Shape::kSmall ? "small" : "tsbs"; }

std::string MeasurementName(const PayloadOptions& options, int measurement) {
  return options.measurements == 1 ? "cpu" : "cpu_" + std::to_string(measurement);
}

Payload EncodePayload(const PayloadOptions& options, int64_t index) {
  Payload payload;
  payload.measurement = static_cast<int>(index % options.measurements);
  const std::string measurement = MeasurementName(options, payload.measurement);
  const BatchOfRecords batch(options, index);
  payload.times.reserve(batch.records().size());
  switch (options.format) {
    case Format::kRows: EncodeRows(measurement, batch, &payload); break;
    case Format::kColumns: EncodeColumns(measurement, batch, &payload); break;
    case Format::kJson: EncodeJson(measurement, batch, &payload); break;
    case Format::kLineProtocol: EncodeLines(measurement, batch, &payload); break;
  }
  ARC_CHECK(payload.bytes.size() < UINT32_MAX / 2);
  return payload;
}

void PrependHead(const std::string& head, Payload* payload) {
  payload->bytes.insert(0, head);
  for (uint32_t& offset : payload->times) offset += static_cast<uint32_t>(head.size());
}

void StampTimes(const PayloadOptions& options, int64_t first_record, Payload* payload) {
  char* bytes = payload->bytes.data();
  int64_t micros = options.start_micros + first_record * options.step_micros;
  DigitStamp digits;
  for (const uint32_t offset : payload->times) {
    if (options.format == Format::kLineProtocol || options.format == Format::kJson) {
      digits.Write(micros, bytes + offset);
    } else {
      const uint64_t big_endian = __builtin_bswap64(static_cast<uint64_t>(micros));
      std::memcpy(bytes + offset, &big_endian, 8);
    }
    micros += options.step_micros;
  }
}

}  // namespace arc::bench
