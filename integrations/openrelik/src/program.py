# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs hivemend, and judges how it ended."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

#: The kernel kills the program when this process dies, even by SIGKILL. setpriv (util-linux) sets this and then becomes
#: the program. Python's preexec_fn could do the same, but is unsafe in a process with threads, and the claim has one.
DIE_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL", "--"]

SEVERITIES = ["low", "medium", "high", "critical"]
GENERATIONS = ["live", "all"]
POLL_SECONDS = 0.5
#: How much of the program's own words a failure repeats.
LAST_LINES = 20


class ProgramError(Exception):
    """hivemend gave no answer. The text is the reason."""


@dataclass(frozen=True)
class Options:
    """What the user set in the form of the task."""

    patch: bool
    generations: str
    report_from: str
    only: list[str]
    skip: list[str]
    accept_dirty: bool

    @classmethod
    def from_config(cls, config: dict[str, Any] | None) -> "Options":
        config = config or {}
        for_patches = [name for name in ("only", "skip", "accept_dirty") if config.get(name)]
        if for_patches and not config.get("patch"):
            raise ProgramError(
                f"Option {', '.join(for_patches)}: expected with patch, found without. Switch patch on, or clear these."
            )
        return cls(
            patch=bool(config.get("patch")),
            generations=one_of(config, "generations", GENERATIONS, "live"),
            report_from=one_of(config, "report_from", SEVERITIES, "low"),
            only=names(config.get("only")),
            skip=names(config.get("skip")),
            accept_dirty=bool(config.get("accept_dirty")),
        )

    def arguments(self) -> list[str]:
        arguments = ["--generations", self.generations, "--fail-on", self.report_from]
        if self.patch:
            arguments += ["--patch", "../results/patch"]
            arguments += [word for name in self.only for word in ("--only", name)]
            arguments += [word for name in self.skip for word in ("--skip", name)]
            arguments += ["--accept-dirty"] * self.accept_dirty
        return arguments


def one_of(config: dict[str, Any], name: str, allowed: list[str], default: str) -> str:
    value = str(config.get(name) or default).strip().lower()
    if value not in allowed:
        raise ProgramError(f"Option {name}: expected one of {', '.join(allowed)}; found {value!r}. Correct the task.")
    return value


def names(value: Any) -> list[str]:
    words = value if isinstance(value, list) else re.split(r"[\s,]+", str(value or ""))
    return [str(word) for word in words if word]


def find_program() -> str:
    wanted = os.getenv("HIVEMEND") or "hivemend"
    found = shutil.which(wanted)
    if not found:
        raise ProgramError(
            f"The program {wanted!r} was not found. Install hivemend on the worker's PATH, or set HIVEMEND to its path."
        )
    return str(Path(found).absolute())


def run(
    command: list[str],
    folder: Path,
    output: Path,
    name: str,
    on_progress: Callable[[dict[str, Any]], None] | None = None,
) -> int:
    """Runs a command in a folder and returns its exit code. Its output goes to `output`/`name`.out and .err.

    Files, not pipes: a pipe that nobody drains stops the program.
    """
    with (output / f"{name}.out").open("wb") as out, (output / f"{name}.err").open("wb") as err:
        try:
            child = subprocess.Popen(
                [*DIE_WITH_PARENT, *command], cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )
        except OSError as error:
            raise ProgramError(f"{DIE_WITH_PARENT[0]} could not be started: {error}. Install util-linux.") from error
        try:
            with (output / f"{name}.err").open("rb") as written:
                while True:
                    try:
                        code = child.wait(POLL_SECONDS)
                    except subprocess.TimeoutExpired:
                        code = None
                    states = list(progress(written))
                    if states and on_progress:
                        on_progress(states[-1])
                    if code is not None:
                        return code
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()


def progress(written: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Reads the lines of --progress json that are complete."""
    while line := written.readline():
        if not line.endswith(b"\n"):
            written.seek(-len(line), os.SEEK_CUR)
            return
        if line.startswith(b'{"progress":'):
            yield json.loads(line)["progress"]


def messages(output: Path, name: str) -> str:
    """Returns what the program wrote to stderr, without progress."""
    text = (output / f"{name}.err").read_text("utf-8", "replace")
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith('{"progress":'))


def answer(code: int, report: Path, output: Path, name: str) -> dict[str, Any]:
    """Returns the report. Raises an error with the reason if there is none.

    Exit codes 0, 1 and 3 are answers. 2 is one, too, if the report is there: then no hive was found, or every patch
    was refused.
    """
    if code < 0:
        number = -code
        known = signal.Signals(number).name if number in set(signal.Signals) else "unknown"
        reason = f"hivemend was killed by signal {number} ({known})."
        if number == signal.SIGKILL:
            reason += " If the kernel was out of memory, give the worker more, or start tasks with fewer inputs."
    elif code in {0, 1, 2, 3} and report.exists():
        result: dict[str, Any] = json.loads(report.read_text("utf-8"))
        return result
    else:
        reason = f"hivemend ended with exit code {code} and wrote no report."
    last = "".join(messages(output, name).splitlines(keepends=True)[-LAST_LINES:])
    raise ProgramError(f"{reason} Its last words: {last.strip() or 'none'}")
