"""What the foreign programs are fed: the fixtures as evidence, and what hivemend writes of them."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def cargo(*arguments):
    subprocess.run(["cargo", *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def program():
    """The program: HIVEMEND, or the one that cargo builds."""
    if "HIVEMEND" in os.environ:
        return os.environ["HIVEMEND"]
    cargo("build", "--quiet")
    return str(ROOT / "target" / "debug" / "hivemend")


class Desk:
    """A folder with all fixtures below `evidence`."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.program = program()
        cargo("run", "--quiet", "-p", "hive-fixtures", "--", str(self.folder / "evidence"), "--all")

    def write(self, name, *arguments):
        """Runs hivemend and keeps what it prints in a file; the file."""
        path = self.folder / name
        with open(path, "wb") as file:
            code = subprocess.run([self.program, *arguments], cwd=self.folder, stdout=file, stderr=subprocess.DEVNULL)
        # Findings and gaps: the fixtures are full of them.
        if code.returncode not in (0, 1, 3):
            raise SystemExit(f"hivemend {' '.join(arguments)} exited with {code.returncode}")
        return path

    def lines(self, name, *arguments):
        """The file, and its lines as JSON."""
        path = self.write(name, *arguments)
        return path, [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
