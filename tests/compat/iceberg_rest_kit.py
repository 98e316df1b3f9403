#!/usr/bin/env python3
"""Java's Iceberg REST compatibility kit (1.11.0) against a real server.

    tests/compat/iceberg_rest_kit.py [--binary build/release/arc] [--select METHOD]

Needs a JDK 17 and Maven, which fetches the kit and its libraries once. The kit runs as ArcCatalogTests.java, which lets
it run tests that it leaves out by constants of its own. Every test that does not pass must be named below with its
reason; a test that fails without one, or passes with one, fails the run.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from arc_server import TOKEN, ArcServer  # noqa: E402

KIT = "ArcCatalogTests"
NESTED = "databases hold no databases, so Arc does not say that it supports nested namespaces"
EMPTY = "every table is in a database, and Iceberg's REST paths have no way to name the empty namespace"
EXPECTED = {
    "testDropNamespaceWithNestedNamespace": NESTED,
    "testListNestedNamespaces": NESTED,
    "createAndDropEmptyNamespace": EMPTY,
    "namespacePropertiesOnEmptyNamespace": EMPTY,
    "listTablesInEmptyNamespace": EMPTY,
}


def class_path(folder):
    listing = folder / "classpath"
    subprocess.run(
        ["mvn", "-q", "-B", "-f", str(HERE / "iceberg_rest_kit.xml"), "dependency:build-classpath",
         f"-Dmdep.outputFile={listing}", f"-DbuildDirectory={folder}"],
        check=True, stdout=subprocess.DEVNULL,
    )
    classes = f"{folder}:{listing.read_text().strip()}"
    subprocess.run(["javac", "-cp", classes, "-d", folder, HERE / f"{KIT}.java"], check=True)
    return classes


def run_kit(server, folder, classes, select):
    environment = {
        **os.environ,
        "CATALOG_URI": f"{server.url}/iceberg",
        "CATALOG_CREDENTIAL": f"arc:{TOKEN}",
        "CATALOG_OAUTH2__SERVER__URI": f"{server.url}/iceberg/v1/oauth/tokens",
    }
    selected = ["--select-method", f"{KIT}#{select}"] if select else ["--select-class", KIT]
    with open(folder / "kit.log", "wb") as log:
        subprocess.run(
            ["java", "-Xmx1g", "-Drck.local=false", "-Drck.requires-namespace-create=true",
             "-Drck.supports-names-with-dot=true",
             "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classes,
             "org.junit.platform.console.ConsoleLauncher", "execute", *selected, "--details=tree",
             "--reports-dir", str(folder / "reports")],
            cwd=folder, env=environment, stdout=log, stderr=log, timeout=3600,
        )


def outcomes(folder):
    """Method (with its argument) -> None when it passed, else what happened."""
    found = {}
    for case in ElementTree.parse(folder / "reports" / "TEST-junit-jupiter.xml").iter("testcase"):
        problem = None
        for child in case:
            if child.tag in ("failure", "error"):
                problem = "failed: " + (child.get("message") or child.get("type") or "").split("\n")[0]
            elif child.tag == "skipped":
                problem = "skipped: " + (child.get("message") or child.text or "").strip().split("\n")[0]
        found[case.get("name").replace("()", "")] = problem
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary")
    parser.add_argument("--select", help="one test method only")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="arc-rest-kit-"))
    classes = class_path(folder)
    server = ArcServer(folder, binary=arguments.binary).start()
    try:
        run_kit(server, folder, classes, arguments.select)
    finally:
        server.stop()
    found = outcomes(folder)
    wrong = 0
    for name, problem in sorted(found.items()):
        reason = EXPECTED.get(name)
        if problem is None and reason is None:
            continue
        if problem is not None and reason is not None:
            print(f"as expected  {name}: {reason}")
            continue
        wrong += 1
        print(f"UNEXPECTED   {name}: {problem or 'passed'}")
    passed = sum(problem is None for problem in found.values())
    print(f"iceberg rest kit: {passed} of {len(found)} pass, {wrong} unexpected; logs in {folder}")
    return 1 if wrong or not found else 0


if __name__ == "__main__":
    sys.exit(main())
