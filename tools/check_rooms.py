#!/usr/bin/env python3
"""Checks the borders between the rooms (the folders of src/arc) against tools/rooms.toml.

    tools/check_rooms.py            check, print the table of rooms and their arrows
    tools/check_rooms.py --write    set the arrows in rooms.toml to the ones in use (never beyond what a room may use)

Fails on an include of a room that rooms.toml does not list, a listed one that no include needs, a cycle, a vendor's
header outside its door, a clock, sleep, raw thread or random number outside `base`, a room without a row, and a file
or folder named for nothing.
"""

import argparse
import pathlib
import re
import sys

try:
    import tomllib
except ImportError:
    sys.exit("check_rooms.py needs Python 3.11 or newer")

NAMED_FOR_NOTHING = {"util", "utils", "common", "misc", "helper", "helpers"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)

# What only `base` may touch, so that tests can drive time, threads and chance.
FORBIDDEN_OUTSIDE_BASE = [
    (re.compile(r"\b(?:system|steady|high_resolution|utc)_clock\s*::\s*now\b"), "reads a clock; take a Clock&"),
    (re.compile(r"\bsystem_clock\b"), "uses the wall clock; take a Clock&"),
    (re.compile(r"\b(?:std::|::)time\s*\(|(?<![\w.:>])time\s*\(\s*(?:nullptr|NULL|0|&\w+)\s*\)"), "reads a clock; take a Clock&"),
    (re.compile(r"\b(?:gettimeofday|clock_gettime|timespec_get)\s*\("), "reads a clock; take a Clock&"),
    (re.compile(r"\b(?:sleep_for|sleep_until|usleep|nanosleep|clock_nanosleep)\s*\("), "sleeps; use Clock::SleepFor"),
    (re.compile(r"(?<![\w.:>])(?:::)?sleep\s*\("), "sleeps; use Clock::SleepFor"),
    (re.compile(r"\bstd::j?thread\b(?!::(?:id|hardware_concurrency)\b)"), "makes a raw thread; use Thread or Executor"),
    (re.compile(r"\bstd::async\b|\bpthread_create\b"), "makes a raw thread; use Thread or Executor"),
    (re.compile(r"\b(?:random_device|default_random_engine)\b"), "makes random numbers; take a RandomSource&"),
    (re.compile(r"(?<![\w.>])(?:std::)?s?rand\s*\(|\b(?:drand48|arc4random|getrandom)\s*\("), "makes random numbers; take a RandomSource&"),
]

# Repeatable when seeded, so tests may use them.
SEEDED_GENERATORS = re.compile(r"\b(?:mt19937(?:_64)?|minstd_rand0?)\b")
FORBIDDEN_OUTSIDE_BASE.append((SEEDED_GENERATORS, "makes random numbers; take a RandomSource&"))

COMMENT_OR_LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL,
)



def is_test(name):
    """Tests, and headers only tests include: x_test.cc, test_x.h, x_fixture.h."""
    return name.endswith(("_test.cc", "_fixture.h")) or (name.startswith("test_") and name.endswith(".h"))


def without_comments(text, keep_strings=False):
    """The code with comments (and literals) blanked, line numbers kept."""

    def blank(match):
        piece = match.group(0)
        if keep_strings and not piece.startswith("/"):
            return piece
        return re.sub(r"[^\n]", " ", piece)

    return COMMENT_OR_LITERAL.sub(blank, text)


class Tree:
    """What the sources say: rooms, arrows with the place of one include each, and everything forbidden."""

    def __init__(self, root, doors):
        self.root = root
        self.vendor_prefixes = tuple(header for door in doors.values() for header in door["headers"])
        self.source = root / "src" / "arc"
        self.rooms = {}  # room -> {used room -> "file:line" of the first include}
        self.vendor_includes = []  # (room, header, place, is_test)
        self.problems = []
        for folder in sorted(path for path in self.source.iterdir() if path.is_dir()):
            files = sorted(path for path in folder.rglob("*") if path.suffix in {".h", ".cc"})
            if files:
                self.rooms[folder.name] = {}
            for path in files:
                self.read(folder.name, path)

    def place(self, path, text, position):
        return f"{path.relative_to(self.root)}:{text.count(chr(10), 0, position) + 1}"

    def read(self, room, path):
        text = path.read_text(encoding="utf-8")
        code = without_comments(text, keep_strings=True)
        for match in INCLUDE.finditer(code):
            quote, header = match.groups()
            place = self.place(path, text, match.start())
            parts = header.split("/")
            if parts[0] == "arc" and len(parts) > 2:
                if is_test(parts[-1]) and not is_test(path.name):
                    self.problems.append(f"{place}: only tests may include {header}")
                if parts[1] != room:
                    self.rooms[room].setdefault(parts[1], place)
            elif quote == '"' and not header.startswith(self.vendor_prefixes):
                self.problems.append(f'{place}: includes "{header}"; Arc\'s headers are included as "arc/room/file.h"')
            else:
                self.vendor_includes.append((room, header, place, is_test(path.name)))
        if room != "base":
            bare = without_comments(text)
            seeded = is_test(path.name)
            for pattern, why in FORBIDDEN_OUTSIDE_BASE:
                if seeded and pattern is SEEDED_GENERATORS:
                    continue
                for match in pattern.finditer(bare):
                    self.problems.append(f"{self.place(path, text, match.start())}: {match.group(0).strip()} {why}")


