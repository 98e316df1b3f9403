#include "arc/base/log.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cmath>

#include "arc/base/clock.h"

namespace arc {
namespace {

std::atomic<LogLevel> g_level{LogLevel::kInfo};

spdlog::logger& Sink() {
  static auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("arc", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "error";
}

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none (RFC 3629).
size_t Utf8Length(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  auto tail = [&](size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!tail(1) || !tail(2) || (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f)) return 0;
    return 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (!tail(1) || !tail(2) || !tail(3) || (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) {
      return 0;
    }
    return 4;
  }
  return 0;
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  out->push_back('"');
  while (!text.empty()) {
    char c = text.front();
    size_t length = 1;
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (c == '\n') {
      *out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      *out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else if (static_cast<unsigned char>(c) < 0x80) {
      out->push_back(c);
    } else if ((length = Utf8Length(text)) > 0) {
      out->append(text.substr(0, length));
    } else {
      *out += "\xef\xbf\xbd";
      length = 1;
    }
    text.remove_prefix(length);
  }
  out->push_back('"');
}

LogField::LogField(std::string_view k, std::string_view value) : key(k) { AppendJsonString(value, &json); }
LogField::LogField(std::string_view k, double value)
    : key(k), json(std::isfinite(value) ? fmt::format("{}", value) : "null") {}
LogField::LogField(std::string_view k, bool value) : key(k), json(value ? "true" : "false") {}
LogField::LogField(std::string_view k, int64_t value) : key(k), json(fmt::format("{}", value)) {}
LogField::LogField(std::string_view k, uint64_t value) : key(k), json(fmt::format("{}", value)) {}

bool LogEnabled(LogLevel level) { return level >= g_level.load(std::memory_order_relaxed); }
void SetLogLevel(LogLevel level) { g_level.store(level, std::memory_order_relaxed); }

void Log(LogLevel level, std::string_view room, std::string_view message, std::initializer_list<LogField> fields) {
  if (!LogEnabled(level)) return;
  int64_t micros = SystemClock().WallMicros();
  std::time_t seconds = micros / 1'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::string line = fmt::format(
      "{{\"time\":\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z\",\"level\":\"{}\",\"room\":\"{}\",\"message\":",
      utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, micros / 1000 % 1000,
      LevelName(level), room);
  AppendJsonString(message, &line);
  for (const auto& field : fields) {
    line += ',';
    AppendJsonString(field.key, &line);
    line += ':';
    line += field.json;
  }
  line += '}';
  Sink().log(spdlog::level::critical, line);
}

}  // namespace arc
