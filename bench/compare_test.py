#!/usr/bin/env python3
"""Holds compare.py to what it says of its peers: what an entry takes from another one, and which goals are reached.

    bench/compare_test.py
"""

import pathlib
import tomllib
import unittest

import compare

LISTED = """
[peer.one]
program = "bin/one"
start = ["{program}", "--port", "{port}"]
environment = { PORT = "{port}", LOG = "off" }
formats = ["lp"]
goal = { lp = 5 }

[peer.one-before]
like = "one"

[peer.one-durable]
variant_of = "one"
environment = { LOG = "on", SYNC = "yes" }
"""


class CompareTest(unittest.TestCase):
    def setUp(self):
        self.peers = tomllib.loads(LISTED)["peer"]

    def peer(self, name, programs=()):
        return compare.Peer(name, self.peers, dict(programs))

    def test_a_variant_runs_the_same_program_with_more_environment(self):
        peer = self.peer("one-durable", {"one": "/given/one"})
        self.assertEqual(peer.program, "/given/one")
        self.assertEqual(peer.entry["environment"], {"PORT": "{port}", "LOG": "on", "SYNC": "yes"})
        self.assertEqual(peer.entry["start"], self.peers["one"]["start"])

    def test_a_variant_may_have_a_program_of_its_own(self):
        peer = self.peer("one-durable", {"one": "/given/one", "one-durable": "/given/other"})
        self.assertEqual(peer.program, "/given/other")

    def test_another_program_is_never_the_one_it_is_compared_to(self):
        with self.assertRaisesRegex(SystemExit, "--program one-before=PATH"):
            self.peer("one-before", {"one": "/given/one"})
        self.assertEqual(self.peer("one-before", {"one-before": "/given/before"}).program, "/given/before")

    def test_a_goal_compares_the_cpu_time_of_a_record(self):
        rows = {name: {"server_cpu_s_per_million": cpu} for name, cpu in [("first", 0.5), ("one", 2.4)]}
        goals = compare.goals_of({"lp:small": rows, "rows:small": rows}, [self.peer("one")])
        self.assertEqual(len(goals), 1)  # it has none for rows
        self.assertAlmostEqual(goals[0]["reached"], 4.8)
        self.assertEqual(goals[0]["goal"], 5)

    def test_every_listed_peer_is_whole(self):
        listed = tomllib.loads((pathlib.Path(__file__).parent / "peers.toml").read_text())["peer"]
        for name in listed:
            peer = compare.Peer(name, listed, {one: "/given" for one in listed})
            for key in ("start", "health", "formats", "count", "count_result"):
                self.assertIn(key, peer.entry, name)
            self.assertLessEqual(set(peer.entry["formats"]), set(peer.entry["write"]), name)


if __name__ == "__main__":
    unittest.main()
