#!/usr/bin/env python3
"""Holds every script of this folder to starting: an import that went away with a test's file shows here.

    bench/help_test.py
"""

import pathlib
import subprocess
import sys
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent


class HelpTest(unittest.TestCase):
    def test_every_script_tells_what_it_does(self):
        scripts = [path for path in sorted(FOLDER.glob("*.py")) if "ArgumentParser" in path.read_text()]
        self.assertGreater(len(scripts), 4)
        for script in scripts:
            with self.subTest(script=script.name):
                run = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=False)
                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertIn("usage", run.stdout)


if __name__ == "__main__":
    unittest.main()
