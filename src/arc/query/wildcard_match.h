// LIKE and GLOB in time that is bounded by text times pattern. DuckDB's own matchers call themselves for every
// wildcard: the ninth `%` of a pattern keeps them busy for days, the hundred-thousandth overflows the stack.
#pragma once

#include <optional>
#include <string_view>

namespace arc {

// `%` matches any bytes, `_` one character (of UTF-8), what follows `escape` itself. False, too, where a pattern that
// ends with its escape is read to its end.
bool MatchesLike(std::string_view text, std::string_view pattern, std::optional<char> escape);

// The same without regard to the case of ASCII letters; both are ASCII.
bool MatchesLikeIgnoringCase(std::string_view text, std::string_view pattern);

// `*` matches any bytes, `?` one byte, `[a-z]` and `[!a-z]` one byte of a set, what follows a backslash itself.
bool MatchesGlob(std::string_view text, std::string_view pattern);

}  // namespace arc
