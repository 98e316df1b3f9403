#include "arc/decode/line_decoder.h"

#include <tmmintrin.h>

#include <algorithm>
#include <utility>

#include "arc/decode/number_text.h"

namespace arc {
namespace {

constexpr std::string_view kMeasurementEscapes = ", ";
constexpr std::string_view kKeyEscapes = ",= ";

__m128i Load(const char* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }

// Bit i set: byte i of the 16 at `p` is one of , = space newline backslash. Each byte's low nibble picks the only one
// of the first four that it can be (the backslash shares its nibble with the comma); NUL picks the blank.
uint32_t TagStops(const char* p) {
  const __m128i expected = _mm_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, 0, '\n', 0, ',', '=', 0, 0);
  const __m128i bytes = Load(p);
  const __m128i hits = _mm_or_si128(_mm_cmpeq_epi8(_mm_shuffle_epi8(expected, bytes), bytes),
                                    _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
  return static_cast<uint32_t>(_mm_movemask_epi8(hits));
}

// Bit i set: byte i of the 16 at `p` is a quote, a backslash or a newline.
uint32_t StringStops(const char* p) {
  const __m128i bytes = Load(p);
  const __m128i hits =
      _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
                   _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')));
  return static_cast<uint32_t>(_mm_movemask_epi8(hits));
}

bool Contains(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

// Behind an escaped or literal run: the first byte from `p` on that is in `stops` or a newline and not escaped.
const char* ScanName(const char* p, std::string_view stops, std::string_view escapes) {
  for (;; ++p) {
    if (*p == '\\' && Contains(escapes, p[1])) {
      ++p;
    } else if (*p == '\n' || Contains(stops, *p)) {
      return p;
    }
  }
}

bool Are19Digits(const char* p) {
  const __m128i last = _mm_set1_epi8(9), zero = _mm_set1_epi8('0');
  const __m128i first = _mm_sub_epi8(Load(p), zero), second = _mm_sub_epi8(Load(p + 3), zero);
  const __m128i worst = _mm_max_epu8(first, second);
  return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(worst, last), last)) == 0xFFFF;
}

bool AtLineEnd(const char* p) { return *p == '\n' || (*p == '\r' && p[1] == '\n'); }

}  // namespace

std::nullptr_t LineDecoder::Fault(const char* at, std::string what) {
  // The rest of the line, as far as the text goes.
  const auto* stop = static_cast<const char*>(
      std::memchr(at, '\n', static_cast<size_t>(std::max<ptrdiff_t>(0, last_newline_ - at + 1))));
  std::string_view rest(at, stop == nullptr ? 0 : static_cast<size_t>(stop - at));
  if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
  error_ = std::move(what) + " at column " + std::to_string(at - record_ + 1) + ": " +
           (rest.empty() ? std::string("end of line") : Snippet(rest));
  refused_ = Added::kFault;
  return nullptr;
}

[[gnu::noinline]] std::nullptr_t LineDecoder::Refused(const char* at, Added added, std::string_view what,
                                                      std::string_view name) {
  refused_ = added;
  if (added != Added::kConflict) {
    error_ = DescribeRefusal(added, what, name) + " at column " + std::to_string(at - record_ + 1);
  }
  return nullptr;
}

const char* LineDecoder::LimitOf(std::string_view text) const {
  return text.data() == scratch_.data() ? text.data() + text.size() : last_newline_ + kReadAhead;
}

std::string_view LineDecoder::Unescape(const char* begin, const char* end, std::string_view set) {
  const std::string_view raw(begin, static_cast<size_t>(end - begin));
  if (!Contains(raw, '\\')) return raw;
  scratch_.clear();
  for (const char* p = begin; p < end; ++p) {
    if (*p == '\\' && p + 1 < end && Contains(set, p[1])) ++p;
    scratch_ += *p;
  }
  return scratch_;
}

MeasurementBuilder* LineDecoder::Measurement(const char** p) {
  MeasurementBuilder** link = nullptr;
  if (measurement_ != nullptr) {
    link = &measurement_->next;
    MeasurementBuilder* guess = *link;
    if (guess != nullptr && guess->key.Matches(*p)) {
      const char after = (*p)[guess->key.size()];
      if (after == ',' || after == ' ') {
        *p += guess->key.size();
        return measurement_ = guess;
      }
    }
  }
  const char* end = ScanName(*p, kMeasurementEscapes, kMeasurementEscapes);
  if (end == *p) return Fault(end, "missing measurement");
  if (*end == '\n') return Fault(end, "missing fields");
  const std::string_view name = Unescape(*p, end, kMeasurementEscapes);
  Added why = Added::kOk;
  MeasurementBuilder* found = request_->Measurement(name, LimitOf(name), &why);
  if (found == nullptr) return Refused(*p, why, "measurement", name);
  found->key.Set({*p, static_cast<size_t>(end - *p)});
  if (found->next == nullptr) found->next = found;
  if (link != nullptr) *link = found;
  *p = end;
  return measurement_ = found;
}

