// arc-bench: loads and queries a server over HTTP and measures it. How to run it: bench/README.md.
#include <CLI/CLI.hpp>

#include "ingest/ingest_command.h"
#include "query/query_command.h"

int main(int argc, char** argv) {
  CLI::App app("Measures a server over HTTP; see bench/README.md");
  app.require_subcommand(1);
  int status = 0;
  arc::bench::AddIngestCommand(app, &status);
  arc::bench::AddQueryCommand(app, &status);
  CLI11_PARSE(app, argc, argv);
  return status;
}
