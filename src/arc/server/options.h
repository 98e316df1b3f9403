// From the configuration to the options of the engine and the HTTP server.
#pragma once

#include <chrono>

#include "arc/base/log.h"
#include "arc/engine/engine.h"
#include "arc/http/server.h"
#include "arc/server/config.h"

namespace arc {

EngineOptions EngineOptionsOf(const Config& config);
HttpOptions HttpOptionsOf(const Config& config);
LogLevel LogLevelOf(const Config& config);
std::chrono::milliseconds StopLimitOf(const Config& config);

}  // namespace arc