ColumnBuilder* LineDecoder::NamedColumn(BatchBuilder& batch, ColumnRole role, const char** p) {
  const std::string_view what = RoleName(role);
  const char* end = ScanName(*p, kKeyEscapes, kKeyEscapes);
  if (*end != '=') return Fault(end, "expected = behind the " + std::string(what) + " name");
  const std::string_view name = Unescape(*p, end, kKeyEscapes);
  Added why = Added::kOk;
  ColumnBuilder* column = batch.Column(name, role, LimitOf(name), /*role_known=*/true, &why);
  if (column == nullptr) return Refused(*p, why, what, name);
  column->key.Set({*p, static_cast<size_t>(end + 1 - *p)});
  *p = end + 1;
  return column;
}

const char* LineDecoder::LongTagValue(ColumnBuilder& column, uint32_t row, const char* p) {
  const char* end = p;
  bool escaped = false;
  for (;;) {
    const uint32_t stops = TagStops(end);
    if (stops == 0) {
      end += 16;
      continue;
    }
    end += __builtin_ctz(stops);
    if (*end != '\\') break;
    const bool escape = Contains(kKeyEscapes, end[1]);
    escaped |= escape;
    end += escape ? 2 : 1;
  }
  if (end == p) return Fault(end, "missing value of tag " + Snippet(column.name()));
  if (*end != ',' && *end != ' ') {
    return Fault(end, *end == '=' ? "unescaped = in the value of tag " + Snippet(column.name()) : "missing fields");
  }
  const std::string_view raw(p, static_cast<size_t>(end - p));
  const std::string_view value = escaped ? Unescape(p, end, kKeyEscapes) : raw;
  const Added added = column.AddTag(row, value, LimitOf(value));
  return added == Added::kOk ? end : Refused(p, added, "tag", column.name());
}

[[gnu::always_inline]] inline const char* LineDecoder::TagValue(ColumnBuilder& column, uint32_t row, const char* p) {
  const uint32_t stops = TagStops(p);
  if (stops == 0) [[unlikely]]
    return LongTagValue(column, row, p);
  const auto size = static_cast<size_t>(__builtin_ctz(stops));
  const char after = p[size];
  if (size == 0 || (after != ',' && after != ' ')) [[unlikely]]
    return LongTagValue(column, row, p);
  const Added added = column.AddTag(row, {p, size}, p + 16);
  if (added != Added::kOk) [[unlikely]]
    return Refused(p, added, "tag", column.name());
  return p + size;
}

const char* LineDecoder::Tags(BatchBuilder& batch, const char* p, ColumnBuilder*** link) {
  const uint32_t row = batch.row();
  ColumnBuilder** next = *link;
  while (*p == ',') {
    ++p;
    ColumnBuilder* column = *next;
    if (column != nullptr && column->role() == ColumnRole::kTag && column->key.Matches(p)) [[likely]] {
      p += column->key.size();
    } else {
      column = NamedColumn(batch, ColumnRole::kTag, &p);
      if (column == nullptr) return nullptr;
      *next = column;
    }
    next = &column->next;
    p = TagValue(*column, row, p);
    if (p == nullptr) [[unlikely]]
      return nullptr;
  }
  *link = next;
  return p;
}

const char* LineDecoder::BoolValue(ColumnBuilder& column, uint32_t row, const char* p) {
  static constexpr std::string_view kTrue[] = {"t", "T", "true", "True", "TRUE"};
  static constexpr std::string_view kFalse[] = {"f", "F", "false", "False", "FALSE"};
  const char* end = p;
  while ((*end >= 'a' && *end <= 'z') || (*end >= 'A' && *end <= 'Z')) ++end;
  const std::string_view word(p, static_cast<size_t>(end - p));
  const bool truth = std::find(std::begin(kTrue), std::end(kTrue), word) != std::end(kTrue);
  if (!truth && std::find(std::begin(kFalse), std::end(kFalse), word) == std::end(kFalse)) {
    if (AtLineEnd(p) || *p == ',' || *p == ' ') return Fault(p, "missing value of field " + Snippet(column.name()));
    return Fault(p, "the value of field " + Snippet(column.name()) + " is no number, boolean or quoted string");
  }
  const Added added = column.AddBool(row, truth);
  return added == Added::kOk ? end : Refused(p, added, "field", column.name());
}

