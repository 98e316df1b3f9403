#include <csignal>
#include <cstdlib>
#include <iostream>

#include "arc/server/commands.h"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed connection or output is an error of the write, not the end of the process
  // Arrow's own copy of mimalloc gives pages back and takes them again, huge ones, all through a flush: the program's
  // allocator does better. Arrow reads this when it first allocates.
  setenv("ARROW_DEFAULT_MEMORY_POOL", "system", /*overwrite=*/0);
  std::ios::sync_with_stdio(false);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return arc::RunCommand(arc::ParseCommandLine(arguments), arc::Console{std::cout, std::cerr});
}
