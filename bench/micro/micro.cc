// arc-micro: the time of each piece of work of the rooms, by Google Benchmark. --benchmark_filter=wal picks some.
#include <benchmark/benchmark.h>

#include <functional>

#include "micro/scan_work.h"
#include "work/work.h"

namespace {

void Register(const arc::bench::Work& work) {
  const auto measure = [work](benchmark::State& state) {
    const std::function<void()> run = work.prepare();
    for (auto unused : state) run();
    state.SetItemsProcessed(state.iterations() * work.rows);
  };
  benchmark::RegisterBenchmark(work.name.c_str(), measure)->Unit(benchmark::kMicrosecond);
}

}  // namespace

int main(int argc, char** argv) {
  for (const arc::bench::Work& work : arc::bench::AllWork()) Register(work);
  for (const arc::bench::Work& work : arc::bench::ScanWork()) Register(work);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
