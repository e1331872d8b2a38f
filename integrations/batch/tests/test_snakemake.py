"""Snakefile: shards that resume after an interruption."""

import os
import signal
import subprocess
import sys

import pytest
from shards import BATCH, Answers, running, wait_for

SHARDS = 6


def snakemake(machines, folder, *options):
    command = [sys.executable, "-m", "snakemake", "--snakefile", BATCH / "Snakefile", "--cores", "2", "--keep-going"]
    return [*command, "--directory", folder, *options, "--config", f"list={machines}", f"shards={SHARDS}"]


def run(command, environment=os.environ):
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)


@pytest.fixture
def lab(tmp_path):
    folder = tmp_path / "lab"
    folder.mkdir()
    return folder


def test_snakemake_gives_the_answer_of_one_process(machines, one_process, lab):
    answers = Answers(lab / "answers", SHARDS)
    done = run(snakemake(machines, lab))
    assert done.returncode == 0, done.stderr
    assert answers.records() == one_process
    assert answers.names() == answers.whole_names()


def test_snakemake_killed_in_the_middle_and_resumed_gives_the_answer_of_one_process(machines, one_process, faults, lab):
    answers = Answers(lab / "answers", SHARDS)
    # Two shards at a time: when the third and the fourth have begun, the first two are done.
    faults.plan("all", "run", "run", "wait", "wait")
    engine = subprocess.Popen(
        snakemake(machines, lab),
        env=faults.environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: len(faults.all_waiting()) == 2, "the start of four shards", 120)
    os.killpg(engine.pid, signal.SIGKILL)
    engine.wait()
    for shard, process in faults.all_waiting().items():
        if running(process):
            os.kill(process, signal.SIGKILL)
        wait_for(lambda process=process: not running(process), f"the end of shard {shard}")
    killed = set(faults.all_waiting())
    finished = {shard for shard in range(1, SHARDS + 1) if answers.path(shard).exists()}
    assert len(finished) == 2
    assert not killed & finished
    before = faults.attempts()

    unlocked = run(snakemake(machines, lab, "--unlock"))
    assert unlocked.returncode == 0, unlocked.stderr
    faults.plan("all")
    resumed = run(snakemake(machines, lab, "--rerun-incomplete"), faults.environment)
    assert resumed.returncode == 0, resumed.stderr
    assert answers.records() == one_process
    assert set(faults.attempts() - before) == set(range(1, SHARDS + 1)) - finished
    assert answers.names() == answers.whole_names()


def test_snakemake_retries_only_shards_without_an_answer(machines, one_process, faults, lab):
    answers = Answers(lab / "answers", SHARDS)
    faults.plan(1, "refuse")
    faults.plan(2, "killed", "cut")
    done = run(snakemake(machines, lab), faults.environment)
    assert done.returncode == 0, done.stderr
    assert faults.attempts() == {1: 2, 2: 3, 3: 1, 4: 1, 5: 1, 6: 1}
    assert answers.records() == one_process


def test_snakemake_finishes_the_other_shards_and_the_next_call_runs_only_the_failed_one(
    machines, one_process, faults, lab
):
    answers = Answers(lab / "answers", SHARDS)
    faults.plan(4, "refuse", "refuse", "refuse")
    assert run(snakemake(machines, lab), faults.environment).returncode == 1
    assert answers.names() == answers.whole_names() - {answers.path(4).name}
    done = run(snakemake(machines, lab), faults.environment)
    assert done.returncode == 0, done.stderr
    assert faults.attempts() == {1: 1, 2: 1, 3: 1, 4: 4, 5: 1, 6: 1}
    assert answers.records() == one_process


def test_snakemake_names_a_missing_setting(machines, lab):
    command = snakemake(machines, lab)
    done = run([word for word in command if not str(word).startswith("shards=")])
    assert done.returncode == 1
    assert "The setting shards is missing" in done.stdout + done.stderr
