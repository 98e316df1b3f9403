// The settings of section [tiering], and what has to hold between them.
#pragma once

#include <string>
#include <vector>

#include "arc/engine/engine.h"
#include "arc/server/config.h"
#include "arc/server/settings.h"

namespace arc {

std::vector<Setting> TieringSettings();

// What is wrong with them, one line each, with the setting's name; none when all is well. Asks no store.
std::vector<std::string> TieringProblems(const Config& config);

// Of a configuration without problems.
TieringOptions TieringOptionsOf(const Config& config);

// "lake=90, lake/cpu=7": names as they are in the store's folders, percent-encoded. kInvalidArgument saying where.
Result<std::vector<HotAge>> ParseHotAges(std::string_view text);

}  // namespace arc
