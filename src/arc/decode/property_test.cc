// Random rows, written in every format, decode to themselves.
#include <arrow/array.h>
#include <arrow/util/bit_util.h>
#include <gtest/gtest.h>

#include <charconv>
#include <map>
#include <random>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "arc/base/log.h"
#include "arc/decode/arrow_for_test.h"
#include "arc/decode/arrow_ipc.h"
#include "arc/decode/batch_invariants.h"
#include "arc/decode/csv.h"
#include "arc/decode/json.h"
#include "arc/decode/line_protocol.h"
#include "arc/decode/msgpack.h"
#include "arc/decode/msgpack_writer.h"

namespace arc {
namespace {

using ModelValue = std::variant<int64_t, double, bool, std::string>;

struct ModelRow {
  std::string measurement;
  std::map<std::string, std::string> tags;
  std::map<std::string, ModelValue> fields;
  int64_t time = 0;  // ms

  bool operator==(const ModelRow&) const = default;
};

std::string DoubleText(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  std::string out(text, end);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

std::ostream& operator<<(std::ostream& out, const ModelRow& row) {
  out << row.measurement << " @" << row.time;
  for (const auto& [name, value] : row.tags) out << " tag " << name << "=" << value;
  for (const auto& [name, value] : row.fields) {
    out << " field " << name << "=";
    if (const auto* whole = std::get_if<int64_t>(&value)) out << *whole << "i";
    if (const auto* real = std::get_if<double>(&value)) out << DoubleText(*real);
    if (const auto* truth = std::get_if<bool>(&value)) out << (*truth ? "true" : "false");
    if (const auto* text = std::get_if<std::string>(&value)) out << '"' << *text << '"';
  }
  return out;
}

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {
    for (int i = 0; i < 8; ++i) names_.push_back(Name());
  }

  std::vector<ModelRow> Rows(bool one_measurement) {
    std::vector<ModelRow> rows(1 + Pick(200));
    for (ModelRow& row : rows) {
      row.measurement = one_measurement ? "m" : names_[Pick(3)];
      row.time = static_cast<int64_t>(random_() % 4'000'000'000'000) - 1'000'000'000'000;
      for (size_t i = Pick(4); i > 0; --i) row.tags[names_[Pick(names_.size())]] = Text(1);
      for (size_t i = 1 + Pick(4); i > 0; --i) {
        const size_t name = Pick(names_.size());
        row.fields[names_[name]] = Value(name);
      }
    }
    return rows;
  }

 private:
  size_t Pick(size_t bound) { return random_() % bound; }

  ModelValue Value(size_t name) {
    // Most fields keep their kind; the first are numbers of both forms, the last anything.
    size_t kind = name < 3 ? Pick(2) : name == 7 ? Pick(4) : name % 4;
    // Exactly a double, so that a mix loses nothing.
    if (kind == 0) return (static_cast<int64_t>(random_()) >> (11 + Pick(50)));
    if (kind == 1) return static_cast<double>(static_cast<int64_t>(random_() % 2'000'000) - 1'000'000) / 1024 + 0.00001;
    if (kind == 2) return Pick(2) == 0;
    return Text(0);
  }
  std::string Text(size_t least) {
    static const std::vector<std::string> kPieces = {"a",
                                                     "b",
                                                     "cd",
                                                     "efgh",
                                                     " ",
                                                     ",",
                                                     "=",
                                                     "\\x",
                                                     "\"",
                                                     "0",
                                                     "-",
                                                     "\xC3\xA9",
                                                     "\xF0\x9F\x98\x80",
                                                     "long piece of text ",
                                                     "#",
                                                     "{"};
    std::string text;
    for (size_t i = least + Pick(6); i > 0; --i) text += kPieces[Pick(kPieces.size())];
    return text;
  }
  std::string Name() { return Text(1) + std::to_string(names_.size()); }

  std::mt19937_64 random_;
  std::vector<std::string> names_;
};

// The rows of a decoded request in the order of their positions.
std::vector<ModelRow> RowsOf(const WriteRequest& request) {
  std::map<uint32_t, ModelRow> rows;
  for (const auto& [measurement, batch] : request.batches) {
    for (int64_t i = 0; i < batch.rows; ++i) {
      ModelRow& row = rows[batch.PositionOf(i)];
      row.measurement = measurement;
      for (const BatchColumn& column : batch.columns) {
        const arrow::Array& array = *column.values;
        if (array.IsNull(i)) continue;
        if (column.role == ColumnRole::kTime) {
          row.time = static_cast<const arrow::TimestampArray&>(array).Value(i) / 1000;
        } else if (column.role == ColumnRole::kTag) {
          const auto& tags = static_cast<const arrow::DictionaryArray&>(array);
          row.tags[column.name] =
              static_cast<const arrow::StringArray&>(*tags.dictionary()).GetString(tags.GetValueIndex(i));
        } else if (column.type == ColumnType::kInt64) {
          row.fields[column.name] = static_cast<const arrow::Int64Array&>(array).Value(i);
        } else if (column.type == ColumnType::kBool) {
          row.fields[column.name] = static_cast<const arrow::BooleanArray&>(array).Value(i);
        } else if (column.type == ColumnType::kString) {
          row.fields[column.name] = static_cast<const arrow::StringArray&>(array).GetString(i);
        } else {
          const double value = static_cast<const arrow::DoubleArray&>(array).Value(i);
          if (column.integral != nullptr && arrow::bit_util::GetBit(column.integral->data(), i)) {
            row.fields[column.name] = static_cast<int64_t>(value);
          } else {
            row.fields[column.name] = value;
          }
        }
      }
    }
  }
  std::vector<ModelRow> out;
  for (auto& [position, row] : rows) out.push_back(std::move(row));
  return out;
}

std::string Escaped(const std::string& text, std::string_view set) {
  std::string out;
  for (const char c : text) {
    if (set.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string AsLines(const std::vector<ModelRow>& rows) {
  std::string out;
  for (const ModelRow& row : rows) {
    // A first letter, since # begins a comment.
    out += Escaped(row.measurement, ", ");
    for (const auto& [name, value] : row.tags) out += "," + Escaped(name, ",= ") + "=" + Escaped(value, ",= ");
    char separator = ' ';
    for (const auto& [name, value] : row.fields) {
      out += separator + Escaped(name, ",= ") + "=";
      if (const auto* whole = std::get_if<int64_t>(&value)) out += std::to_string(*whole) + "i";
      if (const auto* real = std::get_if<double>(&value)) out += DoubleText(*real);
      if (const auto* truth = std::get_if<bool>(&value)) out += *truth ? "t" : "False";
      if (const auto* text = std::get_if<std::string>(&value)) out += '"' + Escaped(*text, "\"\\") + '"';
      separator = ',';
    }
    out += " " + std::to_string(row.time) + "\n";
  }
  return out;
}

void Write(const ModelValue& value, MsgpackWriter& out) {
  if (const auto* whole = std::get_if<int64_t>(&value)) out.Int(*whole);
  if (const auto* real = std::get_if<double>(&value)) out.Double(*real);
  if (const auto* truth = std::get_if<bool>(&value)) out.Bool(*truth);
  if (const auto* text = std::get_if<std::string>(&value)) out.Text(*text);
}

std::string AsMsgpackRows(const std::vector<ModelRow>& rows) {
  MsgpackWriter out;
  out.Array(static_cast<uint32_t>(rows.size()));
  for (const ModelRow& row : rows) {
    const auto tags = static_cast<uint32_t>(row.tags.size());
    out.Map(tags > 0 ? 4 : 3).Text("m").Text(row.measurement).Text("t").Int(row.time);
    if (tags > 0) out.Text("tags").Map(tags);
    for (const auto& [name, value] : row.tags) out.Text(name).Text(value);
    out.Text("fields").Map(static_cast<uint32_t>(row.fields.size()));
    for (const auto& [name, value] : row.fields) {
      out.Text(name);
      Write(value, out);
    }
  }
  return out.bytes();
}

// One block; a name is either a tag or a field in it.
std::string AsMsgpackColumns(const std::vector<ModelRow>& rows) {
  std::set<std::string> tags, fields;
  for (const ModelRow& row : rows) {
    for (const auto& [name, value] : row.tags) tags.insert(name);
    for (const auto& [name, value] : row.fields) fields.insert(name);
  }
  const auto count = static_cast<uint32_t>(rows.size());
  MsgpackWriter out;
  out.Map(3).Text("columns").Map(static_cast<uint32_t>(1 + tags.size() + fields.size()));
  for (const std::string& name : tags) {
    out.Text(name).Array(count);
    for (const ModelRow& row : rows) row.tags.contains(name) ? out.Text(row.tags.at(name)) : out.Nil();
  }
  for (const std::string& name : fields) {
    out.Text(name).Array(count);
    for (const ModelRow& row : rows) row.fields.contains(name) ? Write(row.fields.at(name), out) : void(out.Nil());
  }
  out.Text("time").Array(count);
  for (const ModelRow& row : rows) out.Int(row.time);
  out.Text("m").Text("m").Text("tag_keys").Array(static_cast<uint32_t>(tags.size()));
  for (const std::string& name : tags) out.Text(name);
  return out.bytes();
}

std::string AsJsonRows(const std::vector<ModelRow>& rows) {
  std::string out = "[";
  for (const ModelRow& row : rows) {
    if (out.size() > 1) out += ",\n";
    out += "{\"m\":";
    AppendJsonString(row.measurement, &out);
    out += ",\"t\":" + std::to_string(row.time) + ",\"tags\":{";
    for (const auto& [name, value] : row.tags) {
      if (out.back() != '{') out += ",";
      AppendJsonString(name, &out);
      out += ":";
      AppendJsonString(value, &out);
    }
    out += "},\"fields\":{";
    for (const auto& [name, value] : row.fields) {
      if (out.back() != '{') out += ",";
      AppendJsonString(name, &out);
      out += ":";
      if (const auto* whole = std::get_if<int64_t>(&value)) out += std::to_string(*whole);
      if (const auto* real = std::get_if<double>(&value)) out += DoubleText(*real);
      if (const auto* truth = std::get_if<bool>(&value)) out += *truth ? "true" : "false";
      if (const auto* text = std::get_if<std::string>(&value)) AppendJsonString(*text, &out);
    }
    out += "}}";
  }
  return out + "]";
}

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

struct NameSets {
  std::set<std::string> tags, fields;
};

// One table: a name is a tag or a field, a field has one kind, and texts look like nothing else.
NameSets MakeTable(std::vector<ModelRow>* rows) {
  NameSets names;
  std::map<std::string, size_t> kinds;
  for (ModelRow& row : *rows) {
    std::map<std::string, std::string> tags;
    for (const auto& [name, value] : row.tags) tags["tag " + name] = value;
    row.tags = tags;
    for (auto& [name, value] : row.fields) {
      if (auto* text = std::get_if<std::string>(&value)) text->insert(0, "text");
    }
    std::erase_if(row.fields, [&](const auto& field) {
      const size_t kind = std::max<size_t>(field.second.index(), 1);  // integers and doubles are both numbers
      return kinds.emplace(field.first, kind).first->second != kind;
    });
    for (const auto& [name, value] : row.tags) names.tags.insert(name);
    for (const auto& [name, value] : row.fields) names.fields.insert(name);
  }
  return names;
}

std::string AsCsv(const std::vector<ModelRow>& rows, const NameSets& names) {
  std::string out;
  for (const std::string& name : names.tags) out += Quoted(name) + ";";
  for (const std::string& name : names.fields) out += Quoted(name) + ";";
  out += "time\r\n";
  for (const ModelRow& row : rows) {
    for (const std::string& name : names.tags) out += (row.tags.contains(name) ? Quoted(row.tags.at(name)) : "") + ";";
    for (const std::string& name : names.fields) {
      if (const auto found = row.fields.find(name); found != row.fields.end()) {
        if (const auto* whole = std::get_if<int64_t>(&found->second)) out += std::to_string(*whole);
        if (const auto* real = std::get_if<double>(&found->second)) out += DoubleText(*real);
        if (const auto* truth = std::get_if<bool>(&found->second)) out += *truth ? "true" : "False";
        if (const auto* text = std::get_if<std::string>(&found->second)) out += Quoted(*text);
      }
      out += ";";
    }
    out += std::to_string(row.time) + "\r\n";
  }
  return out;
}

template <typename Builder, typename T>
std::shared_ptr<arrow::Array> FieldArray(const std::vector<ModelRow>& rows, size_t first, size_t end,
                                         const std::string& name) {
  Builder builder;
  for (size_t i = first; i < end; ++i) {
    const auto found = rows[i].fields.find(name);
    const T* value = found == rows[i].fields.end() ? nullptr : std::get_if<T>(&found->second);
    ARC_CHECK((value != nullptr ? builder.Append(*value) : builder.AppendNull()).ok());
  }
  return *builder.Finish();
}

// Record batches of `step` rows; a field of integers and doubles keeps its integers only.
std::string AsArrow(const std::vector<ModelRow>& rows, const NameSets& names, size_t step) {
  const auto batch = [&](int at) {
    const size_t first = static_cast<size_t>(at) * step;
    const size_t end = std::min(rows.size(), first + step);
    std::vector<NamedArray> columns;
    arrow::TimestampBuilder time(arrow::timestamp(arrow::TimeUnit::MILLI), arrow::default_memory_pool());
    for (size_t i = first; i < end; ++i) ARC_CHECK(time.Append(rows[i].time).ok());
    columns.push_back({"time", *time.Finish()});
    for (const std::string& name : names.tags) {
      arrow::StringDictionary32Builder tag;
      for (size_t i = first; i < end; ++i) {
        const auto found = rows[i].tags.find(name);
        ARC_CHECK((found == rows[i].tags.end() ? tag.AppendNull() : tag.Append(found->second)).ok());
      }
      columns.push_back({name, *tag.Finish()});
    }
    for (const std::string& name : names.fields) {
      size_t kind = 0;
      for (const ModelRow& row : rows) {
        if (const auto found = row.fields.find(name); found != row.fields.end()) kind = found->second.index();
      }
      switch (kind) {
        case 0: columns.push_back({name, FieldArray<arrow::Int64Builder, int64_t>(rows, first, end, name)}); break;
        case 1: columns.push_back({name, FieldArray<arrow::DoubleBuilder, double>(rows, first, end, name)}); break;
        case 2: columns.push_back({name, FieldArray<arrow::BooleanBuilder, bool>(rows, first, end, name)}); break;
        default: columns.push_back({name, FieldArray<arrow::StringBuilder, std::string>(rows, first, end, name)});
      }
    }
    return columns;
  };
  return ArrowStreamOf(static_cast<int>((rows.size() + step - 1) / step), batch);
}

void ExpectRows(const Result<WriteRequest>& decoded, const std::vector<ModelRow>& rows, uint64_t seed,
                const char* format) {
  ASSERT_TRUE(decoded.ok()) << format << ", seed " << seed << ": " << decoded.error().message;
  ASSERT_EQ(BrokenRequest(*decoded), "") << format << ", seed " << seed;
  ASSERT_TRUE(decoded->errors.empty()) << format << ", seed " << seed << ": " << decoded->errors[0].message;
  const std::vector<ModelRow> got = RowsOf(*decoded);
  ASSERT_EQ(got.size(), rows.size()) << format << ", seed " << seed;
  for (size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(got[i], rows[i]) << format << ", seed " << seed << ", row " << i;
}

TEST(Property, RowsDecodeToThemselves) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    Generator generator(seed);
    std::vector<ModelRow> rows = generator.Rows(/*one_measurement=*/false);
    ExpectRows(DecodeMsgpack(AsMsgpackRows(rows), {}), rows, seed, "MessagePack rows");
    ExpectRows(DecodeJson(AsJsonRows(rows), {}), rows, seed, "JSON rows");
    for (ModelRow& row : rows) row.measurement.insert(0, "m");  // # would begin a comment
    ExpectRows(DecodeLineProtocol(AsLines(rows), {TimePrecision::kMillis, 0}), rows, seed, "line protocol");
    if (HasFatalFailure()) return;
  }
}

TEST(Property, ColumnsDecodeToThemselves) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    Generator generator(seed);
    std::vector<ModelRow> rows = generator.Rows(/*one_measurement=*/true);
    for (ModelRow& row : rows) {
      std::map<std::string, std::string> tags;
      for (const auto& [name, value] : row.tags) tags["tag " + name] = value;
      row.tags = tags;
    }
    ExpectRows(DecodeMsgpack(AsMsgpackColumns(rows), {}), rows, seed, "MessagePack columns");
    if (HasFatalFailure()) return;
  }
}

TEST(Property, TablesDecodeToThemselves) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    Generator generator(seed);
    std::vector<ModelRow> rows = generator.Rows(/*one_measurement=*/true);
    const NameSets names = MakeTable(&rows);
    if (names.fields.empty()) continue;
    CsvOptions csv;
    csv.table.measurement = "m";
    csv.table.tags = std::vector<std::string>(names.tags.begin(), names.tags.end());
    csv.table.precision = TimePrecision::kMillis;
    csv.delimiter = ';';
    ExpectRows(DecodeCsv(AsCsv(rows, names), csv), rows, seed, "CSV");
    if (HasFatalFailure()) return;

    // An Arrow column has one type.
    std::map<std::string, size_t> kinds;
    for (const ModelRow& row : rows) {
      for (const auto& [name, value] : row.fields) kinds[name] = value.index();
    }
    for (ModelRow& row : rows) {
      std::erase_if(row.fields, [&](const auto& field) { return field.second.index() != kinds[field.first]; });
    }
    ExpectRows(DecodeArrow(AsArrow(rows, names, 1 + seed % 90), csv.table), rows, seed, "Arrow");
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace arc
