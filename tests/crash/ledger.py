"""What a client knows after a crash, and the check against what the database holds (ledger.h is the same in C++)."""

import threading
from collections import Counter


class Ledger:
    """Every acknowledged id must be there exactly once; an id sent without an answer at most once; nothing else."""

    def __init__(self):
        self._lock = threading.Lock()
        self._sent = set()
        self._acknowledged = set()

    def sent(self, ids):
        with self._lock:
            self._sent.update(ids)

    def acknowledged(self, ids):
        with self._lock:
            self._acknowledged.update(ids)

    @property
    def acknowledged_count(self):
        return len(self._acknowledged)

    def settle(self, found):
        """What is found, or not, is settled: a later crash may not change it."""
        self._acknowledged.update(found)
        self._sent = set(self._acknowledged)

    def check(self, found):
        """One line per violation; empty when all is well."""
        counts = Counter(found)
        violations = [f"lost: acknowledged id {i}" for i in sorted(self._acknowledged - counts.keys())]
        violations += [f"invented: id {i}" for i in sorted(counts.keys() - self._sent)]
        violations += [f"doubled: id {i} {n} times" for i, n in sorted(counts.items()) if n > 1]
        return violations
