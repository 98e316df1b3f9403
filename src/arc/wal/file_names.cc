#include "arc/wal/file_names.h"

#include <charconv>
#include <cstdio>

namespace arc {
namespace {

bool TakePrefix(std::string_view prefix, std::string_view* text) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

bool TakeSuffix(std::string_view suffix, std::string_view* text) {
  if (!text->ends_with(suffix)) return false;
  text->remove_suffix(suffix.size());
  return true;
}

// Takes the digits at the front of `text`.
template <typename T>
bool TakeNumber(std::string_view* text, T* value) {
  if (text->empty() || (*text)[0] < '0' || (*text)[0] > '9') return false;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *value);
  if (error != std::errc()) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return true;
}

std::string Padded(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof(text), "%020llu", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

std::string SegmentName(Lsn base) { return "segment_" + Padded(base.value) + ".arrow"; }

std::optional<Lsn> ParseSegmentName(std::string_view name) {
  Lsn base;
  if (name.size() != SegmentName(base).size() || !TakePrefix("segment_", &name) || !TakeNumber(&name, &base.value) ||
      name != ".arrow") {
    return std::nullopt;
  }
  return base;
}

std::string SpareName(uint64_t number) { return "spare_" + std::to_string(number) + ".arrow"; }

std::optional<uint64_t> ParseSpareName(std::string_view name) {
  uint64_t number;
  if (!TakePrefix("spare_", &name) || !TakeNumber(&name, &number) || name != ".arrow") return std::nullopt;
  return number;
}

std::string RetiredName::ToString() const {
  return "segment_" + Padded(base.value) + "_" + Padded(last.value) + "_" + std::to_string(retired_ms) + ".arrow." +
         (recovered ? "recovered" : "archived");
}

std::optional<RetiredName> ParseRetiredName(std::string_view name) {
  RetiredName retired;
  retired.recovered = TakeSuffix(".recovered", &name);
  if (!retired.recovered && !TakeSuffix(".archived", &name)) return std::nullopt;
  if (!TakeSuffix(".arrow", &name) || !TakePrefix("segment_", &name) || !TakeNumber(&name, &retired.base.value) ||
      !TakePrefix("_", &name) || !TakeNumber(&name, &retired.last.value) || !TakePrefix("_", &name) ||
      !TakeNumber(&name, &retired.retired_ms) || !name.empty()) {
    return std::nullopt;
  }
  return retired;
}

}  // namespace arc
