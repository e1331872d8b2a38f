"""The readers: how each is asked to read a hive, and how what it prints is counted. Nothing that they print is kept."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
# A hive that is read for longer, or takes more memory, is not read at all as far as its user is concerned.
SECONDS = 120
MEMORY = 4 << 30
# The readers in Python take so long that what they would find depends on the machine: regipy a minute and more for 4 MB.
PYTHON_SIZE = 8 << 20
REGIPY_SIZE = 2 << 20


# As `timeout` ends: by itself, and where it had to kill.
STOPPED = (124, 137, -9)


@dataclass
class Result:
    """What a reader came to. Without counts where it was not run, or printed none."""

    keys: int | None
    values: int | None
    exit: str
    said: bool


@dataclass
class Reader:
    name: str
    version: str
    command: list
    count: object
    """Takes a stream of bytes to keys, values, and whether it tells of trouble."""
    logs: object = None
    """The arguments for transaction logs; none where the reader knows no logs, or finds them itself."""
    largest: int = sys.maxsize

    def read(self, hive, logs):
        if hive.stat().st_size > self.largest:
            return Result(None, None, f"not run: over {self.largest >> 20} MB", False)
        command = [*self.command, str(hive), *(self.logs(logs) if self.logs and logs else [])]
        with tempfile.TemporaryFile() as errors:
            # `timeout` ends the reader and what it started, and stays outside of the limits.
            process = subprocess.Popen(
                ["timeout", "--kill-after=1", str(SECONDS), *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                preexec_fn=_limit,
                env={**os.environ, "LC_ALL": "C.UTF-8"},
            )
            keys, values, told = self.count(process.stdout)
            code = process.wait()
            said = told or errors.seek(0, os.SEEK_END) > 0
        if code in STOPPED:
            # How far it came depends on the machine.
            return Result(None, None, f"stopped after {SECONDS} s", said)
        return Result(keys, values, _exit(code), said)


def _limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What it says on stderr goes to a file.
    resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 20, 256 << 20))


def _exit(code):
    if code < 0:
        code = 128 - code
    return signal.Signals(code - 128).name if code > 128 else str(code)


def _occurrences(keys, values):
    """Counts what two patterns match, each shorter than 64 bytes and never across a line's end, in pieces."""
    pattern = re.compile(b"(" + keys + b")|(" + values + b")")

    def count(stream):
        found = [0, 0]
        left = b"\n"
        while piece := stream.read(1 << 20):
            piece = left + piece
            end = 0
            for match in pattern.finditer(piece):
                found[match.lastindex - 1] += 1
                end = match.end()
            # What may be the beginning of a match, but nothing that has been counted.
            left = piece[max(end, len(piece) - 64) :]
        return *found, False

    return count


def _last_line(stream):
    """Counts as the programs of this folder print them."""
    match = None
    for line in stream:
        match = re.fullmatch(rb"keys (\d+) values (\d+)\n", line) or match
    return (int(match[1]), int(match[2]), False) if match else (None, None, False)


def _hivemend(stream):
    try:
        report = json.load(stream)
    except ValueError:
        return None, None, False
    hives = [hive for installation in report["installations"] for hive in installation["hives"]]
    if len(hives) != 1:
        return None, None, bool(report["problems"])
    integrity = hives[0]["integrity"]
    coverage = integrity.get("coverage") or {}
    told = bool(report["problems"] or integrity["problems"]) or integrity["state"] != "clean"
    return coverage.get("keys"), coverage.get("values"), told


def _version(command, pattern):
    try:
        output = subprocess.run(command, capture_output=True, text=True).stdout
    except FileNotFoundError:
        return None
    match = re.search(pattern, output)
    return match and match[1]


def readers(hivemend, notatin, python):
    """The readers that are there."""
    debian = r"Version: ([^-\s+]+)"
    hivex = _version(["dpkg", "-s", "libhivex-bin"], debian)
    libregf = _version(["regfexport", "-V"], r"regfexport (\d+)")
    xml = _occurrences(rb"<node name=", rb"<value type=")
    text = _occurrences(rb"\nKey path: ", rb"\nValue: \d+ ")
    found = [
        Reader("hivemend", _version([hivemend, "--version"], r"(\S+)$"), _find(hivemend), _hivemend),
        Reader("hivexml", hivex, ["hivexml"], xml),
        Reader("hivexml -ku", hivex, ["hivexml", "-k", "-u"], xml),
        Reader("regfexport", libregf, ["regfexport"], text),
        Reader("notatin", notatin and "1.0.1", [notatin, "--count"], _last_line, _with),
    ]
    for name, largest in [("dissect.regf", PYTHON_SIZE), ("python-registry", PYTHON_SIZE), ("regipy", REGIPY_SIZE)]:
        version = _version([python, "-m", "pip", "show", name], r"(?m)^Version: (.*)$")
        # Only regipy knows logs.
        logs = (lambda logs: logs[:2]) if name == "regipy" else None
        found.append(Reader(name, version, [python, "-B", str(HERE / "count_with.py"), name], _last_line, logs, largest))
    return [reader for reader in found if reader.version], [reader.name for reader in found if not reader.version]


def _find(hivemend):
    return [hivemend, "find", "--check", "--no-hash", "--format", "json"]


def _with(logs):
    return [argument for log in logs for argument in ("--with", log)]
