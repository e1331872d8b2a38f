"""What the tests of the recipes share: programs, the records of answers, and a hivemend that fails on plan."""

import json
import os
import shutil
import time
from collections import Counter
from pathlib import Path

import pytest

BATCH = Path(__file__).resolve().parent.parent


def program(variable, name):
    """Returns the path of a program that an environment variable or PATH names."""
    path = shutil.which(os.environ.get(variable, name))
    if path is None:
        pytest.fail(f"{name} was not found. Set {variable} to the program, or add its folder to PATH.")
    return str(Path(path).resolve())


def needs(*programs, packages):
    """Skips a test on a machine that lacks a program. In CI, the test fails instead."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        reason = f"{', '.join(missing)} is not installed. Install it: apt-get install {packages}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def records(*paths):
    """Returns the records of answers, without those of each run. Each answer must end with its summary."""
    found = []
    for path in paths:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert lines[-1]["record"] == "summary", f"{path.name} is truncated"
        found += [line for line in lines if line["record"] not in ("run", "summary")]
    return Counter(json.dumps(record, sort_keys=True) for record in found)


class Answers:
    """A folder of answers."""

    def __init__(self, folder, shards):
        self.folder = folder
        self.shards = shards

    def path(self, shard):
        return self.folder / f"shard-{shard}-of-{self.shards}.jsonl"

    def records(self):
        return records(*(self.path(shard) for shard in range(1, self.shards + 1)))

    def names(self):
        """Returns the names of all files, hidden ones too, without those of the engine."""
        return {path.name for path in self.folder.iterdir() if not path.name.startswith("parallel-")}

    def whole_names(self):
        return {self.path(shard).name for shard in range(1, self.shards + 1)}


class Faults:
    """A hivemend that fails as planned."""

    def __init__(self, folder, hivemend):
        self.folder = folder
        self.environment = {
            **os.environ,
            "HIVEMEND": str(BATCH / "tests/faulty_hivemend.py"),
            "REAL_HIVEMEND": hivemend,
            "FAULTS": str(folder),
        }

    def plan(self, shard, *actions):
        (self.folder / f"plan-{shard}").write_text("\n".join(actions))

    def attempts(self):
        """Returns how often each shard was tried."""
        path = self.folder / "attempts"
        return Counter(int(shard) for shard in path.read_text().split()) if path.exists() else Counter()

    def all_waiting(self):
        """Returns the process that waits in each shard."""
        found = {path.name.removeprefix("waiting-"): path.read_text() for path in self.folder.glob("waiting-*")}
        return {int(shard): int(process) for shard, process in found.items() if process}

    def waiting(self, shard):
        """Returns the process that waits in a shard, or None."""
        return self.all_waiting().get(shard)


def wait_for(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen in {seconds} s"
        time.sleep(0.05)


def running(pid):
    """Reports whether a process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
