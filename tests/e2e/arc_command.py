"""The command line beside a server of tests."""

import json
import subprocess


def run(server, *arguments, ok=True):
    """`arc ARGUMENTS` with the server's environment and folder; its standard output."""
    done = subprocess.run(
        [server.binary, *map(str, arguments), "--data-dir", str(server.folder / "data")],
        cwd=server.folder,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if ok:
        assert done.returncode == 0, f"{arguments}: {done.returncode} {done.stdout} {done.stderr}"
    return done


def run_json(server, *arguments):
    return json.loads(run(server, *arguments).stdout)
