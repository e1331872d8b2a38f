#!/usr/bin/env python3
"""Stands in for hivemend: does to each attempt at a shard what the test planned, or runs the real program.

FAULTS is a folder. FAULTS/plan-3 has one action a line: for the first attempt at shard 3, the second and so on.
FAULTS/plan-all has one for each attempt at any shard. Each attempt appends its shard to FAULTS/attempts.
"""

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

faults = Path(os.environ["FAULTS"])
output = Path(sys.argv[sys.argv.index("--output") + 1])
shard = re.search(r"shard-(\d+)-of-", output.name).group(1)
with (faults / "attempts").open("a+") as log:
    fcntl.flock(log, fcntl.LOCK_EX)
    log.write(f"{shard}\n")
    log.seek(0)
    attempts = log.read().split()


def planned(name, attempt):
    plan = faults / name
    actions = plan.read_text().split() if plan.exists() else []
    return actions[attempt - 1] if attempt <= len(actions) else "run"


action = planned(f"plan-{shard}", attempts.count(shard))
if action == "run":
    action = planned("plan-all", len(attempts))

if action == "refuse":
    sys.exit(2)
if action == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if action == "terminated":
    os.kill(os.getpid(), signal.SIGTERM)
if action == "wait":
    # Until the engine, or the test, ends this process.
    (faults / f"waiting-{shard}").write_text(str(os.getpid()))
    time.sleep(120)
    sys.exit(70)
code = subprocess.run([os.environ["REAL_HIVEMEND"], *sys.argv[1:]]).returncode
if action == "cut":
    lines = output.read_bytes().splitlines(keepends=True)
    output.write_bytes(b"".join(lines[: len(lines) // 2]))
sys.exit(code)
