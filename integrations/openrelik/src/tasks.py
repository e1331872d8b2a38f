# SPDX-License-Identifier: GPL-3.0-or-later
"""The task that OpenRelik runs."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from celery import Task, signals
from celery.utils.log import get_task_logger
from openrelik_worker_common.task_utils import get_input_files

from . import program, stage
from .app import celery, redis_client
from .attempt import Attempt
from .claim import Claim, answered, claim, claimed, patiently

#: What stands before the first dot is the name of the queue.
TASK_NAME = "openrelik-worker-hivemend.tasks.audit"

#: OpenRelik reads this from the list of registered tasks, so it holds plain literals only.
TASK_METADATA = {
    "display_name": "hivemend: what stops Windows Update",
    "description": "Audits SOFTWARE and SYSTEM hives, also in archives and disk images.",
    "task_config": [
        {
            "name": "patch",
            "label": "Write patches",
            "description": "Writes .reg files that correct each installation, their rollback and instructions.",
            "type": "checkbox",
            "required": False,
        },
        {
            "name": "generations",
            "label": "Generations (default: live)",
            "description": "Judges live installations and copies, or also RegBack, restore points, shadow copies, ...",
            "type": "select",
            "items": program.GENERATIONS,
            "required": False,
        },
        {
            "name": "report_from",
            "label": "Report findings from this severity upwards (default: low)",
            "description": "Findings below it are only in the JSON, HTML and Markdown of hivemend.",
            "type": "select",
            "items": program.SEVERITIES,
            "required": False,
        },
        {
            "name": "only",
            "label": "Patch only these findings",
            "description": "Ids of findings as reports show them, separated by commas or spaces. Needs patches.",
            "type": "text",
            "required": False,
        },
        {
            "name": "skip",
            "label": "Do not patch these findings",
            "description": "Ids of findings as reports show them, separated by commas or spaces. Needs patches.",
            "type": "text",
            "required": False,
        },
        {
            "name": "accept_dirty",
            "label": "Patch dirty hives",
            "description": "Windows may overwrite such a patch when it replays the hive's logs. Needs patches.",
            "type": "checkbox",
            "required": False,
        },
    ],
}

#: Signals by which Celery ends a process of its pool. With REMAP_SIGTERM it sends SIGQUIT in place of SIGTERM.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGQUIT)
SWEEP_SECONDS = 10

logger = get_task_logger(__name__)

#: The claims of tasks whose result is not stored yet.
claims: dict[str, Claim] = {}


class Stopped(BaseException):
    """Celery ends this process: the task was revoked, exceeded its time, or the worker stops."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by signal {number}")
        self.number = number


@celery.task(bind=True, name=TASK_NAME, metadata=TASK_METADATA, Request="src.request:ReconnectingRequest")  # type: ignore[untyped-decorator]
def audit(  # noqa: PLR0913, PLR0917 (OpenRelik passes these)
    self: Task,
    pipe_result: str | None = None,
    input_files: list[dict[str, Any]] | None = None,
    output_path: str | None = None,
    workflow_id: str | None = None,
    task_config: dict[str, Any] | None = None,
) -> str:
    """Audits all inputs in one run of hivemend and returns OpenRelik's result, encoded."""
    task_id = str(self.request.id)
    with stop_by_exception():
        try:
            claims[task_id] = claim(self, redis_client)
            options = program.Options.from_config(task_config)
            files = get_input_files(pipe_result, input_files or [])
            with Attempt(self, str(output_path), running, lambda patience: still_mine(self, patience)) as attempt:
                return attempt.run(files, options, workflow_id)
        except Stopped as stopped:
            release(task_id)
            end_by_signal(stopped)


@contextlib.contextmanager
def stop_by_exception() -> Iterator[None]:
    """Turns a signal into an exception, so that the run is cleaned up before the process ends by the signal."""

    def interrupt(number: int, _: FrameType | None) -> NoReturn:
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    before = {number: signal.signal(number, interrupt) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_by_signal(stopped: Stopped) -> NoReturn:
    signal.signal(stopped.number, signal.SIG_DFL)
    os.kill(os.getpid(), stopped.number)
    raise stopped


def running(task_id: str) -> bool:
    return patiently(lambda: claimed(redis_client, task_id))


def still_mine(task: Task, patience: float) -> bool:
    """Returns whether nobody else has answered this task, nor is about to."""
    return patiently(claims[task.request.id].renew, patience) and not patiently(lambda: answered(task), patience)


def release(task_id: str) -> None:
    held = claims.pop(task_id, None)
    if held:
        held.release()


@signals.task_postrun.connect  # type: ignore[untyped-decorator]
def release_claim(task_id: str, **_: Any) -> None:
    """Ends the claim after the result was stored: from then on the result tells that the task is done."""
    release(task_id)


@signals.task_revoked.connect  # type: ignore[untyped-decorator]
def sweep_after_revoke(request: Any, **_: Any) -> None:
    """Removes what a task left whose process was killed before it could clean up."""
    output_path = (request.kwargs or {}).get("output_path")
    if request.task != TASK_NAME or not output_path:
        return

    def wait_and_sweep() -> None:
        until = time.monotonic() + SWEEP_SECONDS
        while not stage.sweep(Path(output_path), request.id) and time.monotonic() < until:
            time.sleep(0.2)

    threading.Thread(target=wait_and_sweep, name="sweep", daemon=True).start()
