#!/usr/bin/env python3
"""Runs the tests of a build folder and ends with the line "N passed, N failed".

    tools/run_tests.py build/dev                 unit tests, end-to-end tests, a few crash rounds
    tools/run_tests.py build/dev --all           also the slow end-to-end tests, many crash rounds and a real Telegraf
    tools/run_tests.py build/asan-ubsan --unit   unit tests only
    tools/run_tests.py --total DIR...            the sum of what earlier runs in these build folders counted

Counts test cases: GoogleTest's and pytest's by their reports, a program that dies as one failure.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".deps" / "venv" / "bin" / "python"
CRASH_ROUNDS = 3
CRASH_ROUNDS_ALL = 200
POWER_CUTS_ALL = 2000
TELEGRAF_SECONDS = 60


class Counts:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.failures = []

    def add_report(self, path):
        """A JUnit-style report; false when there is none to read."""
        try:
            root = ElementTree.parse(path).getroot()
        except (OSError, ElementTree.ParseError):
            return False
        for case in root.iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                self.failed += 1
                self.failures.append(name)
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                self.skipped += 1
            else:
                self.passed += 1
        return True

    def add(self, name, good):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            self.failures.append(name)

    def line(self):
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def run_ctest(build, jobs, unit_only, only, everything, counts):
    reports = build / "test-reports"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    environment = {**os.environ, "GTEST_OUTPUT": f"xml:{reports}/", "GTEST_COLOR": "no"}
    if everything:
        environment.setdefault("ARC_POWER_CUTS", str(POWER_CUTS_ALL))
    # Arrow and DuckDB are not instrumented, so what passes between them and Arc looks odd to the sanitizer.
    # Freed memory counts as the process's for as long as the sanitizer keeps it, and queries are held to a sum.
    environment.setdefault(
        "ASAN_OPTIONS",
        "detect_container_overflow=0:detect_odr_violation=0:abort_on_error=1:quarantine_size_mb=32",
    )
    # A mutex locked inside Arrow and unlocked in inlined code of ours looks unlocked to tsan: races are what it is run for.
    environment.setdefault(
        "TSAN_OPTIONS",
        f"suppressions={ROOT}/tools/tsan.supp:halt_on_error=1:second_deadlock_stack=1:report_mutex_bugs=0",
    )
    if "ARC_SANITIZE:STRING=thread" in (build / "CMakeCache.txt").read_text(encoding="utf-8"):
        environment.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        # The S3 client inside Arrow runs threads of its own, which tsan cannot follow.
        environment.setdefault("GTEST_FILTER", "-*S3*:*Minio*:*MinIO*")
    environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
    environment.setdefault("LSAN_OPTIONS", f"suppressions={ROOT}/tools/lsan.supp:print_suppressions=0")
    summary = reports / "ctest.junit"
    command = ["ctest", "--test-dir", build, "-j", str(jobs), "--timeout", "3600" if everything else "900", "--output-on-failure",
               "--output-junit", summary] + (["-L", "unit"] if unit_only else []) + (["-R", only] if only else [])
    subprocess.run(command, env=environment, check=False)
    read = 0
    for report in sorted(reports.glob("*.xml")):
        read += counts.add_report(report)
    # A program that died wrote no report: CTest's own says so.
    try:
        programs = list(ElementTree.parse(summary).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError):
        counts.add("ctest", False)
        return
    for program in programs:
        known = (reports / f"arc_{program.get('name')}_test.xml").exists()
        if not known:
            counts.add(f"program {program.get('name')}", program.get("status") == "run")
    if read == 0:
        counts.add("no test program reported anything", False)


def run_pytest(build, everything, counts):
    folder = ROOT / "tests" / "e2e"
    if not folder.is_dir():
        return
    report = build / "test-reports" / "pytest.junit"
    command = [PYTHON, "-m", "pytest", folder, "-q", "--color=no", "-p", "no:cacheprovider", f"--junitxml={report}"]
    if not everything:
        command += ["-m", "not slow"]
    code = subprocess.run(command, env={**os.environ, "ARC_BINARY": str(build / "arc")}, check=False).returncode
    if not counts.add_report(report) or code not in (0, 1, 5):
        counts.add(f"pytest ended with {code}", False)


def run_telegraf(build, counts):
    telegraf = ROOT / ".deps" / "peers" / "telegraf"
    if not telegraf.exists():
        print("Telegraf: skipped, tools/setup.sh peers builds it")
        counts.skipped += 1
        return
    print(f"Telegraf: {TELEGRAF_SECONDS} s through each output", flush=True)
    command = [PYTHON, ROOT / "tests" / "e2e" / "telegraf_rounds.py", "--telegraf", telegraf, "--seconds", str(TELEGRAF_SECONDS)]
    environment = {**os.environ, "ARC_BINARY": str(build / "arc")}
    counts.add("Telegraf rounds", subprocess.run(command, env=environment, check=False).returncode == 0)


def run_crash_rounds(build, everything, counts):
    script = ROOT / "tests" / "crash" / "kill9.py"
    if not script.exists():
        return
    rounds = CRASH_ROUNDS_ALL if everything else CRASH_ROUNDS
    print(f"kill -9: {rounds} rounds", flush=True)
    command = [PYTHON, script, "--rounds", str(rounds), "--arc", build / "arc"]
    counts.add("kill -9 rounds", subprocess.run(command, check=False).returncode == 0)


def run_fault_matrix(build, everything, counts):
    if not (ROOT / ".deps" / "peers" / "minio").exists():
        print("fault matrix: skipped, tools/setup.sh peers builds MinIO")
        counts.skipped += 1
        return
    print(f"fault matrix: {'all' if everything else 'some'} of its cells", flush=True)
    script = ROOT / "tests" / "crash" / "fault_matrix.py"
    command = [PYTHON, script, "--arc", build / "arc", "--out", build / "test-reports" / "faults"]
    command += [] if everything else ["--quick"]
    counts.add("fault matrix", subprocess.run(command, check=False).returncode == 0)


def total(builds):
    counts = Counts()
    for build in builds:
        one = json.loads((build / "test-reports" / "counts.json").read_text(encoding="utf-8"))
        counts.passed += one["passed"]
        counts.failed += one["failed"]
        counts.skipped += one["skipped"]
    print(counts.line())
    return 1 if counts.failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("builds", nargs="+", type=pathlib.Path)
    parser.add_argument("--all", action="store_true", help="the slow tests too")
    parser.add_argument("--unit", action="store_true", help="unit tests only")
    parser.add_argument("--only", metavar="REGEX", help="of the test programs, those whose name matches")
    parser.add_argument("--total", action="store_true", help="only add up earlier runs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    builds = [build.resolve() for build in arguments.builds]
    if arguments.total:
        return total(builds)
    (build,) = builds
    counts = Counts()
    run_ctest(build, arguments.jobs, arguments.unit, arguments.only, arguments.all, counts)
    if not arguments.unit:
        run_pytest(build, arguments.all, counts)
        run_crash_rounds(build, arguments.all, counts)
        run_fault_matrix(build, arguments.all, counts)
        if arguments.all:
            run_telegraf(build, counts)
    for failure in counts.failures:
        print(f"failed: {failure}")
    result = {"passed": counts.passed, "failed": counts.failed, "skipped": counts.skipped}
    (build / "test-reports" / "counts.json").write_text(json.dumps(result), encoding="utf-8")
    print(counts.line(), flush=True)
    return 1 if counts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
