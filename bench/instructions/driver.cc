// Runs one piece of work so that callgrind can count it: arc-instructions NAME, or without a name the list of names.
// bench/instructions.py runs it.
#include <cstdio>
#include <string>

#include "work/work.h"

// Its name is given to callgrind, which counts only what happens within it.
extern "C" [[gnu::noinline]] void arc_counted(const std::function<void()>& run) {
  run();
  // Not a tail call: callgrind must see the return.
  asm volatile("");
}

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  for (const arc::bench::Work& work : arc::bench::AllWork()) {
    if (name.empty()) std::printf("%s %lld\n", work.name.c_str(), static_cast<long long>(work.rows));
    if (work.name != name) continue;
    const std::function<void()> run = work.prepare();
    run();  // what is done once, such as choosing functions for this CPU, is no part of it
    arc_counted(run);
    return 0;
  }
  return name.empty() ? 0 : 1;
}
