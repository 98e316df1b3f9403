#!/usr/bin/env python3
"""Plants what tools/check_rooms.py must find into a copy of the two lowest rooms and sees that each is found."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import check_rooms

ROOT = pathlib.Path(__file__).resolve().parent.parent


class CheckRoomsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        for room in ("base", "model"):  # all that is planted can be told from these; every check reads every file
            path = pathlib.Path("src") / "arc" / room
            shutil.copytree(ROOT / path, self.root / path, ignore=shutil.ignore_patterns("*.cc"))  # headers are enough
        (self.root / "tools").mkdir()
        shutil.copy(ROOT / "tools" / "rooms.toml", self.root / "tools")
        check_rooms.write(self.root)  # the tests are about what is planted, not about the tree's state

    def tearDown(self):
        self.folder.cleanup()

    def problems(self):
        return check_rooms.check(self.root)[1]

    def plant(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        file.write_text(before + text, encoding="utf-8")

    def new_problems(self, path, text):
        before = set(self.problems())
        self.plant(path, text)
        return [problem for problem in self.problems() if problem not in before]

    def change_arrows(self, old, new):
        rooms = self.root / "tools" / "rooms.toml"
        head, mark, arrows = rooms.read_text(encoding="utf-8").partition("[arrows]\n")
        self.assertIn(old, arrows)
        rooms.write_text(head + mark + arrows.replace(old, new, 1), encoding="utf-8")

    def assert_found(self, found, pattern):
        self.assertTrue(any(re.search(pattern, problem) for problem in found), f"no {pattern!r} in {found}")

    def test_include_that_may_not_be(self):
        found = self.new_problems("src/arc/model/planted.h", '#include "arc/server/config.h"\n')
        self.assert_found(found, r"src/arc/model/planted\.h:1: model may not include server")

    def test_include_that_is_not_listed(self):
        self.change_arrows('model = ["base"]', "model = []")
        self.assert_found(self.problems(), r"arrow model -> base is not listed in rooms\.toml")

    def test_arrow_that_nothing_needs(self):
        self.change_arrows("base = []", 'base = ["model"]')
        self.assert_found(self.problems(), r"arrow base -> model is listed, but no include needs it")

    def test_exit_code(self):
        command = [sys.executable, ROOT / "tools" / "check_rooms.py", "--root", self.root]
        self.plant("src/arc/model/planted.h", '#include "arc/server/config.h"\n')
        run = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("model may not include server", run.stderr)
        self.assertRegex(run.stdout, r"model +base server")
        self.assertRegex(run.stdout, r"\d+ rooms, \d+ arrows, \d+ problems")

    def test_cycle(self):
        found = self.new_problems("src/arc/base/planted.h", '#include "arc/model/schema.h"\n')
        self.assert_found(found, r"cycle in the includes: base -> model -> base")

    def test_vendor_headers(self):
        for path, header, vendor in [
            ("src/arc/http/planted.cc", "duckdb.hpp", "duckdb"),
            ("src/arc/http/planted2.cc", "duckdb/main/connection.hpp", "duckdb"),
            ("src/arc/catalog/planted.cc", "arrow/filesystem/s3fs.h", "arrow-filesystem"),
            ("src/arc/flush/planted.cc", "parquet/arrow/writer.h", "parquet"),
            ("src/arc/server/planted.cc", "boost/beast/http.hpp", "boost"),
            ("src/arc/query/planted.cc", "sqlite3.h", "sqlite"),
            ("src/arc/base/planted.cc", "arrow/array.h", "arrow"),
            ("src/arc/wal/planted.cc", "gtest/gtest.h", "googletest"),
        ]:
            with self.subTest(header):
                found = self.new_problems(path, f"#include <{header}>\n")
                self.assert_found(found, rf"{re.escape(path)}:1: <{re.escape(header)}> \({vendor}\)")

    def test_vendor_header_at_its_door(self):
        self.assertEqual(self.new_problems("src/arc/auth/planted.cc", "#include <sqlite3.h>\n"), [])
        self.assertEqual(self.new_problems("src/arc/auth/planted_test.cc", "#include <gtest/gtest.h>\n"), [])

    def test_time_threads_and_chance(self):
        for number, line in enumerate([
            "auto t = std::chrono::system_clock::now();",
            "auto t = std::chrono::steady_clock::now();",
            "std::this_thread::sleep_for(delay);",
            "::usleep(5);",
            "std::thread worker([] {});",
            "auto later = std::async(f);",
            "std::random_device device;",
            "int r = rand();",
            "auto now = time(nullptr);",
            "auto now = std::time(nullptr);",
        ]):
            with self.subTest(line):
                found = self.new_problems(f"src/arc/wal/planted{number}.cc", f"void F() {{\n  {line}\n}}\n")
                self.assert_found(found, rf"src/arc/wal/planted{number}\.cc:2: ")

    def test_words_in_comments_strings_and_base_are_fine(self):
        harmless = (
            "// std::thread, rand() and system_clock stay out\n"
            "/* #include <duckdb.hpp>\n   sleep_for(1) */\n"
            'const char* kText = "std::thread rand()";\n'
            'const char* kRaw = R"(time(nullptr))";\n'
            "int64_t first_time(int);\nvoid G(T t) { t.time(0); operand(); first_time(0); }\n"
            "std::thread::id owner;\n"
        )
        self.assertEqual(self.new_problems("src/arc/wal/planted.cc", harmless), [])
        self.assertEqual(self.new_problems("src/arc/base/planted.cc", "std::thread t;\nint r = rand();\n"), [])

    def test_headers_for_tests(self):
        self.assertEqual(self.new_problems("src/arc/wal/planted_fixture.h", "#include <gtest/gtest.h>\n"), [])
        self.assertEqual(self.new_problems("src/arc/wal/a_test.cc", '#include "arc/wal/planted_fixture.h"\n'), [])
        found = self.new_problems("src/arc/wal/planted.cc", '#include "arc/wal/planted_fixture.h"\n')
        self.assert_found(found, "only tests may include arc/wal/planted_fixture.h")

    def test_seeded_generators_in_tests_only(self):
        line = "std::mt19937_64 generator(1);\n"
        self.assertEqual(self.new_problems("src/arc/wal/planted_test.cc", line), [])
        self.assert_found(self.new_problems("src/arc/wal/planted.cc", line), "makes random numbers")

    def test_quoted_vendor_header(self):
        found = self.new_problems("src/arc/http/planted.cc", '#include "duckdb/main/config.hpp"\n')
        self.assert_found(found, r"\(duckdb\) may be included in query only")

    def test_relative_include(self):
        found = self.new_problems("src/arc/wal/planted.cc", '#include "log.h"\n')
        self.assert_found(found, r'includes "log\.h"; Arc\'s headers are included as')

    def test_names(self):
        for path in ("src/arc/wal/string_util.h", "src/arc/common/x.h", "tests/helpers/x.py"):
            with self.subTest(path):
                self.assert_found(self.new_problems(path, "\n"), "named for nothing")

    def test_room_without_a_row(self):
        found = self.new_problems("src/arc/attic/x.h", "\n")
        self.assert_found(found, r"src/arc/attic: rooms\.toml has no row")


if __name__ == "__main__":
    unittest.main()
