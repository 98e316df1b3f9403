// What one call of a text function may cost, told from its arguments before it is made. All of them are upper bounds in
// time linear in the argument; a double, so that no product overflows.
#pragma once

#include <string_view>

namespace arc {

// Bytes that format('…') (`{:10}`) or printf('…') (`%10d`) can make beyond the texts put in: widths and precisions.
struct FormatCost {
  double bytes = 0;
  double places = 0;          // values put in
  bool takes_widths = false;  // `{:{}}`, `%*d`: arguments are widths
};
FormatCost CostOfFormat(std::string_view format);
FormatCost CostOfPrintf(std::string_view format);

// Instructions of the automaton: letters and sets, repeated as often as `{n,m}` says.
double SizeOfRegex(std::string_view pattern);

// References to groups (`\1`) in the replacement of a regular expression.
double CountGroupReferences(std::string_view replacement);

// How deep arrays and objects of a JSON text nest.
double DepthOfJson(std::string_view text);

}  // namespace arc
