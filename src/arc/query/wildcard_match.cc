#include "arc/query/wildcard_match.h"

#include <cstddef>

namespace arc {
namespace {

// Where a match has come to.
struct Place {
  size_t text = 0;
  size_t pattern = 0;
};

// `star` matches any bytes; `step` moves a place over one other element of the pattern, false if it does not match. No
// element may end before another that began before it. Then the first place where what stands between two stars matches
// is as good as any later one, so only the last star is ever tried again.
template <typename Step>
bool Match(std::string_view text, std::string_view pattern, std::optional<char> star, Step step) {
  auto skip_stars = [&](size_t at) {
    while (at < pattern.size() && pattern[at] == star) ++at;
    return at;
  };
  Place at;
  std::optional<Place> retry;  // behind the last star
  while (at.text < text.size()) {
    if (at.pattern < pattern.size() && pattern[at.pattern] == star) {
      at.pattern = skip_stars(at.pattern);
      if (at.pattern == pattern.size()) return true;
      retry = at;
      continue;
    }
    Place next = at;
    if (at.pattern < pattern.size() && step(&next)) {
      at = next;
      continue;
    }
    if (!retry) return false;
    ++retry->text;
    at = *retry;
  }
  return skip_stars(at.pattern) == pattern.size();
}

bool ContinuesCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

char LowerAscii(char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte; }

// Behind the `[` of a set.
bool StepOverSet(std::string_view text, std::string_view pattern, Place* at) {
  const char byte = text[at->text];
  size_t p = at->pattern;
  const bool inverted = p < pattern.size() && pattern[p] == '!';
  if (inverted) ++p;
  const size_t first = p;
  bool found = false;
  while (p < pattern.size()) {
    if (pattern[p] == ']' && p > first) {
      *at = {at->text + 1, p + 1};
      return found != inverted;
    }
    if (p + 1 == pattern.size()) return false;
    if (pattern[p + 1] == '-') {
      if (p + 2 == pattern.size()) return false;
      found = found || (byte >= pattern[p] && byte <= pattern[p + 2]);
      p += 3;
    } else {
      found = found || byte == pattern[p];
      ++p;
    }
  }
  return false;
}

}  // namespace

bool MatchesLike(std::string_view text, std::string_view pattern, std::optional<char> escape) {
  const std::optional<char> star = escape == '%' ? std::nullopt : std::optional<char>('%');
  return Match(text, pattern, star, [&](Place* at) {
    char wanted = pattern[at->pattern++];
    if (wanted == escape) {
      if (at->pattern == pattern.size()) return false;
      wanted = pattern[at->pattern++];
    } else if (wanted == '_') {
      ++at->text;
      while (at->text < text.size() && ContinuesCharacter(text[at->text])) ++at->text;
      return true;
    }
    return text[at->text++] == wanted;
  });
}

bool MatchesLikeIgnoringCase(std::string_view text, std::string_view pattern) {
  return Match(text, pattern, '%', [&](Place* at) {
    const char wanted = pattern[at->pattern++];
    const char byte = text[at->text++];
    return wanted == '_' || LowerAscii(byte) == LowerAscii(wanted);
  });
}

bool MatchesGlob(std::string_view text, std::string_view pattern) {
  return Match(text, pattern, '*', [&](Place* at) {
    char wanted = pattern[at->pattern++];
    if (wanted == '[') return StepOverSet(text, pattern, at);
    if (wanted == '\\') {
      if (at->pattern == pattern.size()) return false;
      wanted = pattern[at->pattern++];
    } else if (wanted == '?') {
      ++at->text;
      return true;
    }
    return text[at->text++] == wanted;
  });
}

}  // namespace arc
