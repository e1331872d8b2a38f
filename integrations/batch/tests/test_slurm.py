"""slurm-array.sh, on a Slurm that the test starts on loopback and stops."""

import os
import subprocess

import pytest
from own_slurm import own_slurm
from shards import BATCH, Answers, needs, wait_for

SHARDS = 4


@pytest.fixture(scope="module")
def slurm():
    needs("munged", "slurmctld", "slurmd", "sbatch", packages="slurmctld slurmd slurm-client munge")
    with own_slurm() as environment:
        yield environment


class Job:
    """An array of shards that was submitted."""

    def __init__(self, slurm, faults, machines, answers, array):
        self.environment = {
            **slurm,
            **{key: faults.environment[key] for key in ("HIVEMEND", "REAL_HIVEMEND", "FAULTS")},
        }
        self.logs = answers.folder.parent
        self.hastened = set()
        command = ["sbatch", "--parsable", f"--array={array}", BATCH / "slurm-array.sh"]
        arguments = [machines, str(SHARDS), answers.folder, "--no-hash"]
        # From the folder with shard.sh, as the recipe says. The logs go elsewhere.
        command.insert(1, f"--output={self.logs}/%A-%a.log")
        self.number = self.run(*command, *arguments).strip()

    def run(self, *command):
        done = subprocess.run(command, env=self.environment, cwd=BATCH, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def tasks(self):
        """Returns the fields of each task."""
        lines = self.run("scontrol", "show", "job", self.number, "--oneliner").splitlines()
        return [dict(field.split("=", 1) for field in line.split() if "=" in field) for line in lines]

    def ended(self):
        """Reports whether no task is left to run.

        Slurm holds a requeued task back for 120 s, for as long as nodes may know its revoked credential. This lets it
        start after 3 s: a start in the second of the requeue fails.
        """
        tasks = self.tasks()
        for task in tasks:
            again = (task["ArrayTaskId"], task["Restarts"])
            if task["JobState"] == "PENDING" and task["Restarts"] != "0" and again not in self.hastened:
                self.hastened.add(again)
                self.run("scontrol", "update", f"JobId={self.number}_{task['ArrayTaskId']}", "StartTime=now+3seconds")
        return not {"PENDING", "RUNNING", "COMPLETING"} & {task["JobState"] for task in tasks}

    def end(self):
        """Waits until no task is left to run, and returns the state of each."""
        wait_for(self.ended, "the end of the job", 150)
        return {task["ArrayTaskId"]: task["JobState"] for task in self.tasks()}

    def log(self, task):
        return (self.logs / f"{self.number}-{task}.log").read_text()


@pytest.fixture
def answers(tmp_path):
    return Answers(tmp_path / "answers", SHARDS)


def test_an_array_gives_the_answer_of_one_process_and_requeues_shards_without_an_answer(
    slurm, faults, machines, one_process, answers
):
    faults.plan(2, "refuse")
    faults.plan(3, "killed")
    faults.plan(4, "cut")  # The last task has the number of the whole array.
    job = Job(slurm, faults, machines, answers, f"1-{SHARDS}")
    assert job.end() == dict.fromkeys("1234", "COMPLETED")
    assert faults.attempts() == {1: 1, 2: 2, 3: 2, 4: 2}
    assert "shard 2 exited with 2 and goes back into the queue" in job.log(2)
    assert "shard 3 exited with 137 and goes back into the queue" in job.log(3)
    assert answers.records() == one_process
    assert answers.names() == answers.whole_names()


def test_the_shards_that_slurm_ended_or_that_never_answered_are_submitted_again(
    slurm, faults, machines, one_process, answers
):
    faults.plan(1, "refuse", "killed", "refuse")
    faults.plan(4, "wait")
    job = Job(slurm, faults, machines, answers, f"1-{SHARDS}")
    wait_for(lambda: faults.waiting(4), "the start of shard 4", 120)
    job.run("scancel", f"{job.number}_4")
    assert job.end() == {"1": "FAILED", "2": "COMPLETED", "3": "COMPLETED", "4": "CANCELLED"}
    assert faults.attempts() == {1: 3, 2: 1, 3: 1, 4: 1}
    assert "back into the queue" not in job.log(4)
    assert answers.names() == {answers.path(2).name, answers.path(3).name}
    missing = job.run(BATCH / "missing.sh", str(SHARDS), answers.folder).strip()
    assert missing == "1,4"
    assert Job(slurm, faults, machines, answers, missing).end() == dict.fromkeys("14", "COMPLETED")
    assert answers.records() == one_process


@pytest.mark.parametrize(
    ("fault", "restarts", "code", "requeued"),
    [
        ("refuse", "1", 2, "requeue 70_2\n"),
        ("killed", "", 137, "requeue 70_2\n"),
        ("killed", "2", 137, ""),
        ("terminated", "", 143, ""),  # What a cancelled task sees, if Slurm's signal reaches the shard first.
        ("run", "", 0, ""),
    ],
)
def test_what_goes_back_into_the_queue(machines, faults, answers, tmp_path, fault, restarts, code, requeued):
    """Runs the script outside Slurm, with a scontrol that only notes how it was called."""
    scontrol = tmp_path / "bin/scontrol"
    scontrol.parent.mkdir()
    scontrol.write_text(f'#!/bin/sh\necho "$@" >>"{tmp_path}/calls"\n')
    scontrol.chmod(0o755)
    (tmp_path / "calls").touch()
    faults.plan(2, fault)
    environment = {
        **faults.environment,
        "PATH": f"{scontrol.parent}:{os.environ['PATH']}",
        "SLURM_SUBMIT_DIR": str(BATCH),
        "SLURM_JOB_ID": "70",
        "SLURM_ARRAY_JOB_ID": "70",
        "SLURM_ARRAY_TASK_ID": "2",
        "SLURM_RESTART_COUNT": restarts,
    }
    script = [BATCH / "slurm-array.sh", machines, str(SHARDS), answers.folder]
    assert subprocess.run(script, env=environment, capture_output=True).returncode == code
    assert (tmp_path / "calls").read_text() == requeued


def test_the_script_that_was_not_submitted_says_how(machines, answers):
    script = [BATCH / "slurm-array.sh", machines, str(SHARDS), answers.folder]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    call = subprocess.run(script, env=environment, capture_output=True, text=True)
    assert call.returncode == 64
    assert "sbatch --array=1-N" in call.stderr
