"""A Slurm of one node on loopback: munged, slurmctld and slurmd with a configuration of their own."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from shards import wait_for

CONFIGURATION = """
ClusterName=hivemend
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=2
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0
NodeName=localhost NodeAddr=127.0.0.1 NodeHostname={host} CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=test Nodes=localhost Default=YES MaxTime=INFINITE State=UP
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def stop(process):
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def own_slurm():
    """Starts a Slurm of one node, and yields the environment for its commands."""
    # The path of a socket has at most 107 bytes: not below pytest's folder.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "munge.key").write_bytes(os.urandom(1024))
    (folder / "munge.key").chmod(0o400)
    configuration = folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(
            folder=folder,
            user=getpass.getuser(),
            host=socket.gethostname().split(".")[0],
            controller_port=free_port(),
            node_port=free_port(),
        )
    )
    environment = {**os.environ, "SLURM_CONF": str(configuration)}
    files = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munged.pid", "log-file": "munged.log"}
    munge = [f"--{option}={folder / name}" for option, name in files.items()]
    daemons = [
        ["munged", "--foreground", "--force", *munge, f"--seed-file={folder}/munged.seed"],
        ["slurmctld", "-D", "-f", configuration],
        ["slurmd", "-D", "-N", "localhost", "-f", configuration],
    ]
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        for daemon in daemons:
            log = stack.enter_context((folder / f"{daemon[0]}.out").open("w"))
            process = subprocess.Popen(daemon, env=environment, cwd=folder, stdout=log, stderr=log)
            stack.callback(stop, process)
            if daemon[0] == "munged":
                wait_for((folder / "munge.socket").exists, "the start of munged")

        def ready():
            state = subprocess.run(["sinfo", "-h", "-o", "%t"], env=environment, capture_output=True, text=True)
            return state.stdout.strip() == "idle"

        wait_for(ready, "the start of Slurm")
        yield environment
