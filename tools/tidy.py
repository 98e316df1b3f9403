#!/usr/bin/env python3
"""Runs clang-tidy (.clang-tidy) over sources, what changed lately first, for a bounded time.

    tools/tidy.py build/dev                      changed files, or all when none changed; at most 5 minutes
    tools/tidy.py build/dev --minutes 60 --every all files
    tools/tidy.py build/dev FILE...              these files

Fails on a finding. A run that is out of time says how many files it left unread.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIDY = ROOT / ".deps" / "venv-style" / "bin" / "clang-tidy"


def git(*arguments):
    run = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False)
    return run.stdout.split() if run.returncode == 0 else []


def changed_files():
    """Sources that differ from the branch's start (or the last commit), committed or not."""
    base = git("merge-base", "HEAD", "origin/HEAD") or ["HEAD"]
    names = git("diff", "--name-only", base[0], "--", "*.cc") + git("ls-files", "-o", "--exclude-standard", "--", "*.cc")
    return {ROOT / name for name in names}


def check(build, source):
    command = [TIDY, "-p", build, "--quiet", "--warnings-as-errors=*", source]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.returncode == 0, run.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--every", action="store_true", help="all files, whatever changed")
    arguments = parser.parse_args()
    database = json.loads((arguments.build / "compile_commands.json").read_text(encoding="utf-8"))
    known = {pathlib.Path(entry["file"]) for entry in database}
    wanted = {path.resolve() for path in arguments.files} or (set() if arguments.every else changed_files())
    sources = sorted((wanted & known) or known, key=lambda path: -path.stat().st_mtime)

    deadline = time.monotonic() + arguments.minutes * 60
    found, read = 0, 0

    def one(source):
        return check(arguments.build, source) if time.monotonic() < deadline else None

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for source, result in zip(sources, pool.map(one, sources)):
            if result is None:
                continue
            read += 1
            good, text = result
            if not good:
                found += 1
                print(f"{source.relative_to(ROOT)}:\n{text}", flush=True)
    left = f", {len(sources) - read} left unread after {arguments.minutes:g} minutes" if read < len(sources) else ""
    print(f"tidy: {read} files read, {found} with findings{left}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
