// The command line of `arc-bench ingest`.
#pragma once

namespace CLI {
class App;
}

namespace arc::bench {

// Adds the subcommand; running it sets `status`: 0 when every acknowledged record was found and nothing was refused.
void AddIngestCommand(CLI::App& app, int* status);

}  // namespace arc::bench
