// --arc, --url and what belongs to them; every subcommand takes them.
#pragma once

namespace CLI {
class App;
}

namespace arc::bench {

struct TargetOptions;

void AddTargetOptions(CLI::App& command, TargetOptions* target);

}  // namespace arc::bench
