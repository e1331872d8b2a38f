"""Makes docs/agreement.md: how many keys and values hivemend and other readers find in the same hives, and whether
they say that something is missing.

    python3 docs/scripts/agreement.py CORPUS > docs/agreement.md

CORPUS is the folder that tests know as HIVEMEND_CORPUS. Needed: cargo, and from Debian libhivex-bin, libregf-utils,
python3-hivex and python3-libregf. The readers in Python (dissect.regf, python-registry, regipy) are installed into a
virtual environment of this run, or found with the Python that $READERS_PYTHON names; notatin is built, unless
$HIVEMEND_NOTATIN names the program. A reader that is not there is left out, and stderr says so.

Every reader is a process of its own that reads a copy, for SECONDS at most and within MEMORY; see agreement/readers.py.
Nothing but counts is kept, and names of keys and values are never printed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE / "agreement"))

import document
from copies import COPIES, copy
from readers import readers

VENV = ["dissect.regf==3.14", "python-registry==1.3.1", "regipy==6.5.0"]
# By hand: notatin 1.0.1 asks for any nom from 6 on, and needs 7.
NOM = "7.1.3"


def run(command, **options):
    # stdout is the document.
    return subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr, **options)


def python(work):
    """A Python that has the readers in Python; this one where there is none."""
    if "READERS_PYTHON" in os.environ:
        return os.environ["READERS_PYTHON"]
    try:
        run([sys.executable, "-m", "venv", work / "venv"])
        run([work / "venv/bin/pip", "install", "--quiet", *VENV])
        return str(work / "venv/bin/python")
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"no readers in Python: {error}", file=sys.stderr)
        return sys.executable


def notatin(work):
    """The program that reads with notatin; none where it cannot be built."""
    if "HIVEMEND_NOTATIN" in os.environ:
        return os.environ["HIVEMEND_NOTATIN"]
    source = work / "notatin"
    shutil.copytree(HERE / "agreement/read_with_notatin", source)
    try:
        run(["cargo", "update", "--quiet", "--package", "nom", "--precise", NOM], cwd=source)
        run(["cargo", "build", "--quiet", "--release", "--target-dir", source / "target"], cwd=source)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"no notatin: {error}", file=sys.stderr)
        return None
    return str(source / "target/release/read_with_notatin")


def hivemend():
    if "HIVEMEND" in os.environ:
        return os.environ["HIVEMEND"]
    run(["cargo", "build", "--quiet"], cwd=ROOT)
    return str(Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/hivemend")


def contents(corpus, notatin):
    """What the test prints of every hive of the corpus, compared hash by hash; the test fails where it is new."""
    environment = {**os.environ, "HIVEMEND_CORPUS": str(corpus)}
    if notatin:
        environment["HIVEMEND_NOTATIN"] = notatin
    test = ["cargo", "test", "--quiet", "--test", "suite", "other_readers_find", "--", "--nocapture"]
    output = subprocess.run(test, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True, text=True).stdout
    rows = [line.split("\t")[1:] for line in output.splitlines() if line.startswith("agreement\t")]
    if not rows:
        sys.exit("the test has printed no rows: is CORPUS the corpus?")
    return rows


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    corpus = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        program = notatin(work)
        found, missing = readers(hivemend(), program, python(work))
        for name in missing:
            print(f"not installed, and left out: {name}", file=sys.stderr)
        hashed = contents(corpus, program)

        def read(index):
            hive, logs = copy(COPIES[index], corpus, work / str(index))
            results = [reader.read(hive, logs) for reader in found]
            hive.unlink()
            return results

        # As many at a time as there are cores to give each its own.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(read, range(len(COPIES))))
    text, unexplained = document.document(found, list(zip(COPIES, results)), hashed)
    sys.stdout.write(text)
    if unexplained:
        sys.exit("not explained, see agreement/reasons.py:\n" + "\n".join(unexplained))


main()
