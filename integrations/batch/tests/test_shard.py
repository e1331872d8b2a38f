"""shard.sh: what it writes, and what its exit codes tell an engine."""

import json
import os
import signal
import subprocess
import time

import pytest
from shards import BATCH, Answers, records, running, wait_for


def shard(machines, number, shards, folder, *options, environment=None):
    command = [BATCH / "shard.sh", machines, str(number), str(shards), folder, "--no-hash", *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_the_shards_together_are_the_answer_of_one_process(machines, one_process, tmp_path):
    answers = Answers(tmp_path / "answers of the lab", 5)
    codes = [shard(machines, number, 5, answers.folder).returncode for number in range(1, 6)]
    assert codes == [0] * 5
    assert answers.records() == one_process
    assert answers.names() == answers.whole_names()


def test_a_shard_has_every_nth_line_of_the_list(machines, tmp_path):
    answers = Answers(tmp_path, 4)
    shard(machines, 3, 4, tmp_path)
    found = [json.loads(line) for line in answers.path(3).read_text().splitlines()]
    labels = {record["label"] for record in found if record["record"] == "installation"}
    listed = [json.loads(line)["label"] for line in machines.read_text().splitlines()]
    assert labels == set(listed[2::4]) - {"PC-23"}


@pytest.mark.parametrize(
    ("case", "code"), [("windows-xp", 0), ("windows-7-bits-disabled", 1), ("windows-xp-system-only", 3)]
)
def test_exit_codes_0_1_and_3_of_hivemend_are_answers(hivemend, machines, tmp_path, case, code):
    evidence = machines.parent / "cases" / case
    assert subprocess.run([hivemend, "audit", evidence], capture_output=True).returncode == code
    (tmp_path / "list").write_text(f"{evidence}\n")
    assert shard(tmp_path / "list", 1, 1, tmp_path / "answers").returncode == 0
    assert records(tmp_path / "answers/shard-1-of-1.jsonl")


def test_a_shard_of_which_nothing_can_be_read_is_to_be_retried_and_its_reasons_are_kept(machines, tmp_path):
    folders = [tmp_path / "machine 1", tmp_path / "machine 2"]
    (tmp_path / "list").write_text("".join(f"{folder}\n" for folder in folders))
    answers = Answers(tmp_path / "answers", 1)
    assert shard(tmp_path / "list", 1, 1, answers.folder).returncode == 2
    assert answers.names() == {"shard-1-of-1.refused.jsonl"}
    (reasons,) = answers.folder.iterdir()
    assert all(str(folder) in reasons.read_text() for folder in folders)
    # The storage is there again: the retry has an answer, and the reasons of the failed attempt go.
    folders[0].symlink_to(machines.parent / "cases/windows-xp")
    assert shard(tmp_path / "list", 1, 1, answers.folder).returncode == 0
    assert answers.names() == {"shard-1-of-1.jsonl"}


@pytest.mark.parametrize(("fault", "code"), [("refuse", 2), ("killed", 137), ("cut", 2)])
def test_a_failed_attempt_leaves_nothing_and_the_next_one_has_the_answer(machines, faults, tmp_path, fault, code):
    answers = Answers(tmp_path / "answers", 3)
    faults.plan(2, fault)
    assert shard(machines, 2, 3, answers.folder, environment=faults.environment).returncode == code
    assert answers.names() == set()
    assert shard(machines, 2, 3, answers.folder, environment=faults.environment).returncode == 0
    assert answers.names() == {"shard-2-of-3.jsonl"}
    assert records(answers.path(2))


def test_a_failed_attempt_does_not_touch_an_earlier_answer(machines, faults, tmp_path):
    answers = Answers(tmp_path / "answers", 3)
    assert shard(machines, 1, 3, answers.folder).returncode == 0
    before = answers.path(1).read_bytes()
    faults.plan(1, "cut")
    assert shard(machines, 1, 3, answers.folder, environment=faults.environment).returncode == 2
    assert answers.path(1).read_bytes() == before


def test_a_signal_to_the_script_ends_hivemend_too(machines, faults, tmp_path):
    answers = Answers(tmp_path / "answers", 3)
    faults.plan(1, "wait")
    command = [BATCH / "shard.sh", machines, "1", "3", answers.folder]
    process = subprocess.Popen(command, env=faults.environment)
    wait_for(lambda: faults.waiting(1), "the start of hivemend")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 143
    wait_for(lambda: not running(faults.waiting(1)), "the end of hivemend")
    assert answers.names() == set()


def test_the_script_killed_at_any_moment_leaves_no_half_answer(machines, hivemend, tmp_path):
    """Kills the whole process group after ever longer times, from before the audit to after it."""
    answers = Answers(tmp_path / "answers", 1)
    half = []
    for step in range(25):
        command = [BATCH / "shard.sh", machines, "1", "1", answers.folder, "--no-hash", "--all", "--jobs", "1"]
        environment = {**os.environ, "HIVEMEND": hivemend}
        process = subprocess.Popen(command, env=environment, start_new_session=True, stderr=subprocess.DEVNULL)
        time.sleep(step * 0.006)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if answers.path(1).exists():
            records(answers.path(1))  # Fails for a truncated answer.
            answers.path(1).unlink()
        else:
            half.append(step)
    assert half, "no attempt was interrupted"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["1"], "Expected at least 4"),
        (["0", "3", "answers"], 'I is "0"'),
        (["1", "x", "answers"], 'N is "x"'),
        (["4", "3", "answers"], "shard 4 of 3 does not exist"),
        (["24", "24", "answers"], "Use at most as many shards as the list has machines"),
    ],
)
def test_a_wrong_call_is_not_to_be_retried(machines, tmp_path, arguments, message):
    call = subprocess.run([BATCH / "shard.sh", machines, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert call.returncode == 64
    assert message in call.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_program_is_named(machines, tmp_path):
    call = shard(machines, 1, 3, tmp_path / "answers", environment={**os.environ, "HIVEMEND": "/nowhere/hivemend"})
    assert call.returncode == 64
    assert "/nowhere/hivemend was not found" in call.stderr


def test_a_list_that_cannot_be_read_is_to_be_retried(tmp_path):
    call = shard(tmp_path / "list", 1, 3, tmp_path / "answers")
    assert call.returncode == 2
    assert "cannot be read" in call.stderr


def test_missing_prints_the_shards_without_an_answer(machines, tmp_path):
    answers = Answers(tmp_path / "answers", 6)
    for number in (1, 4, 5):
        shard(machines, number, 6, answers.folder)
    call = subprocess.run([BATCH / "missing.sh", "6", answers.folder], capture_output=True, text=True, check=True)
    assert call.stdout == "2,3,6\n"
