// Structured logging: one JSON object per line on stderr, {"time","level","room","message",...fields}.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace arc {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// One key of a log line. Numbers and booleans are written bare, strings quoted and escaped.
struct LogField {
  LogField(std::string_view key, std::string_view value);
  LogField(std::string_view key, const char* value) : LogField(key, std::string_view(value)) {}
  LogField(std::string_view key, const std::string& value) : LogField(key, std::string_view(value)) {}
  LogField(std::string_view key, double value);
  LogField(std::string_view key, bool value);
  LogField(std::string_view key, int64_t value);
  LogField(std::string_view key, uint64_t value);
  LogField(std::string_view key, int value) : LogField(key, static_cast<int64_t>(value)) {}
  std::string_view key;
  std::string json;
};

// Thread-safe. Lines below the level set are dropped before formatting.
void Log(LogLevel level, std::string_view room, std::string_view message, std::initializer_list<LogField> fields = {});
void SetLogLevel(LogLevel level);
bool LogEnabled(LogLevel level);

// Appends `text` to `out` as a JSON string with quotes; invalid UTF-8 becomes U+FFFD.
void AppendJsonString(std::string_view text, std::string* out);

}  // namespace arc
