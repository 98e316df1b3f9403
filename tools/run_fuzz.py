#!/usr/bin/env python3
"""Runs the fuzz targets of a build folder over their corpora, one on each processor and one line each; fails on any
finding.

    tools/run_fuzz.py build/fuzz                        30 s each
    tools/run_fuzz.py build/fuzz --seconds 600          longer
    tools/run_fuzz.py build/fuzz wal_segment_fuzz       only these
    tools/run_fuzz.py build/fuzz --seeds-only           every seed once

Seeds are read from tests/fuzz/corpus/<target>; what a run finds new is kept in <build>/fuzz-corpus/<target>, and an
input that fails in <build>/fuzz-findings/<target>-*.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEEDS = ROOT / "tests" / "fuzz" / "corpus"
# Longest input tried, in bytes; 4096 for the others. A logged group alone is longer than that.
MAX_LEN = {"wal_segment_fuzz": 16384, "iceberg_avro_fuzz": 16384, "iceberg_metadata_fuzz": 16384}
RSS_LIMIT_MB = 2048
INPUT_TIMEOUT_S = 10


def newest(pattern, text):
    found = re.findall(pattern, text)
    return found[-1] if found else "?"


def run(target, build, seconds, seeds_only):
    """The line to print and whether the target found nothing."""
    name = target.name
    corpus = build / "fuzz-corpus" / name
    findings = build / "fuzz-findings"
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    folders = [corpus] + [SEEDS / name] * (SEEDS / name).is_dir()
    before = {path.name for path in findings.glob(f"{name}-*")}
    command = [
        target,
        *folders,
        f"-rss_limit_mb={RSS_LIMIT_MB}",
        f"-timeout={INPUT_TIMEOUT_S}",
        f"-max_len={MAX_LEN.get(name, 4096)}",
        f"-artifact_prefix={findings}/{name}-",
        "-print_final_stats=1",
        "-runs=0" if seeds_only else f"-max_total_time={seconds}",
    ]
    environment = {
        **os.environ,
        # Arrow is not instrumented: what passes between it and Arc looks odd to the sanitizer.
        "ASAN_OPTIONS": "detect_container_overflow=0:detect_odr_violation=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        "LSAN_OPTIONS": f"suppressions={ROOT}/tools/lsan.supp:print_suppressions=0",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }
    began = time.monotonic()
    done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, check=False)
    took_s = time.monotonic() - began
    text = done.stderr.decode(errors="replace")
    runs = newest(r"number_of_executed_units: (\d+)", text)
    coverage, features = newest(r"cov: (\d+)", text), newest(r" ft: (\d+)", text)
    new_units, peak_mb = newest(r"new_units_added:\s*(\d+)", text), newest(r"peak_rss_mb:\s*(\d+)", text)
    line = (
        f"{name:28} {runs:>9} runs  cov {coverage:>6}  ft {features:>6}  new {new_units:>5}  "
        f"peak {peak_mb:>4} MB  {took_s:5.1f} s"
    )
    artifacts = sorted(path for path in findings.glob(f"{name}-*") if path.name not in before)
    if done.returncode == 0:
        return line, True
    report = "\n".join(text.splitlines()[-60:])
    where = ", ".join(str(path) for path in artifacts) or "no artifact"
    return f"{report}\n{line}  FAILED with {done.returncode}: {where}", False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("targets", nargs="*", help="all when none is named")
    parser.add_argument("--seconds", type=int, default=30, help="of each target")
    parser.add_argument("--seeds-only", action="store_true")
    arguments = parser.parse_intermixed_args()
    build = arguments.build.resolve()
    names = sorted(arguments.targets) or sorted(path.stem for path in (ROOT / "tests" / "fuzz").glob("*_fuzz.cc"))
    programs = [build / "tests" / "fuzz" / name for name in names]
    missing = [program for program in programs if not os.access(program, os.X_OK)]
    for program in missing:
        print(f"{program} is not built")
    good = not missing
    built = [program for program in programs if program not in missing]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for line, clean in pool.map(lambda program: run(program, build, arguments.seconds, arguments.seeds_only), built):
            print(line, flush=True)
            good = good and clean
    print("no findings" if good else "FAILED", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
