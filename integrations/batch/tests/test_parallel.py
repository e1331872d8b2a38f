"""parallel.sh: GNU parallel runs the shards of one machine."""

import os
import subprocess

from shards import BATCH, Answers, needs


def parallel(machines, answers, environment=None):
    needs("parallel", packages="parallel")
    command = [BATCH / "parallel.sh", machines, str(answers.shards), answers.folder, "--no-hash"]
    return subprocess.run(command, env=environment or os.environ, capture_output=True, text=True, timeout=120)


def test_parallel_gives_the_answer_of_one_process(machines, one_process, tmp_path):
    answers = Answers(tmp_path / "answers of the lab", 5)
    assert parallel(machines, answers).returncode == 0
    assert answers.records() == one_process
    assert answers.names() == answers.whole_names()


def test_parallel_retries_only_shards_without_an_answer(machines, one_process, faults, tmp_path):
    answers = Answers(tmp_path / "answers", 5)
    faults.plan(2, "refuse", "killed")
    faults.plan(4, "cut")
    assert parallel(machines, answers, faults.environment).returncode == 0
    # The list has a machine that cannot be read: its shard ends with 3, and is not tried again.
    assert faults.attempts() == {1: 1, 2: 3, 3: 1, 4: 2, 5: 1}
    assert answers.records() == one_process


def test_parallel_reports_a_shard_that_never_answers_and_the_next_call_runs_only_that_shard(
    machines, one_process, faults, tmp_path
):
    answers = Answers(tmp_path / "answers", 5)
    faults.plan(3, "killed", "refuse", "killed")
    assert parallel(machines, answers, faults.environment).returncode == 1
    assert answers.names() == answers.whole_names() - {answers.path(3).name}
    assert faults.attempts()[3] == 3
    assert parallel(machines, answers, faults.environment).returncode == 0
    assert faults.attempts() == {1: 1, 2: 1, 3: 4, 4: 1, 5: 1}
    assert answers.records() == one_process