const char* LineDecoder::StringValue(ColumnBuilder& column, uint32_t row, const char* p) {
  const char* const begin = p + 1;
  const char* end = begin;
  bool escaped = false;
  for (;;) {
    if (end > last_newline_) {
      unterminated_ = final_;
      crosses_end_ = !final_;
      return Fault(p, "the quote is never closed in field " + Snippet(column.name()));
    }
    const uint32_t stops = StringStops(end);
    if (stops == 0) {
      end += 16;
      continue;
    }
    end += __builtin_ctz(stops);
    if (end > last_newline_) continue;
    if (*end == '"') break;
    if (*end == '\n') {
      ++inner_newlines_;
      ++end;
    } else {
      const bool escape = end[1] == '"' || end[1] == '\\';
      escaped |= escape;
      end += escape ? 2 : 1;
    }
  }
  const std::string_view value =
      escaped ? Unescape(begin, end, "\"\\") : std::string_view(begin, static_cast<size_t>(end - begin));
  const Added added = column.AddString(row, value);
  return added == Added::kOk ? end + 1 : Refused(p, added, "the value of field", column.name());
}

const char* LineDecoder::BadNumber(const ColumnBuilder& column, NumberFault fault, const char* p) {
  const std::string field = "field " + Snippet(column.name());
  if (fault == NumberFault::kOutOfRange) return Fault(p, "the number of " + field + " is out of range");
  if (fault == NumberFault::kNegativeUnsigned) return Fault(p, "the unsigned " + field + " is negative");
  return Fault(p, "the number of " + field + " is malformed");
}

