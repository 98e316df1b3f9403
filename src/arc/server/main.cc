#include <csignal>
#include <iostream>

#include "arc/server/commands.h"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed connection or output is an error of the write, not the end of the process
  std::ios::sync_with_stdio(false);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return arc::RunCommand(arc::ParseCommandLine(arguments), arc::Console{std::cout, std::cerr});
}
