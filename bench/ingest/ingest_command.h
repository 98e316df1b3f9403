// The command line of `arc-bench ingest`.
#pragma once

namespace CLI {
class App;
}

namespace arc::bench {

struct TargetOptions;

// Adds the subcommand; running it sets `status`: 0 when every acknowledged record was found and nothing was refused.
void AddIngestCommand(CLI::App& app, int* status);

// --arc, --url and what belongs to them; every bench takes them.
void AddTargetOptions(CLI::App& command, TargetOptions* target);

}  // namespace arc::bench
