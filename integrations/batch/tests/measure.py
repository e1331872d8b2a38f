#!/usr/bin/env python3
"""Measures the recipes: seconds for the whole run of a list of machines, with what the engine needs to start.

    HIVEMEND=... python measure.py LIST [SHARDS]

Slurm's daemons start before its time does. Each recipe gives the findings of one process, or this script fails.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from own_slurm import own_slurm
from shards import BATCH, Answers, program, wait_for


def one_process(listed, shards, folder, options):
    whole = folder / "shard-1-of-1.jsonl"
    hivemend = os.environ["HIVEMEND"]
    return [hivemend, "audit", "--files-from", listed, "--format", "jsonl", "--output", whole, *options]


def xargs(listed, shards, folder, options):
    script = (
        'listed=$1 n=$2 to=$3 run=$4; shift 4; seq "$n" | xargs -P 2 -I % "$run" "$listed" % "$n" "$to" --jobs 1 "$@"'
    )
    return ["sh", "-c", script, "sh", listed, str(shards), folder, BATCH / "shard.sh", *options]


def parallel(listed, shards, folder, options):
    return [BATCH / "parallel.sh", listed, str(shards), folder, *options]


def snakemake(listed, shards, folder, options):
    settings = [f"list={listed}", f"shards={shards}", f"answers={folder}", f"options={' '.join(options)}"]
    command = [sys.executable, "-m", "snakemake", "--snakefile", BATCH / "Snakefile", "--cores", "2"]
    return [*command, "--directory", folder.parent, "--config", *settings]


def slurm(listed, shards, folder, options):
    command = ["sbatch", f"--output={folder.parent}/%A-%a.log", f"--array=1-{shards}"]
    return [*command, BATCH / "slurm-array.sh", listed, str(shards), folder, *options]


def measure(recipe, listed, shards, options):
    """Prints how long a recipe takes, and returns the records of its answers."""
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        folder = Path(scratch) / "answers"
        folder.mkdir()
        environment = stack.enter_context(own_slurm()) if recipe is slurm else os.environ
        command = recipe(listed, shards, folder, options)
        start = time.monotonic()
        done = subprocess.run(command, cwd=BATCH, env=environment, capture_output=True, text=True)
        answers = Answers(folder, 1 if recipe is one_process else shards)
        if recipe is slurm:
            # `sbatch --wait` looks only every ten seconds.
            wait_for(lambda: answers.whole_names() <= answers.names(), "the end of the job", 600)
        seconds = time.monotonic() - start
        if done.returncode not in ((0, 1, 3) if recipe is one_process else (0,)):
            sys.exit(f"{recipe.__name__}: exit code {done.returncode}\n{done.stderr}")
        print(f"{recipe.__name__:12} {' '.join(options) or 'hashing':10} {seconds:8.2f} s", flush=True)
        return answers.records()


def main():
    listed = Path(sys.argv[1]).resolve()
    shards = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    os.environ["HIVEMEND"] = program("HIVEMEND", "hivemend")
    for options in (["--no-hash"], []):
        expected = measure(one_process, listed, shards, options)
        for recipe in (xargs, parallel, snakemake, slurm):
            found = measure(recipe, listed, shards, options)
            if found != expected:
                sys.exit(f"{recipe.__name__}: other findings than those of one process")


main()