def check_names(root, problems):
    for top in ("src", "tests", "bench", "tools", "docs", "cmake"):
        for path in sorted((root / top).rglob("*")):
            if "__pycache__" in path.parts:
                continue
            if NAMED_FOR_NOTHING & set(path.name.split(".")[0].lower().split("_")):
                problems.append(f"{path.relative_to(root)}: named for nothing (util, common, misc, helpers)")


def check_vendors(tree, doors, problems):
    for room, header, place, in_test in tree.vendor_includes:
        for name, door in doors.items():
            if not any(header == prefix or (prefix.endswith("/") and header.startswith(prefix)) for prefix in door["headers"]):
                continue
            if door.get("tests_only"):
                if not in_test and room not in door.get("rooms", []):
                    problems.append(f"{place}: <{header}> ({name}) belongs in tests only")
            elif room not in door["rooms"]:
                problems.append(f"{place}: <{header}> ({name}) may be included in {', '.join(door['rooms'])} only")


def find_cycle(arrows):
    state, stack = {}, []

    def visit(room):
        state[room] = "open"
        stack.append(room)
        for used in sorted(arrows.get(room, ())):
            if state.get(used) == "open":
                return stack[stack.index(used) :] + [used]
            if used not in state and (cycle := visit(used)):
                return cycle
        stack.pop()
        state[room] = "done"
        return None

    for room in sorted(arrows):
        if room not in state and (cycle := visit(room)):
            return cycle
    return None


def check_arrows(tree, config, problems):
    may, listed = config["may"], config["arrows"]
    for room, uses in tree.rooms.items():
        if room not in may:
            problems.append(f"src/arc/{room}: rooms.toml has no row for this room under [may]")
            continue
        for used, place in sorted(uses.items()):
            if used not in may[room]:
                problems.append(f"{place}: {room} may not include {used}")
            elif used not in listed.get(room, []):
                problems.append(f"{place}: arrow {room} -> {used} is not listed in rooms.toml")
    for room, uses in sorted(listed.items()):
        for used in uses:
            if used not in tree.rooms.get(room, {}):
                problems.append(f"tools/rooms.toml: arrow {room} -> {used} is listed, but no include needs it")
    for what, arrows in (("includes", tree.rooms), ("[may] of rooms.toml", may)):
        if cycle := find_cycle(arrows):
            problems.append(f"cycle in the {what}: {' -> '.join(cycle)}")


def table(tree, may):
    width = max(map(len, tree.rooms), default=4)
    lines = [f"{'room':{width}}  includes"]
    for room in sorted(tree.rooms, key=lambda name: list(may).index(name) if name in may else len(may)):
        lines.append(f"{room:{width}}  {' '.join(sorted(tree.rooms[room])) or '-'}")
    return "\n".join(lines)


def write_arrows(path, tree, may):
    text = path.read_text(encoding="utf-8")
    head, mark, _ = text.partition("[arrows]\n")
    if not mark:
        sys.exit("tools/rooms.toml: no [arrows] section")
    rows = []
    for room in may:
        if room in tree.rooms:
            uses = ", ".join(f'"{used}"' for used in may[room] if used in tree.rooms[room])
            rows.append(f"{room} = [{uses}]")
    path.write_text(head + mark + "\n".join(rows) + "\n", encoding="utf-8")


def load(root):
    return tomllib.loads((root / "tools" / "rooms.toml").read_text(encoding="utf-8"))


def check(root):
    """(tree, its problems) of the sources under `root`."""
    config = load(root)
    tree = Tree(root, config["doors"])
    problems = list(tree.problems)
    check_names(root, problems)
    check_vendors(tree, config["doors"], problems)
    check_arrows(tree, config, problems)
    return tree, problems


def write(root):
    """Lists the arrows in use in rooms.toml."""
    config = load(root)
    write_arrows(root / "tools" / "rooms.toml", Tree(root, config["doors"]), config["may"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--write", action="store_true", help="rewrite the arrows in rooms.toml")
    arguments = parser.parse_args()
    if arguments.write:
        write(arguments.root)
    tree, problems = check(arguments.root)
    print(table(tree, load(arguments.root)["may"]))
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    arrow_count = sum(map(len, tree.rooms.values()))
    print(f"{len(tree.rooms)} rooms, {arrow_count} arrows, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
