"""Fixtures: a list of machines, the answer of one process for all of them, and a hivemend that fails on plan."""

import json
import os
import shutil
import subprocess

import pytest
from shards import Faults, program, records

CASES = [
    "windows-xp",
    "windows-xp-senslogn-shutdown-wrong",
    "windows-7-bits-disabled",
    "windows-10-senslogn-planted",
    "windows-2000-wmi-disabled",
    "windows-xp-system-only",
    "hostile-strings",
]


@pytest.fixture(scope="session", autouse=True)
def hivemend():
    path = program("HIVEMEND", "hivemend")
    os.environ["HIVEMEND"] = path
    return path


@pytest.fixture(scope="session")
def machines(tmp_path_factory):
    """Writes evidence and a list of 23 machines. A path does not exist, and a hive of a pair is missing."""
    folder = tmp_path_factory.mktemp("machines")
    maker = program("MAKE_EVIDENCE", "make-evidence")
    subprocess.run([maker, folder / "cases", *CASES], check=True, capture_output=True)
    lines = []
    for number in range(1, 23):
        case = CASES[number % len(CASES)]
        copy = folder / f"machine {number}"
        shutil.copytree(folder / "cases" / case, copy)
        lines.append(json.dumps({"path": str(copy), "label": f"PC-{number:02}"}))
    lines.insert(10, json.dumps({"path": str(folder / "missing"), "label": "PC-23"}))
    path = folder / "machines of the lab.jsonl"
    path.write_text("\n".join(lines))  # No newline at the end: lists from other programs may lack it.
    return path


@pytest.fixture(scope="session")
def one_process(hivemend, machines, tmp_path_factory):
    """Returns the records of one process that audits the whole list."""
    path = tmp_path_factory.mktemp("one-process") / "all.jsonl"
    command = [hivemend, "audit", "--files-from", machines, "--format", "jsonl", "--no-hash", "--output", path]
    assert subprocess.run(command).returncode == 3  # The list has gaps.
    found = records(path)
    assert sum('"verdict": "deviates"' in record for record in found) > 3
    return found


@pytest.fixture
def faults(tmp_path, hivemend):
    folder = tmp_path / "faults"
    folder.mkdir()
    return Faults(folder, hivemend)
