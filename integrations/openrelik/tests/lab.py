# SPDX-License-Identifier: GPL-3.0-or-later
"""A Redis, OpenRelik's folder, the stand-in for its server, and worker processes: all of one test."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import redis

from .server import Server

WORKER_FOLDER = Path(__file__).parent.parent
QUEUE = "openrelik-worker-hivemend"
#: Whatever a test starts ends with it, even if the test is killed.
WITH_TEST = ["setpriv", "--pdeathsig", "KILL", "--"]

# Notes its process id, reports progress as hivemend does, and waits for a file before it becomes hivemend: so a test
# can strike while the program runs.
GATED = """#!/bin/sh
if [ "$1" = audit ]; then
  echo '{progress}' >&2
  echo $$ >> "{runs}"
  while [ ! -e "{gate}" ]; do sleep 0.05; done
fi
exec "{program}" "$@"
"""


PROGRESS = {
    "progress": {
        "task": "searching",
        "at": "SYSTEM",
        "done": 1,
        "unit": "files",
        "machine": None,
        "installations": 0,
        "bytes": 0,
    }
}


def program(variable: str, name: str) -> str:
    """Returns the path of a program that the tests need. There is no test without it."""
    found = shutil.which(os.getenv(variable) or name)
    if not found:
        message = f"{name} was not found: put it on the PATH, or set {variable} to its path"
        raise FileNotFoundError(message)
    return str(Path(found).absolute())


def alive(process_id: int) -> bool:
    """Returns whether a process runs. One that is dead, but that nobody has waited for, does not."""
    try:
        return bool(psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until(condition: Callable[[], object], what: str, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.05)


class Redis:
    """A redis-server with the settings of OpenRelik's compose file, on a free port of the loopback address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client: Any = redis.Redis.from_url(self.url, decode_responses=True)
        self.start()

    def start(self) -> None:
        command = [*WITH_TEST, program("REDIS_SERVER", "redis-server"), "--port", str(self.port), "--bind", "127.0.0.1"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*command, "--dir", str(self.folder)], stdout=log, stderr=log)
        wait_until(self.answers, "Redis answers")

    def answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False

    def stop(self) -> None:
        """Stops as `docker restart` does: Redis saves its data first."""
        self.process.terminate()
        assert self.process.wait(30) == 0, (self.folder / "log").read_text()


class Worker:
    """A worker process, started as OpenRelik's compose file starts it."""

    def __init__(self, lab: "Lab", hivemend: str, app: str = "src.app", queue: str = QUEUE, *more: str) -> None:
        self.lab = lab
        self.name = f"worker-{uuid.uuid4().hex[:8]}"
        self.log = lab.root / f"{self.name}.log"
        command = [*WITH_TEST, sys.executable, "-m", "celery", f"--app={app}", "worker", "--task-events"]
        command += ["--loglevel=INFO", "-Q", queue, f"--hostname={self.name}@%h", *(more or ("--concurrency=2",))]
        environment = {
            **os.environ,
            "REDIS_URL": lab.redis.url,
            "HIVEMEND": hivemend,
            "REMAP_SIGTERM": os.getenv("LAB_REMAP_SIGTERM", "SIGQUIT"),
            "PYTHONWARNINGS": "ignore",
        }
        with self.log.open("wb") as log:
            self.process = psutil.Popen(command, cwd=WORKER_FOLDER, env=environment, stdout=log, stderr=log)
        wait_until(lambda: " ready." in self.text() or self.process.poll() is not None, f"{self.name} is ready")
        assert self.process.poll() is None, self.text()

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def pool_process(self, child: int) -> psutil.Process:
        """Returns the process of the pool that started the program with this process id."""
        return psutil.Process(child).parent()

    def stop(self, seconds: float = 60) -> int:
        self.process.send_signal(signal.SIGTERM)
        return int(self.process.wait(seconds))

    def end(self) -> None:
        if self.process.poll() is None:
            family = [self.process, *self.process.children(recursive=True)]
            for each in family:
                try:
                    each.kill()
                except psutil.NoSuchProcess:
                    continue
            psutil.wait_procs(family, timeout=10)