[[gnu::always_inline]] inline const char* LineDecoder::FieldValue(ColumnBuilder& column, uint32_t row, const char* p) {
  const char c = *p;
  if ((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.') [[likely]] {
    const char* end = p;
    const NumberText number = ParseNumber(&end);
    if (number.fault != NumberFault::kNone) [[unlikely]]
      return BadNumber(column, number.fault, p);
    const Added added = column.AddNumber(row, number.bits, number.form);
    if (added != Added::kOk) [[unlikely]]
      return Refused(p, added, "field", column.name());
    return end;
  }
  return c == '"' ? StringValue(column, row, p) : BoolValue(column, row, p);
}

const char* LineDecoder::Fields(BatchBuilder& batch, const char* p, ColumnBuilder** link) {
  const uint32_t row = batch.row();
  for (;; ++p) {
    ColumnBuilder* column = *link;
    if (column != nullptr && column->role() == ColumnRole::kField && column->key.Matches(p)) [[likely]] {
      p += column->key.size();
    } else {
      column = NamedColumn(batch, ColumnRole::kField, &p);
      if (column == nullptr) return nullptr;
      *link = column;
    }
    link = &column->next;
    p = FieldValue(*column, row, p);
    if (p == nullptr) [[unlikely]]
      return nullptr;
    if (*p != ',') return p;
  }
}

const char* LineDecoder::Time(const char* p, int64_t* micros) {
  // The most frequent form: 19 digits of nanoseconds, of which the last three do not matter.
  if (options_.precision == TimePrecision::kNanos && *p == ' ' && p[20] == '\n' && Are19Digits(p + 1)) [[likely]] {
    const uint64_t high = CombineDigits(LoadDigits(p + 1), 8), low = CombineDigits(LoadDigits(p + 9), 8);
    const auto value = static_cast<int64_t>(high * 100'000'000 + low);
    if (value < std::numeric_limits<int64_t>::max() / 1000) [[likely]]
      return *micros = value, p + 20;
  }
  *micros = options_.server_time_micros;
  const char* begin = p;
  if (*p == ' ') {
    while (*p == ' ') ++p;
    begin = p;
    const bool negative = *p == '-';
    if (negative) ++p;
    uint64_t magnitude = 0;
    const int digits = ReadDigits(&p, &magnitude);
    if (digits > 0) {
      constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
      NumberText number;
      if (digits > 19) [[unlikely]] {
        number = ParseLongInteger(begin, p, /*is_unsigned=*/false);
      } else if (magnitude > kMax + (negative ? 1 : 0)) [[unlikely]] {
        number.fault = NumberFault::kOutOfRange;
      } else {
        number.bits = negative ? ~magnitude + 1 : magnitude;
      }
      if (number.fault != NumberFault::kNone) return Fault(begin, "the timestamp is out of range");
      const auto converted = FastToMicros(static_cast<int64_t>(number.bits), options_.precision);
      if (!converted) {
        const std::string_view text(begin, static_cast<size_t>(p - begin));
        return Fault(begin, TimeOutOfRange(text, options_.precision));
      }
      *micros = *converted;
      while (*p == ' ' || *p == '\t') ++p;
    } else if (negative) {
      return Fault(begin, "malformed timestamp");
    }
    begin = p;
  }
  if (!AtLineEnd(p)) return Fault(begin, "unexpected text");
  return *p == '\n' ? p : p + 1;
}

Added LineDecoder::Row(BatchBuilder& batch, const char* p) {
  inner_newlines_ = 0;
  refused_ = Added::kOk;
  batch.BeginRow();
  ColumnBuilder** link = &batch.first;
  p = Tags(batch, p, &link);
  if (p == nullptr) [[unlikely]]
    return refused_;
  while (*p == ' ') ++p;
  if (AtLineEnd(p)) [[unlikely]]
    return Fault(p, "missing fields"), refused_;
  p = Fields(batch, p, link);
  if (p == nullptr) [[unlikely]]
    return refused_;
  int64_t micros = 0;
  p = Time(p, &micros);
  if (p == nullptr) [[unlikely]]
    return refused_;
  batch.CommitRow(micros, line_);
  record_end_ = p;
  return Added::kOk;
}

const char* EndOfLineRecord(const char* p, const char* last_newline) {
  // Quotes count only where a field's value begins: behind the first blank and an =.
  bool in_fields = false;
  for (bool quoted = false; p <= last_newline; ++p) {
    if (*p == '\\' && p < last_newline && p[1] != '\n') {
      ++p;
    } else if (quoted) {
      quoted = *p != '"';
    } else if (*p == '\n') {
      return p;
    } else if (*p == ' ') {
      in_fields = true;
    } else if (in_fields && *p == '=' && p[1] == '"') {
      quoted = true;
      ++p;
    }
  }
  return nullptr;
}

const char* LineDecoder::EndOfRecord(const char* p) const {
  const char* const end = EndOfLineRecord(p, last_newline_);
  if (end != nullptr || !final_) return end;
  return static_cast<const char*>(std::memchr(p, '\n', static_cast<size_t>(last_newline_ - p + 1)));
}

Result<bool> LineDecoder::Record(const char** p) {
  record_ = *p;
  crosses_end_ = false;
  unterminated_ = false;
  const char* at = *p;
  MeasurementBuilder* measurement = Measurement(&at);
  Added added = Added::kFault;
  if (measurement != nullptr) {
    added = measurement->InSomeVariant([&](BatchBuilder& batch) { return Row(batch, at); });
    if (added == Added::kOk) [[likely]] {
      line_ += 1 + inner_newlines_;
      *p = record_end_ + 1;
      return true;
    }
    if (added == Added::kTooManyKinds) Refused(record_, added, "measurement", measurement->name());
  }
  if (crosses_end_) return false;
  const char* end = unterminated_ ? static_cast<const char*>(std::memchr(record_, '\n', last_newline_ - record_ + 1))
                                  : EndOfRecord(record_);
  if (end == nullptr) return false;
  ARC_RETURN_IF_ERROR(request_->AddError(line_, std::move(error_)));
  line_ += static_cast<uint32_t>(std::count(record_, end + 1, '\n'));
  *p = end + 1;
  return true;
}

Result<const char*> LineDecoder::Run(const char* p, const char* last_newline, bool final) {
  last_newline_ = last_newline;
  final_ = final;
  while (p <= last_newline) {
    const char* start = p;
    while (*p == ' ' || *p == '\t') ++p;
    if (AtLineEnd(p) || *p == '#') {
      p = static_cast<const char*>(std::memchr(p, '\n', static_cast<size_t>(last_newline - p + 1))) + 1;
      ++line_;
      continue;
    }
    ARC_ASSIGN_OR_RETURN(bool parsed, Record(&p));
    if (!parsed) return start;
  }
  return p;
}

}  // namespace arc
