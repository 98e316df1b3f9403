"""The requests that an operation makes of its object store, numbered, and a proxy that lets one of them fail."""

import re
import threading
import time
from collections import Counter
from urllib.parse import parse_qs, unquote, urlsplit

from faulty_proxy import FaultyProxy

OUTAGE_S = 5
EXPIRED = (403, {}, "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>")

KILLS = ("kill before", "kill after")  # kill -9 before the store gets the request; when it is done, but Arc was not told
ONCE = (
    "reply lost",  # done by the store, then the connection is cut
    "503 once",
)
LASTING = (
    "503 for 5 s",
    "refused for 5 s",  # connections cut, new ones refused
    "stall of 5 s",
    "expired for 5 s",  # 403 ExpiredToken
)
UPLOADS_ONLY = ("half upload",)  # half of the body gets to the store, then both connections are cut
FAULTS = (*KILLS, *ONCE, *LASTING, *UPLOADS_ONLY)


def is_question(name):
    """A request that changes nothing and brings no content."""
    return name.startswith(("HEAD", "LIST"))


def faults_of(index, points):
    """The faults worth trying at a point. Kills at each, but that reading changes nothing: the request that follows a
    question stands for it. Others at the first and the last of requests of one name; those that last not at questions,
    for the same reason."""
    name, number = points[index].rsplit(" #", 1)
    last = sum(other.rsplit(" #", 1)[0] == name for other in points)
    faults = []
    if not is_question(name):
        faults += KILLS[:1] if name.startswith("GET") else KILLS
    if int(number) in (1, last):
        faults += ONCE
        if not is_question(name):
            faults += LASTING
        if name.startswith(("PUT", "part of")) and not name.endswith("folder"):
            faults += UPLOADS_ONLY
    return faults


def kind_of_object(key):
    if key.endswith(".parquet"):
        return "data file"
    if key.endswith(".metadata.json"):
        return "metadata"
    if re.search(r"/snap-[^/]*\.avro$", key):
        return "manifest list"
    if key.endswith(".avro"):
        return "manifest"
    if key.rsplit("/", 1)[-1].startswith("arc-table-"):
        return "marker"
    return key.rsplit("/", 1)[-1] or "folder"


def request_name(method, path, folder):
    """What a request for an object of the folder does; None for any other."""
    parts = urlsplit(path)
    query = parse_qs(parts.query, keep_blank_values=True)
    bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
    if "list-type" in query:
        return "LIST" if query.get("prefix", [""])[0].startswith(folder) else None
    if not key.startswith(folder + "/"):
        return "DELETE of many" if "delete" in query and method == "POST" else None
    if "uploads" in query:
        method = "begin upload of"
    elif "partNumber" in query:
        method = "part of"
    elif "uploadId" in query:
        method = "abort upload of" if method == "DELETE" else "complete upload of"
    return f"{method} {kind_of_object(key)}"


class PointProxy(FaultyProxy):
    """Names the requests for one folder of the store ("PUT manifest #2": the second of an operation) and keeps their
    names in `points`, in order. One of them can be armed with a fault."""

    def __init__(self, store, folder):
        self.folder = folder
        self.points = []
        self.fired = False
        self.ages_objects = False  # objects look years old when they are listed
        self._counts = Counter()
        self._armed = None
        self._outage_until = 0
        super().__init__(store)

    def begin(self, point=None, fault=None, kill=None):
        """An operation begins: numbers start again, and `fault` waits at `point`."""
        with self._lock:
            self.points, self.fired = [], False
            self._counts.clear()
            self._armed = (point, fault, kill)

    def fires_within(self, seconds):
        deadline = time.monotonic() + seconds
        while not self.fired and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.fired

    def wait_for_the_store(self):
        """Until an outage is over."""
        time.sleep(max(0.0, self._outage_until - time.monotonic()))
        while not self.listens:
            time.sleep(0.01)

    def end(self):
        """What is armed and has not happened will not."""
        with self._lock:
            self._armed = None

    def _next_fault(self, exchange):
        """The fault that this request gets, and the process to kill for it."""
        name = request_name(exchange.command, exchange.path, self.folder)
        with self._lock:
            if time.monotonic() < self._outage_until:
                return self._outage, None
            if name is None or self._armed is None:
                return None, None
            self._counts[name] += 1
            point = f"{name} #{self._counts[name]}"
            self.points.append(point)
            armed_at, fault, kill = self._armed
            if self.fired or point != armed_at:
                return None, None
            self.fired = True
            if fault.endswith("for 5 s"):
                self._outage = fault
                self._outage_until = time.monotonic() + OUTAGE_S
                if fault == "refused for 5 s":
                    threading.Thread(target=self._refuse_connections, daemon=True).start()
            return fault, kill

    def _refuse_connections(self):
        self.stop()
        time.sleep(max(0.0, self._outage_until - time.monotonic()))
        self.listen()

    def handle(self, exchange, body):
        fault, kill = self._next_fault(exchange)
        if fault == "kill before":
            kill()
            exchange.cut()
        elif fault == "kill after":
            exchange.ask_store(body)
            kill()
            exchange.cut()
        elif fault == "reply lost":
            exchange.ask_store(body)
            exchange.cut()
        elif fault in ("503 once", "503 for 5 s"):
            exchange.refuse(self.store.throttled)
        elif fault == "expired for 5 s":
            exchange.refuse(EXPIRED)
        elif fault == "refused for 5 s":
            exchange.cut()
        elif fault == "half upload":
            exchange.ask_store(body, sent=len(body) // 2)
            exchange.cut()
        else:
            if fault == "stall of 5 s":
                time.sleep(OUTAGE_S)
            exchange.answer(*self._aged(*exchange.ask_store(body)))

    def _aged(self, status, headers, content):
        if self.ages_objects and b"<ListBucketResult" in content[:200]:
            aged = re.sub(rb"<LastModified>\d{4}", b"<LastModified>2001", content)
            return status, headers, aged
        return status, headers, content
