// The settings of section [storage], and what has to hold between them.
#pragma once

#include <string>
#include <vector>

#include "arc/server/settings.h"
#include "arc/server/store_section.h"

namespace arc {

std::vector<Setting> StorageSettings();

// What is wrong with the settings of the section's backend, one line each, with the setting's name; none when all is
// well. Looks at the values only, asks no store.
std::vector<std::string> StoreProblems(const StoreSection& store);

}  // namespace arc