class Lab:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "folder"
        self.folder.mkdir()
        self.redis = Redis(root / "redis")
        self.server = Server(self.redis.url, self.folder)
        self.workers: list[Worker] = []
        self.inputs: set[Path] = set()
        self.gate = root / "gate"
        self.runs_file = root / "runs"
        self.hivemend = program("HIVEMEND", "hivemend")
        self.gated = root / "gated-hivemend"
        self.gated.write_text(
            GATED.format(runs=self.runs_file, gate=self.gate, program=self.hivemend, progress=json.dumps(PROGRESS))
        )
        self.gated.chmod(0o755)

    def close(self) -> None:
        for worker in self.workers:
            worker.end()
        try:
            self.server.close()
        finally:
            self.redis.process.kill()
            self.redis.process.wait()

    def worker(self, *more: str, app: str = "src.app", queue: str = QUEUE, gated: bool = False) -> Worker:
        worker = Worker(self, str(self.gated) if gated else self.hivemend, app, queue, *more)
        self.workers.append(worker)
        return worker

    def runs(self) -> list[int]:
        """Returns the process ids of the gated program, one for each run."""
        return [int(line) for line in self.runs_file.read_text().split()] if self.runs_file.exists() else []

    def wait_for_run(self, number: int = 1, seconds: float = 30) -> int:
        wait_until(lambda: len(self.runs()) >= number, f"{number} runs of hivemend", seconds)
        return self.runs()[number - 1]

    def open_gate(self) -> None:
        self.gate.touch()

    def store(self, source: Path, display_name: str | None = None, original_path: str | None = None) -> dict[str, Any]:
        """Stores a file as the server does, and returns what the server sends about it."""
        identity = uuid.uuid4().hex
        name = display_name or source.name
        extension = Path(name).suffix.lstrip(".")
        path = self.folder / (f"{identity}.{extension}" if extension else identity)
        shutil.copyfile(source, path)
        self.inputs.add(path)
        file = {
            "id": len(self.inputs),
            "uuid": identity,
            "display_name": name,
            "extension": extension,
            "data_type": "file:generic",
            "mime_type": "application/octet-stream",
            "path": str(path),
        }
        if original_path is not None:
            file["original_path"] = original_path
        return file

    def store_machine(self, folder: Path, *, paths: bool = False, under: str = "") -> list[dict[str, Any]]:
        files = sorted(each for each in folder.rglob("*") if each.is_file())
        return [
            self.store(each, original_path=under + str(each.relative_to(folder)) if paths else None) for each in files
        ]

    def assert_nothing_left(self) -> None:
        """Nothing lost, nothing doubled, nothing left behind: folder, Redis and processes hold what they should."""
        registered = {file["stored"] for file in self.server.files.values()}
        wait_until(
            lambda: set(self.folder.iterdir()) == self.inputs | registered,
            f"the folder has the inputs and the registered outputs only; too many: "
            f"{set(self.folder.iterdir()) - self.inputs - registered}, "
            f"missing: {(self.inputs | registered) - set(self.folder.iterdir())}",
            15,
        )
        assert self.server.registered_twice == []
        wait_until(lambda: self.redis.client.keys("*hivemend:claim*") == [], "no claim is left", 20)
        wait_until(lambda: self.redis.client.hlen("unacked") == 0, "every message is acknowledged", 15)
        assert self.redis.client.llen(QUEUE) == 0
        wait_until(lambda: not any(map(alive, self.runs())), "no program runs", 10)
        wait_until(lambda: not self.strangers(), "the workers have no processes but those of their pools", 10)

    def strangers(self) -> list[str]:
        """Returns the processes under the workers that are not the workers' own."""
        commands = []
        for worker in self.workers:
            if worker.process.poll() is None:
                for each in worker.process.children(recursive=True):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        commands.append(" ".join(each.cmdline()))
        return [each for each in commands if each and "celery" not in each]
