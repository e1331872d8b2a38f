# SPDX-License-Identifier: GPL-3.0-or-later
"""Does what openrelik-server and its mediator do: finds tasks, sends workflows, reads events, registers results.

Written after openrelik-server: `lib/celery_utils.py`, `lib/workflow_utils.py` and `mediator/mediator.py`. In place of a
database it has dictionaries.
"""

import ast
import base64
import json
import re
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from celery import Celery, chain, signature
from celery.states import READY_STATES
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

TASK = "openrelik-worker-hivemend.tasks.audit"
#: The task of `upstream.py`.
UNPACK = "openrelik-worker-unpack.tasks.unpack"


@dataclass
class Answer:
    """What the server knows of a task after it ended."""

    state: str
    result: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    def outputs(self) -> dict[str, Path]:
        """Returns the output files by display name."""
        files = {each["display_name"]: Path(each["path"]) for each in self.result["output_files"]}
        assert len(files) == len(self.result["output_files"]), "two outputs have the same name"
        return files

    def report(self) -> Any:
        return json.loads(self.outputs()["hivemend-report.json"].read_text())


class Server:
    def __init__(self, redis_url: str, folder: Path) -> None:
        self.folder = folder
        self.celery = Celery(broker=redis_url, backend=redis_url)
        self.files: dict[str, dict[str, Any]] = {}
        self.file_reports: list[dict[str, Any]] = []
        self.task_reports: dict[str, dict[str, Any]] = {}
        self.progress: dict[str, list[dict[str, Any]]] = {}
        self.events: dict[str, Counter[str]] = {}
        self.answers: dict[str, Answer] = {}
        self.registered_twice: list[str] = []
        self._closing = threading.Event()
        self.listening = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self.listening.wait(10)

    def close(self) -> None:
        self._closing.set()
        self._receiver.should_stop = True
        self._thread.join(10)
        self.celery.close()

    # What celery_utils.get_registered_tasks does.
    def registered_tasks(self) -> dict[str, dict[str, Any]]:
        tasks = {}
        for listed in (self.celery.control.inspect(timeout=1).registered("metadata") or {}).values():
            for task in listed:
                metadata = re.search(r"({.+})", task)
                if metadata:
                    name = task.split()[0]
                    tasks[name] = {"queue": name.split(".", maxsplit=1)[0], **ast.literal_eval(metadata.group(0))}
        return tasks

    # What workflow_utils.get_task_signature and create_workflow_signature do.
    def signature(
        self, files: list[dict[str, Any]], config: dict[str, Any] | None = None, name: str = TASK, **options: Any
    ) -> Any:
        return signature(
            name,
            kwargs={
                "input_files": files,
                "output_path": str(self.folder),
                "workflow_id": 1,
                "task_config": config or {},
            },
            queue=name.split(".", maxsplit=1)[0],
            task_id=uuid.uuid4().hex,
            **options,
        )

    def send(self, files: list[dict[str, Any]], config: dict[str, Any] | None = None, **options: Any) -> str:
        task = self.signature(files, config, **options)
        chain(task).apply_async()
        return str(task.options["task_id"])

    def wait(self, task_id: str, seconds: float = 60) -> Answer:
        """Waits until the mediator has read the event of the task's end."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if task_id in self.answers:
                return self.answers[task_id]
            time.sleep(0.05)
        message = f"task {task_id} did not end in {seconds} s; events: {self.events.get(task_id)}"
        raise AssertionError(message)

    def wait_for_result(self, task_id: str, seconds: float = 60) -> Answer:
        """Waits for the stored result. Celery sends no event when a hard time limit ends a task."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            state = self.celery.backend.get_state(task_id)
            if state in READY_STATES:
                return Answer(state, error=repr(self.celery.backend.get_result(task_id)))
            time.sleep(0.1)
        message = f"task {task_id} has no result after {seconds} s"
        raise AssertionError(message)

    # What mediator.monitor_celery_tasks and process_task_event do.
    def _listen(self) -> None:
        state = self.celery.events.State()
        while not self._closing.is_set():
            try:
                with self.celery.connection() as connection:
                    self._receiver = self.celery.events.Receiver(
                        connection, handlers={"*": lambda event: self._on_event(state, event)}
                    )
                    ready = self._receiver.on_consume_ready

                    def on_ready(*arguments: Any, ready: Any = ready, **named: Any) -> None:
                        ready(*arguments, **named)
                        self.listening.set()

                    self._receiver.on_consume_ready = on_ready
                    self._receiver.capture(limit=None, timeout=None, wakeup=True)
            except (OperationalError, OSError, RedisError):
                # Redis restarts in some tests.
                self.listening.clear()
                time.sleep(0.2)

    def _on_event(self, state: Any, event: dict[str, Any]) -> None:
        state.event(event)
        if not event["type"].startswith("task-"):
            return
        task_id = event["uuid"]
        self.events.setdefault(task_id, Counter())[event["type"]] += 1
        if event["type"] == "task-progress":
            self.progress.setdefault(task_id, []).append(json.loads(json.dumps(event["data"])))
        # The mediator registers a result again at every later event of the task. That is its own fault, so this one
        # looks only at the events that a worker sends when a task ended.
        elif event["type"] == "task-succeeded":
            encoded = self.celery.backend.get_result(task_id)
            result = json.loads(base64.b64decode(encoded.encode()).decode())
            self._register(task_id, result)
            self.answers[task_id] = Answer("SUCCESS", result)
        elif event["type"] == "task-failed":
            self.answers[task_id] = Answer("FAILURE", error=event["exception"])
        elif event["type"] == "task-revoked":
            self.answers[task_id] = Answer("REVOKED")

    # What mediator.process_successful_task and crud.file.create_file_in_db do.
    def _register(self, task_id: str, result: dict[str, Any]) -> None:
        for file in result["output_files"] + result["task_files"]:
            identity = uuid.UUID(file["uuid"]).hex
            extension = file["extension"].lstrip(".")
            stored = self.folder / (f"{identity}.{extension}" if extension else identity)
            assert file["source_file_id"] is None or isinstance(file["source_file_id"], int)
            if identity in self.files:
                self.registered_twice.append(identity)
            self.files[identity] = {**file, "stored": stored, "size": stored.stat().st_size, "task": task_id}
        for each in result["file_reports"]:
            assert isinstance(each["priority"], int)
            assert each["content_file_uuid"] in self.files
            self.file_reports.append({**each, "task": task_id})
        self.task_reports[task_id] = result["task_report"]
