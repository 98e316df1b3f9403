// The command line of `arc-bench query`.
#pragma once

namespace CLI {
class App;
}

namespace arc::bench {

// Adds the subcommand; running it sets `status`: 0 when every answer had the rows it should have.
void AddQueryCommand(CLI::App& app, int* status);

}  // namespace arc::bench
