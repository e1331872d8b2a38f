"""Fixtures: 500 machines with planted oddities, their answers in shards, and a DuckDB that has read them."""

import os
import shutil
import subprocess
from pathlib import Path

import hives
import pytest
from database import FLEET, read
from lab import Lab

SHARDS = 7


def program(variable, name):
    """Returns the path of a program that an environment variable or PATH names."""
    path = shutil.which(os.environ.get(variable, name))
    if path is None:
        pytest.fail(f"{name} was not found. Set {variable} to the program, or add its folder to PATH.")
    return str(Path(path).resolve())


@pytest.fixture(scope="session")
def hivemend():
    return program("HIVEMEND", "hivemend")


@pytest.fixture(scope="session")
def make_evidence():
    return program("MAKE_EVIDENCE", "make-evidence")


@pytest.fixture(scope="session")
def shard(hivemend):
    """Runs a shard as all recipes do, and returns its exit code."""

    def run(listed, number, shards, answers, *options):
        command = [FLEET.parent / "batch/shard.sh", listed, str(number), str(shards), answers, "--no-hash", *options]
        return subprocess.run(command, env={**os.environ, "HIVEMEND": hivemend}, capture_output=True).returncode

    return run


@pytest.fixture(scope="session")
def lab(shard, make_evidence, tmp_path_factory):
    """Makes 500 machines, and audits them in shards."""
    hives.needs_hivex()
    made = Lab(tmp_path_factory.mktemp("lab"))
    made.make(make_evidence)
    assert len(made.order) == 500
    made.shards = [made.answers / f"shard-{number}-of-{SHARDS}.jsonl" for number in range(1, SHARDS + 1)]
    for number in range(1, SHARDS + 1):
        assert shard(made.list, number, SHARDS, made.answers) == 0
    return made


@pytest.fixture(scope="session")
def fleet(lab):
    return read(lab.answers / "*.jsonl", lab.list)
