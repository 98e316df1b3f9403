// Where one item of a JSON file ends.
#pragma once

#include <string_view>

namespace arc {

// Bytes that may stand between items: blanks, commas, and the brackets of the array around them.
bool IsBetweenJsonItems(char c);

// The length of the object at the start of `text`; 0 when the text ends within it. Quotes and escapes are looked at,
// nothing else: whether it is sound JSON is the server's to say.
size_t JsonObjectLength(std::string_view text);

}  // namespace arc
