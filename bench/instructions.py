#!/usr/bin/env python3
"""Counts the instructions of each piece of work (bench/work) with callgrind and holds them to bench/instructions.toml.

    bench/instructions.py             count all; fail when one grew by more than 5 %, or has no record
    bench/instructions.py wal flush   only those whose name begins so
    bench/instructions.py --record    write what was counted into the record: in the same commit as its reason

Counts do not depend on the load of the machine, so a slower row is seen where a clock sees noise. They are not time:
memory, locks and the disk cost nothing here.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORD = ROOT / "bench" / "instructions.toml"
TOLERANCE = 0.05
HEAD = """\
# Instructions a row of each piece of work, counted by bench/instructions.py from the release preset (x86-64-v2, with AVX2
# where a library chooses it at run time). A change by more than 5 % is recorded in the commit that makes it:
# bench/instructions.py --record
"""


def work_of(driver):
    """name -> rows of one run."""
    listed = subprocess.run([driver], capture_output=True, text=True, check=True).stdout
    return {name: int(rows) for name, rows in (line.split() for line in listed.splitlines())}


def count(driver, name):
    """Instructions of one run of the work, what it prepares and its first run left out."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [
                "valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", "--collect-atstart=no",
                "--toggle-collect=arc_counted", driver, name,
            ],
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        collected = re.search(r"Collected *: *(\d+)", run.stderr)
        if run.returncode != 0 or not collected or int(collected[1]) == 0:
            raise RuntimeError(f"{name}: callgrind failed:\n{run.stderr[-2000:]}")
        return int(collected[1])


def judge(name, per_row, recorded):
    """What to say about it, and whether it fails."""
    if recorded is None:
        return "no record: bench/instructions.py --record", True
    change = per_row / recorded - 1
    text = f"{change:+7.1%} of {recorded:.1f}"
    if change > TOLERANCE:
        return text + "   GREW: find out why, or record it with the reason", True
    if change < -TOLERANCE:
        return text + "   fell: record it, so that it cannot come back unseen", False
    return text, False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="beginnings of names")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--driver", default=str(ROOT / "build" / "release" / "arc-instructions"))
    arguments = parser.parse_args()
    rows = work_of(arguments.driver)
    names = [name for name in rows if not arguments.names or name.startswith(tuple(arguments.names))]
    recorded = tomllib.loads(RECORD.read_text())["per_row"] if RECORD.exists() else {}
    counted, failed = {}, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, total in zip(names, pool.map(lambda name: count(arguments.driver, name), names)):
            counted[name] = total / rows[name]
            said, fails = judge(name, counted[name], recorded.get(name))
            failed += fails
            print(f"{name:28} {counted[name]:10.1f} instructions a row   {said}", flush=True)
    if arguments.record:
        # Work that is gone loses its record; what was not counted now keeps it.
        kept = {name: counted.get(name, recorded.get(name)) for name in rows}
        lines = [f'"{name}" = {value:.1f}' for name, value in kept.items() if value is not None]
        RECORD.write_text(HEAD + "[per_row]\n" + "\n".join(lines) + "\n")
        return 0
    print(f"{len(names)} counted, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
