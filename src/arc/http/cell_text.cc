#include "arc/http/cell_text.h"

#include <arrow/extension_type.h>
#include <arrow/util/key_value_metadata.h>
#include <emmintrin.h>
#include <simdjson.h>

#include <cstring>
#include <string>

#include "arc/base/log.h"
#include "arc/http/cell_writers.h"

namespace arc {
namespace {

uint64_t WordAt(const char* text) {
  uint64_t word = 0;
  std::memcpy(&word, text, 8);
  return word;
}

// Whether none of the eight characters is one that JSON escapes or not ASCII. Each test borrows from a higher byte only
// where a lower one has failed already.
bool IsPlain(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  auto below = [](uint64_t value, uint64_t limit) { return value - kOnes * limit; };
  uint64_t special = below(word, 0x20) | below(word ^ kOnes * '"', 1) | below(word ^ kOnes * '\\', 1) | word;
  return (special & kOnes * 0x80) == 0;
}

// Bytes of `text` before the first that JSON escapes or that is not ASCII.
size_t PlainPrefix(const char* text, size_t size) {
  size_t i = 0;
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i slash = _mm_set1_epi8('\\');
  const __m128i blank = _mm_set1_epi8(0x20);
  for (; i + 16 <= size; i += 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + i));
    // Signed compare: control characters and everything from 0x80 are below the blank.
    __m128i special = _mm_or_si128(_mm_cmplt_epi8(bytes, blank),
                                   _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)));
    if (int mask = _mm_movemask_epi8(special); mask != 0)
      return i + static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(mask)));
  }
  // Most texts are shorter than that: two words that overlap tell about all of one.
  if (size >= 8 && i == 0) {
    if (IsPlain(WordAt(text)) && IsPlain(WordAt(text + size - 8))) return size;
  } else if (size >= 4 && size < 8) {
    uint32_t first = 0;
    uint32_t last = 0;
    std::memcpy(&first, text, 4);
    std::memcpy(&last, text + size - 4, 4);
    if (IsPlain(uint64_t{last} << 32 | first)) return size;
  }
  for (; i < size; ++i) {
    auto c = static_cast<signed char>(text[i]);
    if (c < 0x20 || c == '"' || c == '\\') break;
  }
  return i;
}

void AppendEscaped(unsigned char c, OutputText* out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  switch (c) {
    case '"': return out->Append("\\\"");
    case '\\': return out->Append("\\\\");
    case '\n': return out->Append("\\n");
    case '\r': return out->Append("\\r");
    case '\t': return out->Append("\\t");
    default: {
      const char text[6] = {'\\', 'u', '0', '0', kDigits[c >> 4], kDigits[c & 15]};
      return out->Append({text, 6});
    }
  }
}

std::string MetadataOf(const arrow::Field& field, const char* key) {
  if (field.metadata() == nullptr) return {};
  return field.metadata()->Get(key).ValueOr("");
}

// The writer that an extension type's name asks for; null: write the storage as it is.
std::unique_ptr<CellWriter> MakeExtensionCell(std::string_view name, std::string_view detail,
                                              const std::shared_ptr<arrow::Array>& storage, CellFormat format) {
  bool sixteen = storage->type_id() == arrow::Type::FIXED_SIZE_BINARY &&
                 static_cast<const arrow::FixedSizeBinaryType&>(*storage->type()).byte_width() == 16;
  if (name == "arrow.uuid" && sixteen) return MakeUuidCell(storage, format);
  if (name == "arrow.bool8" && storage->type_id() == arrow::Type::INT8) return MakeBool8Cell(storage, format);
  if (name == "arrow.opaque" && sixteen && detail.find("hugeint") != std::string_view::npos) {
    return MakeHugeIntCell(storage, detail.find("uhugeint") == std::string_view::npos, format);
  }
  return nullptr;
}

}  // namespace

void AppendJsonCell(std::string_view text, OutputText* out) {
  out->Put('"');
  size_t plain = PlainPrefix(text.data(), text.size());
  if (plain < text.size() && !simdjson::validate_utf8(text.data(), text.size())) {
    std::string repaired;
    AppendJsonString(text, &repaired);
    out->Append(std::string_view(repaired).substr(1));
    return;
  }
  while (true) {
    out->Append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    // A run of non-ASCII, known to be well-formed, or one character to escape.
    size_t high = 0;
    while (high < text.size() && static_cast<unsigned char>(text[high]) >= 0x80) ++high;
    if (high > 0) {
      out->Append(text.substr(0, high));
      text.remove_prefix(high);
    } else {
      AppendEscaped(static_cast<unsigned char>(text.front()), out);
      text.remove_prefix(1);
    }
    plain = PlainPrefix(text.data(), text.size());
  }
  out->Put('"');
}

void AppendCsvCell(std::string_view text, OutputText* out) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) return out->Append(text);
  out->Put('"');
  while (true) {
    size_t quote = text.find('"');
    out->Append(text.substr(0, quote));
    if (quote == std::string_view::npos) break;
    out->Append("\"\"");
    text.remove_prefix(quote + 1);
  }
  out->Put('"');
}

Result<std::unique_ptr<CellWriter>> MakeCellWriter(const arrow::Field& field,
                                                   const std::shared_ptr<arrow::Array>& array, CellFormat format) {
  if (array->type_id() == arrow::Type::EXTENSION) {
    const auto& type = static_cast<const arrow::ExtensionType&>(*array->type());
    const auto& storage = static_cast<const arrow::ExtensionArray&>(*array).storage();
    if (auto made = MakeExtensionCell(type.extension_name(), type.Serialize(), storage, format)) return made;
    return MakeCellWriter(*arrow::field(field.name(), storage->type()), storage, format);
  }
  if (std::string name = MetadataOf(field, "ARROW:extension:name"); !name.empty()) {
    auto made = MakeExtensionCell(name, MetadataOf(field, "ARROW:extension:metadata"), array, format);
    if (made != nullptr) return made;
  }
  if (auto scalar = MakeScalarCell(array, format)) return scalar;
  if (auto time = MakeTimeCell(array, format)) return time;
  ARC_ASSIGN_OR_RETURN(std::unique_ptr<CellWriter> nested, MakeNestedCell(array, format));
  if (nested != nullptr) return nested;
  return MakeError(ErrorKind::kUnsupported, "column \"" + field.name() + "\" has the type " +
                                                array->type()->ToString() + ", which has no text form");
}

}  // namespace arc
