// The settings of section [storage], and what has to hold between them.
#pragma once

#include <string>
#include <vector>

#include "arc/server/config.h"
#include "arc/server/settings.h"

namespace arc {

std::vector<Setting> StorageSettings();

// What is wrong with the settings of the chosen backend, one line each, with the setting's name; none when all is well.
// Looks at the values only, asks no store.
std::vector<std::string> StorageProblems(const Config& config);

}  // namespace arc
