# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever dies, and however often a message comes: nothing is lost, nothing is doubled, nothing is left behind.

In these tests hivemend waits at a gate before it starts, so that each fault strikes while it runs.
"""

import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from celery import chain

from .conftest import Evidence
from .lab import PROGRESS, QUEUE, Lab, alive, wait_until
from .server import Answer

#: A claim of a dead process ends after 15 seconds; then the task is taken over.
TAKEOVER = 40


@pytest.fixture
def files(lab: Lab, evidence: Evidence) -> list[dict[str, Any]]:
    return lab.store_machine(evidence.machine("windows-7-bits-disabled", dirty=True))


def assert_answered_once(lab: Lab, task_id: str, answer: Answer, runs: int) -> None:
    assert answer.state == "SUCCESS", answer.error
    assert [len(each["hives"]) for each in answer.report()["installations"]] == [2]
    lab.assert_nothing_left()
    assert len(lab.runs()) == runs
    assert lab.server.events[task_id]["task-succeeded"] == 1
    assert len(lab.server.file_reports) == 4


def test_progress_is_forwarded_while_the_program_runs(lab: Lab, files: list[dict[str, Any]]) -> None:
    lab.worker(gated=True)
    task_id = lab.server.send(files)
    wait_until(lambda: lab.server.progress.get(task_id), "progress")
    shown = {key: value for key, value in PROGRESS["progress"].items() if key != "bytes"}
    assert lab.server.progress[task_id] == [shown]
    lab.open_gate()
    assert_answered_once(lab, task_id, lab.server.wait(task_id), 1)
    assert lab.server.progress[task_id][-1]["installations"] == 1


def test_a_killed_program_fails_the_task_with_the_reason(lab: Lab, files: list[dict[str, Any]]) -> None:
    lab.worker(gated=True)
    task_id = lab.server.send(files, {"patch": True})
    os.kill(lab.wait_for_run(), signal.SIGKILL)
    answer = lab.server.wait(task_id)
    assert answer.state == "FAILURE"
    assert "hivemend was killed by signal 9 (SIGKILL)" in answer.error
    lab.assert_nothing_left()
    assert len(lab.runs()) == 1
    # The worker goes on.
    lab.open_gate()
    again = lab.server.send(files)
    assert_answered_once(lab, again, lab.server.wait(again), 2)


def test_a_killed_process_of_the_pool_runs_the_task_again(lab: Lab, files: list[dict[str, Any]]) -> None:
    worker = lab.worker(gated=True)
    task_id = lab.server.send(files, {"patch": True})
    first = lab.wait_for_run()
    worker.pool_process(first).kill()
    wait_until(lambda: not alive(first), "the program dies with its process")
    lab.wait_for_run(2, TAKEOVER)
    lab.open_gate()
    assert_answered_once(lab, task_id, lab.server.wait(task_id), 2)


def test_a_killed_worker_loses_no_task(lab: Lab, files: list[dict[str, Any]]) -> None:
    worker = lab.worker(app="tests.short_visibility", gated=True)
    task_id = lab.server.send(files, {"patch": True})
    first = lab.wait_for_run()
    pool = worker.process.children(recursive=True)
    worker.process.kill()
    worker.process.wait(10)
    assert psutil.wait_procs(pool, timeout=10)[1] == [], "every process dies with the worker"
    assert not alive(first)
    assert list(lab.folder.glob(".hivemend-*")), "the killed run left its stage, which the next one must remove"
    lab.worker(app="tests.short_visibility", gated=True)
    lab.wait_for_run(2, TAKEOVER)
    lab.open_gate()
    assert_answered_once(lab, task_id, lab.server.wait(task_id), 2)


def test_a_stopped_worker_puts_the_task_back_at_once(lab: Lab, files: list[dict[str, Any]]) -> None:
    worker = lab.worker(gated=True)
    task_id = lab.server.send(files, {"patch": True})
    first = lab.wait_for_run()
    worker.stop(30)
    assert not alive(first)
    assert list(lab.folder.glob(".hivemend-*")) == [], "a stopped run cleans up by itself"
    assert lab.redis.client.llen(QUEUE) == 1
    assert lab.redis.client.hlen("unacked") == 0
    assert lab.redis.client.keys("*claim*") == [], "the next worker need not wait for the claim's end"
    lab.worker(gated=True)
    lab.wait_for_run(2)
    lab.open_gate()
    assert_answered_once(lab, task_id, lab.server.wait(task_id), 2)


def test_a_stopped_worker_lets_a_short_task_finish(lab: Lab, files: list[dict[str, Any]]) -> None:
    worker = lab.worker(gated=True)
    task_id = lab.server.send(files, {"patch": True})
    lab.wait_for_run()
    worker.process.send_signal(signal.SIGTERM)
    lab.open_gate()
    worker.process.wait(30)
    # Celery may put the message back although the task ended in time. The next worker must not run it again.
    lab.worker(gated=True)
    wait_until(lambda: lab.redis.client.llen(QUEUE) + lab.redis.client.hlen("unacked") == 0, "the queue is empty")
    answer = lab.server.wait_for_result(task_id)
    assert answer.state == "SUCCESS"
    assert len(lab.runs()) == 1
    assert_answered_once(lab, task_id, lab.server.wait(task_id), 1)


@pytest.mark.parametrize("ends", ["after Redis is back", "while Redis is away"])
def test_a_restart_of_redis_stops_no_task(lab: Lab, files: list[dict[str, Any]], ends: str) -> None:
    worker = lab.worker(gated=True)
    task_id = lab.server.send(files, {"patch": True})
    lab.wait_for_run()
    lab.redis.stop()
    if ends == "while Redis is away":
        lab.open_gate()
    time.sleep(3)
    lab.redis.start()
    assert lab.server.listening.wait(20)
    lab.open_gate()
    assert lab.server.wait_for_result(task_id).state == "SUCCESS"
    answer = lab.server.wait(task_id)
    assert worker.process.poll() is None, "the worker goes on"
    assert_answered_once(lab, task_id, answer, 1)
    again = lab.server.send(files)
    assert lab.server.wait(again).state == "SUCCESS"


def test_a_message_that_comes_twice_at_once_runs_once(lab: Lab, files: list[dict[str, Any]]) -> None:
    lab.worker(gated=True)
    lab.worker(gated=True)
    task = lab.server.signature(files, {"patch": True})
    task_id = task.options["task_id"]
    for _ in range(3):
        chain(task).apply_async()
    lab.wait_for_run()
    wait_until(lambda: lab.server.events[task_id]["task-started"] == 3, "three deliveries are started")
    time.sleep(2)
    lab.open_gate()
    assert_answered_once(lab, task_id, lab.server.wait(task_id), 1)


def test_a_second_delivery_takes_over_if_the_first_one_dies(lab: Lab, files: list[dict[str, Any]]) -> None:
    worker = lab.worker(gated=True)
    task = lab.server.signature(files, {"patch": True})
    task_id = task.options["task_id"]
    chain(task).apply_async()
    first = lab.wait_for_run()
    chain(task).apply_async()
    wait_until(lambda: lab.server.events[task_id]["task-started"] == 2, "both deliveries are started")
    worker.pool_process(first).kill()
    lab.wait_for_run(2, TAKEOVER)
    lab.open_gate()
    assert_answered_once(lab, task_id, lab.server.wait(task_id), 2)


def test_a_process_that_was_frozen_does_not_answer_again(lab: Lab, files: list[dict[str, Any]]) -> None:
    """Its claim ended while it was frozen, and another worker took the task over."""
    workers = [lab.worker(gated=True), lab.worker(gated=True)]
    task = lab.server.signature(files, {"patch": True})
    task_id = task.options["task_id"]
    chain(task).apply_async()
    frozen = workers[0].pool_process(lab.wait_for_run())
    chain(task).apply_async()
    wait_until(lambda: lab.server.events[task_id]["task-started"] == 2, "both deliveries are started")
    frozen.suspend()
    lab.wait_for_run(2, TAKEOVER)
    lab.open_gate()
    answer = lab.server.wait(task_id)
    frozen.resume()
    wait_until(lambda: any("Another worker took this task over" in each.text() for each in workers), "it gives up")
    assert_answered_once(lab, task_id, answer, 2)


def test_a_message_that_comes_again_after_success_changes_nothing(lab: Lab, files: list[dict[str, Any]]) -> None:
    lab.open_gate()
    lab.worker(gated=True)
    task = lab.server.signature(files, {"patch": True})
    task_id = task.options["task_id"]
    chain(task).apply_async()
    answer = lab.server.wait(task_id)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in lab.folder.iterdir()}
    chain(task).apply_async()
    wait_until(lambda: lab.server.events[task_id]["task-received"] == 2, "the message comes again")
    assert_answered_once(lab, task_id, answer, 1)
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in lab.folder.iterdir()} == before


@pytest.mark.parametrize("by", ["SIGTERM", "SIGKILL"])
def test_a_revoked_task_leaves_nothing(lab: Lab, files: list[dict[str, Any]], by: str) -> None:
    lab.worker(gated=True)
    task_id = lab.server.send(files, {"patch": True})
    lab.wait_for_run()
    lab.server.celery.control.revoke(task_id, terminate=True, signal=by)
    assert lab.server.wait(task_id).state == "REVOKED"
    lab.assert_nothing_left()
    assert lab.server.events[task_id]["task-succeeded"] == 0
    lab.open_gate()
    again = lab.server.send(files)
    assert_answered_once(lab, again, lab.server.wait(again), 2)


@pytest.mark.parametrize(
    ("limit", "error"), [("--soft-time-limit=3", "SoftTimeLimitExceeded"), ("--time-limit=3", "TimeLimitExceeded")]
)
def test_a_task_that_takes_too_long_fails_and_leaves_nothing(
    lab: Lab, files: list[dict[str, Any]], limit: str, error: str
) -> None:
    lab.worker("--concurrency=2", limit, gated=True)
    task_id = lab.server.send(files, {"patch": True})
    lab.wait_for_run()
    answer = lab.server.wait_for_result(task_id)
    assert answer.state == "FAILURE"
    assert answer.error.startswith(error), answer.error
    lab.assert_nothing_left()
    lab.open_gate()
    again = lab.server.send(files)
    assert_answered_once(lab, again, lab.server.wait(again), 2)


def test_a_missing_program_fails_with_the_reason(lab: Lab, files: list[dict[str, Any]]) -> None:
    lab.hivemend = "/nonexistent/hivemend"
    lab.worker()
    answer = lab.server.wait(lab.server.send(files))
    assert answer.state == "FAILURE"
    assert "/nonexistent/hivemend' was not found" in answer.error
    assert "set HIVEMEND" in answer.error
    lab.assert_nothing_left()


def test_a_program_that_writes_no_report_fails_with_its_last_words(lab: Lab, files: list[dict[str, Any]]) -> None:
    broken = lab.root / "broken-hivemend"
    broken.write_text("#!/bin/sh\necho 'the disk is full' >&2\nexit 101\n")
    broken.chmod(0o755)
    lab.hivemend = str(broken)
    lab.worker()
    answer = lab.server.wait(lab.server.send(files))
    assert answer.state == "FAILURE"
    assert "exit code 101 and wrote no report. Its last words: the disk is full" in answer.error
    lab.assert_nothing_left()


def test_a_program_that_writes_much_is_not_stopped_by_it(lab: Lab, files: list[dict[str, Any]]) -> None:
    loud = lab.root / "loud-hivemend"
    noise = "head -c 3000000 /dev/zero | tr '\\0' 'x' >&2; head -c 3000000 /dev/zero"
    loud.write_text(f'#!/bin/sh\n[ "$1" = audit ] && {{ {noise}; echo >&2; }}\nexec "{lab.hivemend}" "$@"\n')
    loud.chmod(0o755)
    lab.hivemend = str(loud)
    lab.worker()
    answer = lab.server.wait(lab.server.send(files))
    assert answer.state == "SUCCESS"
    (log,) = answer.result["task_files"]
    assert Path(log["path"]).stat().st_size >= 3_000_000
    lab.assert_nothing_left()


def test_a_worker_without_remapped_sigterm_says_so(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "REMAP_SIGTERM is" not in lab.worker().text()
    monkeypatch.setenv("LAB_REMAP_SIGTERM", "")
    assert "REMAP_SIGTERM is not set, expected SIGQUIT" in lab.worker().text()
